/** What a flow promises, as far as its source and its exchanger can break it. */
import { Assertion, AssertionSource, Flow, FlowMetrics, RetryPolicy } from "@federate/core"
import type {
  Credential,
  FederationError,
  Stage,
  TokenExchanger,
  TokenRequest
} from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { demanded } from "./ambientSourceContract.ts"
import { answering, wrongFrom } from "./calls.ts"
import { register } from "./checks.ts"
import type { Check } from "./checks.ts"
import { faults, silent } from "./faults.ts"
import type { Answer, Fault } from "./faults.ts"
import { until } from "./settling.ts"
import { visible, watch } from "./visible.ts"

export interface FlowContract<C extends Credential.Credential> {
  /** The pair over a `fetch`; only one of the two need ask anything over it. */
  readonly make: (fetch: Fetch) => Effect.Effect<
    {
      readonly source: AssertionSource.AssertionSource
      readonly exchanger: TokenExchanger.TokenExchanger<C>
    },
    FederationError,
    Scope.Scope
  >
  /** What the flow is asked; by default nothing in particular. */
  readonly request?: TokenRequest.TokenRequest
  /** The good answers of both, told apart by the request. An absolute time in them is held against their `Date`. */
  readonly well: Answer
  /** How many requests a credential costs. Default 2: one for the assertion, one for its exchange. */
  readonly requests?: number
  /** The relying party's refusal of an assertion that is out of its time, where it has one. */
  readonly stale?: () => Response
  /** The secrets in the good answers, and what both are trusted with. */
  readonly secrets: ReadonlyArray<string>
}

/** A server that wants to be left alone for two minutes. */
const busy = () => new Response("", { status: 429, headers: { "retry-after": "120" } })

/** What the pair was asked, and what answers it. */
interface Upstream {
  requests: number
  /** Those that were given. */
  readonly assertions: Array<Assertion.Assertion>
  exchanges: number
  /** Who asks. */
  stage: Stage
  /** In place of the good answers. */
  wrong: Fetch | undefined
}

/** Registers the contract as tests (vitest), under the pair's name. */
export const flowContract = <C extends Credential.Credential>(
  name: string,
  contract: FlowContract<C>
): void => register(name, "a flow", flowChecks(contract))

export const flowChecks = <C extends Credential.Credential>({
  make,
  request = {},
  requests = 2,
  secrets,
  stale,
  well
}: FlowContract<C>): ReadonlyArray<Check> => {
  /** A flow of the pair, without retries. */
  const start = Effect.fnUntraced(function* (
    options: { readonly remembers?: boolean; readonly asks?: AssertionSource.AssertionRequest } = {}
  ) {
    const upstream: Upstream = {
      requests: 0,
      assertions: [],
      exchanges: 0,
      stage: "assertion",
      wrong: undefined
    }
    const pair = yield* make((url, init) => {
      upstream.requests++
      return (upstream.wrong ?? answering(well))(url, init)
    })
    const source: AssertionSource.AssertionSource = {
      ...pair.source,
      assertion: Effect.fnUntraced(function* (asked) {
        upstream.stage = "assertion"
        const given = yield* pair.source.assertion(asked)
        upstream.assertions.push(given)
        return given
      })
    }
    const exchanger: TokenExchanger.TokenExchanger<C> = {
      ...pair.exchanger,
      ...(options.asks !== undefined && { asks: options.asks }),
      exchange: (assertion, asked) =>
        Effect.suspend(() => {
          upstream.stage = "exchange"
          upstream.exchanges++
          return pair.exchanger.exchange(assertion, asked)
        })
    }
    const flow = Flow.make({
      source: options.remembers === true ? yield* AssertionSource.cached(source) : source,
      exchanger,
      retry: RetryPolicy.none
    })
    return { flow, upstream }
  })

  /** The same, with its first credential in hand. */
  const begin = Effect.fnUntraced(function* (options: { readonly remembers?: boolean } = {}) {
    const { flow: made, upstream } = yield* start(options)
    const flow = yield* made
    const first = yield* flow.credential(request)
    const [entry] = flow.entries.values()
    if (entry?.points === undefined) return assert.fail("the flow remembers its credential")
    return { flow, upstream, first, entry, points: entry.points }
  })

  /** Each request that a credential costs, from 1. */
  const everyRequest = Array.from({ length: requests }, (_, index) => index + 1)

  /** Everything that may go wrong, from each request on. */
  const wrongs = everyRequest.flatMap((from) =>
    Object.values<Fault>(faults).map(
      ({ fetch }) =>
        () =>
          wrongFrom(from, well, fetch(well))
    )
  )

  /** A part of the assertion's life goes by. */
  const age = ({ lifetime = Number.NaN }: Assertion.Assertion, part: number) =>
    TestClock.adjust(lifetime * part)

  return [
    {
      name: `asks ${requests} times for one credential, for all who want it`,
      holds: Effect.gen(function* () {
        const { flow, upstream } = yield* start()
        const { credential } = yield* flow
        const all = yield* Effect.all(
          Array.from({ length: 10 }, () => credential(request)),
          { concurrency: "unbounded" }
        )
        for (const each of all) assert.strictEqual(each, all[0])
        assert.strictEqual(upstream.requests, requests)
      })
    },
    {
      name: "brings a later credential ahead of the end, and makes nobody wait for it",
      holds: Effect.gen(function* () {
        const { entry, first, flow, points, upstream } = yield* begin()
        yield* TestClock.adjust((points.soft + points.hard) / 2)
        assert.strictEqual(yield* flow.credential(request), first)
        yield* until("the refresh comes to its end", () => !entry.refreshing)
        assert.isUndefined(entry.error, visible(entry.error))
        assert.strictEqual(upstream.exchanges, 2)
        assert.isAbove((yield* flow.credential(request)).expiresAt, first.expiresAt)
      })
    },
    {
      name: "keeps a valid credential, whatever goes wrong",
      holds: Effect.gen(function* () {
        for (const wrong of wrongs) {
          const { first, flow, points, upstream } = yield* begin()
          const before = upstream.requests
          yield* TestClock.adjust((points.hard + points.life) / 2)
          upstream.wrong = wrong()
          assert.strictEqual(yield* flow.credential(request), first)
          assert.isAbove(upstream.requests, before, "it was tried")
        }
      })
    },
    {
      name: "comes back when the server says, and no earlier",
      holds: Effect.gen(function* () {
        for (const from of everyRequest) {
          const { flow, upstream } = yield* start()
          const { credential } = yield* flow
          upstream.wrong = wrongFrom(from, well, async () => busy())
          const now = yield* Clock.currentTimeMillis
          const { reason } = yield* Effect.flip(credential(request))
          assert.strictEqual(reason._tag, "Transient", visible(reason))
          const { requests: asked } = upstream
          upstream.wrong = undefined
          yield* TestClock.adjust("119 seconds")
          const { retryAt } = yield* Effect.flip(credential(request))
          assert.strictEqual(retryAt, now + 120_000)
          assert.strictEqual(upstream.requests, asked)
          yield* TestClock.adjust("1 second")
          yield* credential(request)
        }
      })
    },
    {
      name: "asks anew for a credential that was refused where it was used",
      holds: Effect.gen(function* () {
        const { first, flow, upstream } = yield* begin()
        const { requests: asked } = upstream
        yield* flow.credential({ ...request, rejected: first })
        assert.strictEqual(upstream.requests, 2 * asked)
      })
    },
    {
      name: "trades a remembered assertion while it is good, and no longer",
      holds: Effect.gen(function* () {
        const { first, flow, upstream } = yield* begin({ remembers: true })
        const second = yield* flow.credential({ ...request, rejected: first })
        assert.strictEqual(upstream.exchanges, 2)
        assert.lengthOf(upstream.assertions, 1)
        yield* age(upstream.assertions[0]!, 0.8)
        yield* flow.credential({ ...request, rejected: second })
        assert.lengthOf(upstream.assertions, 2)
      })
    },
    ...(stale === undefined
      ? []
      : [
          {
            name: "trades a fresh assertion for one that was refused as out of its time",
            holds: Effect.gen(function* () {
              const { first, flow, upstream } = yield* begin({ remembers: true })
              yield* age(upstream.assertions[0]!, 0.6)
              upstream.wrong = async (url, init) => {
                if (upstream.stage === "assertion") return well(url, init)
                upstream.wrong = undefined
                return stale()
              }
              yield* flow.credential({ ...request, rejected: first })
              assert.lengthOf(upstream.assertions, 2)
              assert.strictEqual(upstream.exchanges, 3)
            })
          }
        ]),
    {
      name: "trades no assertion that is for another audience than is demanded",
      holds: Effect.gen(function* () {
        const { flow, upstream } = yield* start({ asks: { audience: demanded } })
        const result = yield* Effect.result(
          Effect.flatMap(flow, ({ credential }) => credential(request))
        )
        if (Result.isFailure(result)) {
          assert.strictEqual(result.failure.reason._tag, "Misconfigured", visible(result.failure))
          assert.strictEqual(upstream.exchanges, 0)
        }
        for (const { obtainedAt, token } of upstream.exchanges > 0 ? upstream.assertions : []) {
          const { audience } = yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt }))
          assert.include(audience, demanded)
        }
      })
    },
    {
      name: "gives up on a server that never answers",
      holds: Effect.gen(function* () {
        // So that whatever is loaded at the first call is.
        yield* begin()
        for (const from of everyRequest) {
          const { flow, upstream } = yield* start()
          const { credential } = yield* flow
          const { asked, fetch } = silent()
          upstream.wrong = wrongFrom(from, well, fetch)
          const fiber = yield* Effect.forkChild(Effect.flip(credential(request)))
          yield* until("it asks", () => asked() > 0)
          yield* TestClock.adjust("1 minute")
          const { reason } = yield* Fiber.join(fiber)
          assert.strictEqual(reason._tag, "Transient", visible(reason))
        }
      })
    },
    {
      name: "aborts its request when its scope is closed",
      holds: Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { first, flow, upstream } = yield* Scope.provide(begin(), scope)
        const { asked, fetch, open } = silent()
        upstream.wrong = fetch
        yield* Effect.forkChild(flow.credential({ ...request, rejected: first }))
        yield* until("it asks", () => asked() > 0)
        yield* Scope.close(scope, Exit.void)
        yield* until("nothing is left open", () => open() === 0)
      })
    },
    {
      name: "shows no secret, in its entries, errors, logs, spans or metrics",
      holds: Effect.gen(function* () {
        const { seen, within } = watch()
        const shown: Array<string> = []
        const tokens: Array<string> = []
        for (const wrong of wrongs) {
          yield* Effect.gen(function* () {
            const { first, flow, points, upstream } = yield* begin()
            yield* TestClock.adjust((points.hard + points.life) / 2)
            upstream.wrong = wrong()
            const exits = [
              yield* Effect.exit(flow.credential(request)),
              yield* Effect.exit(flow.credential({ ...request, rejected: first }))
            ]
            yield* FlowMetrics.observe(flow)
            tokens.push(...upstream.assertions.map(({ token }) => Redacted.value(token)))
            shown.push(visible(first), visible(exits), visible([...flow.entries.values()]))
          }).pipe(within)
        }
        for (const text of [...shown, seen()])
          for (const secret of [...secrets, ...tokens])
            assert.notInclude(text, secret, "a secret shows")
      })
    }
  ]
}
