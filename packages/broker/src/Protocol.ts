/** A protocol that hands out a flow's credentials: how it is asked, how it answers, how it says no. */
import { Flow, TokenRequest } from "@federate/core"
import type { AccessToken, AwsCredentials } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { answer, isRefusal, refusal, refusalOf } from "./Answer.ts"
import type { Answer, Refusal } from "./Answer.ts"
import { handedOf, tokenHash } from "./Audit.ts"
import type { Headers } from "./Headers.ts"
import { maximumQuestions, patience } from "./limits.ts"
import type { Call, Route } from "./Route.ts"

/** What a request asks for, once it is understood. */
export interface Question<C extends AccessToken | AwsCredentials> {
  readonly flow: Flow.Flow<C>
  readonly request: TokenRequest.TokenRequest
  /** What is asked for, as the audit tells it. */
  readonly scope: string
  /** The hash of a token that the caller was refused with: anything but that one. */
  readonly rejected?: string
  /** @param now epoch milliseconds */
  readonly write: (credential: C, now: number) => string
}

export interface Protocol<C extends AccessToken | AwsCredentials> {
  readonly name: string
  readonly method?: "GET" | "POST"
  readonly anyCase?: boolean
  readonly contentType: string
  /** Names and values in turn, on every answer. Default: none. */
  readonly headers?: ReadonlyArray<string>
  /** Why a caller may not ask. */
  readonly authorize: (headers: Headers) => Refusal | undefined
  readonly read: (query: string) => Question<C> | Refusal
  readonly refuse: (refusal: Refusal) => Answer
}

/** A question, with its last answer: it stays the same for a second. */
interface Asked<C extends AccessToken | AwsCredentials> {
  readonly question: Question<C>
  credential: C | undefined
  second: number
  answer: Answer | undefined
}

/** A question this long is not remembered, in characters. */
const memorable = 1024

/**
 * The route of a protocol. What memory holds is answered at once, without a fiber. Else the caller waits: it gets a
 * credential, or, when the broker's patience ends, the one in hand while that is valid, or 503 while the flight goes on.
 */
export const route = <C extends AccessToken | AwsCredentials>(
  protocol: Protocol<C>,
  clock: Clock.Clock
): Route => {
  const questions = new Map<string, Asked<C>>()
  const now = (): number => clock.currentTimeMillisUnsafe()

  const ask = (query: string): Asked<C> | Refusal => {
    const known = questions.get(query)
    if (known !== undefined) return known
    const question = protocol.read(query)
    if (isRefusal(question)) return question
    const asked: Asked<C> = { question, credential: undefined, second: 0, answer: undefined }
    if (query.length <= memorable) {
      if (questions.size >= maximumQuestions) questions.clear()
      questions.set(query, asked)
    }
    return asked
  }

  const hand = (asked: Asked<C>, credential: C): Answer => {
    const time = now()
    const second = Math.floor(time / 1000)
    if (asked.answer !== undefined && asked.credential === credential && asked.second === second) {
      return asked.answer
    }
    const { flow, scope, write } = asked.question
    asked.credential = credential
    asked.second = second
    asked.answer = {
      ...answer(200, protocol.contentType, write(credential, time), protocol.headers),
      handed: handedOf(credential, { protocol: protocol.name, flow: flow.name, scope })
    }
    return asked.answer
  }

  const wait = (asked: Asked<C>, request: TokenRequest.TokenRequest): Effect.Effect<Answer> =>
    fetched(protocol.name, { ...asked.question, request }, clock).pipe(
      Effect.match({
        onSuccess: (credential) => hand(asked, credential),
        onFailure: protocol.refuse
      })
    )

  return {
    protocol: protocol.name,
    method: protocol.method ?? "GET",
    ...(protocol.anyCase === true && { anyCase: true }),
    refuse: protocol.refuse,
    handle: ({ headers, query }: Call) => {
      const unauthorized = protocol.authorize(headers)
      if (unauthorized !== undefined) return protocol.refuse(unauthorized)
      const asked = ask(query)
      if (isRefusal(asked)) return protocol.refuse(asked)
      const { flow, rejected, request } = asked.question
      if (rejected !== undefined) {
        const held = flow.entries.get(TokenRequest.key(request))?.credential
        if (held !== undefined && tokenHash(held) === rejected) {
          return wait(asked, { ...request, rejected: held })
        }
      }
      const current = Flow.current(flow, request)
      return current === undefined ? wait(asked, request) : hand(asked, current)
    }
  }
}

/**
 * A credential, or, when the broker's patience ends, the one in hand while that is valid.
 *
 * @param within what is left of the broker's patience, in milliseconds
 */
export const fetched = <C extends AccessToken | AwsCredentials>(
  protocol: string,
  { flow, request, scope }: Pick<Question<C>, "flow" | "request" | "scope">,
  clock: Clock.Clock,
  within = patience
): Effect.Effect<C, Refusal> =>
  flow.credential(request).pipe(
    Effect.tapError((error) => Effect.logDebug(error.message)),
    Effect.mapError((error) => refusalOf(error, clock.currentTimeMillisUnsafe())),
    Effect.timeoutOrElse({
      duration: within,
      orElse: () =>
        Effect.suspend(() => {
          const held = valid(flow, request)
          return held === undefined
            ? Effect.fail(
                refusal(
                  "unavailable",
                  `The flow "${flow.name}" has no credential yet; it is being fetched. Ask again in a second.`,
                  1
                )
              )
            : Effect.succeed(held)
        })
    }),
    Effect.withSpan("federate.request", {
      attributes: {
        "federate.protocol": protocol,
        "federate.flow": flow.name,
        "federate.scope": scope
      }
    })
  )

/** What is in hand and not over, fresh or not. */
const valid = <C extends AccessToken | AwsCredentials>(
  flow: Flow.Flow<C>,
  request: TokenRequest.TokenRequest
): C | undefined => {
  if (request.rejected !== undefined) return undefined
  const entry = flow.entries.get(TokenRequest.key(request))
  const { age, credential, points } = entry ?? {}
  return age !== undefined && points !== undefined && age < points.life ? credential : undefined
}
