/** What sources and exchangers promise alike, as far as they ask another system over a `fetch`. */
import type { FederationError, Stage } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { Check } from "./checks.ts"
import { faults, silent, stalled, transient } from "./faults.ts"
import type { Answer, Fault, FaultName } from "./faults.ts"
import { assertTold } from "./refusal.ts"
import type { Refusal } from "./refusal.ts"
import { settle, until } from "./settling.ts"
import { visible, watch } from "./visible.ts"

/** An answer of the other side that says no, or that only its protocol knows, and what it must become. */
export interface RefusedAnswer extends Refusal {
  readonly answer: () => Response
}

export interface Calls<Made> {
  readonly stage: Stage
  readonly make: (fetch: Fetch) => Effect.Effect<Made, FederationError, Scope.Scope>
  /** Asks it once. */
  readonly call: (made: Made) => Effect.Effect<unknown, FederationError>
  readonly well: Answer
  readonly refused: ReadonlyArray<RefusedAnswer>
  /** Faults that mean that the other side is not here, as long as it has not answered. */
  readonly absent: ReadonlyArray<FaultName | "silence">
  /** Faults that pass by themselves there, and are refusals elsewhere. */
  readonly passing: ReadonlyArray<FaultName>
  /** Texts that nothing may show: the tokens in the answer, and whatever the adapter was trusted with. */
  readonly secrets: ReadonlyArray<string>
}

/** A fetch that answers well. */
export const answering =
  (well: Answer): Fetch =>
  async (url, init) =>
    well(url, init)

/** A fetch that counts what it is asked. */
export const counting = (fetch: Fetch) => {
  let asked = 0
  return {
    asked: () => asked,
    fetch: ((url, init) => {
      asked++
      return fetch(url, init)
    }) satisfies Fetch
  }
}

/** A fetch that answers well up to one request, and does something else from there on. */
export const wrongFrom = (request: number, well: Answer, wrong: Fetch): Fetch => {
  let asked = 0
  return (url, init) => (++asked < request ? answering(well) : wrong)(url, init)
}

export const callChecks = <Made>(options: Calls<Made>): ReadonlyArray<Check> => {
  const { absent, passing, refused, secrets, stage, well } = options
  const call = (fetch: Fetch) => Effect.flatMap(options.make(fetch), options.call)

  const failing = Effect.fnUntraced(function* (fetch: Fetch) {
    const error = yield* Effect.flip(call(fetch))
    assert.strictEqual(error._tag, "FederationError")
    return error
  })

  /** One call goes well, so that whatever is loaded at the first call is; then each of its requests goes wrong. */
  const atEachRequest = (goWrong: (request: number) => Effect.Effect<void, unknown, Scope.Scope>) =>
    Effect.gen(function* () {
      const { asked, fetch } = counting(answering(well))
      yield* call(fetch)
      for (let request = 1; request <= asked(); request++) yield* goWrong(request)
    })

  const faulty = Object.entries<Fault>(faults).map(
    ([name, { becomes: usually, fetch, retryAfter }]): Check => {
      const means = absent.some((each) => each === name)
      const becomes = passing.some((each) => each === name) ? transient : usually
      return {
        name: `${name} is ${means ? "Unavailable" : becomes.join(" or ")}`,
        holds: atEachRequest((request) =>
          Effect.gen(function* () {
            const { reason, stage: at } = yield* failing(wrongFrom(request, well, fetch(well)))
            // Who has answered once is here.
            const usual = means && request === 1 ? [] : becomes
            assert.include(means ? ["Unavailable", ...usual] : usual, reason._tag, visible(reason))
            assert.strictEqual(at, stage)
            if (retryAfter !== undefined && reason._tag === "Transient")
              assert.strictEqual(reason.retryAt, retryAfter * 1000)
          })
        )
      }
    }
  )

  const refusals = refused.map((refusal): Check => ({
    name: `${refusal.name} is ${refusal.becomes}`,
    holds: Effect.map(
      failing(async () => refusal.answer()),
      (error) => assertTold(error, stage, refusal)
    )
  }))

  const aborts = [
    { name: "aborts its request when it is interrupted", silence: silent },
    { name: "aborts its request when it is interrupted while it reads", silence: stalled }
  ].map(({ name, silence }): Check => ({
    name,
    holds: atEachRequest((request) =>
      Effect.gen(function* () {
        const { asked, fetch, open } = silence()
        const fiber = yield* Effect.forkChild(call(wrongFrom(request, well, fetch)))
        yield* until("it asks", () => asked() > 0)
        yield* Fiber.interrupt(fiber)
        yield* until("nothing is left open", () => open() === 0)
      })
    )
  }))

  return [
    ...faulty,
    ...refusals,
    ...aborts,
    {
      name: "waits for a server that never answers, or calls it Transient",
      holds: atEachRequest((request) =>
        Effect.gen(function* () {
          const { asked, fetch } = silent()
          const fiber = yield* Effect.forkChild(failing(wrongFrom(request, well, fetch)))
          yield* until("it asks", () => asked() > 0)
          yield* TestClock.adjust("1 minute")
          yield* settle
          const exit = fiber.pollUnsafe()
          if (exit === undefined) return yield* Fiber.interrupt(fiber)
          const { reason } = yield* exit
          const means = absent.includes("silence") && request === 1
          assert.strictEqual(reason._tag, means ? "Unavailable" : "Transient", visible(reason))
        })
      )
    },
    {
      name: "makes one attempt: trying again is the flow's",
      holds: Effect.gen(function* () {
        const usual = counting(answering(well))
        yield* call(usual.fetch)
        const answers = refused.map(
          ({ answer }): Fetch =>
            async () =>
              answer()
        )
        for (const wrong of [
          ...Object.values<Fault>(faults).map(({ fetch }) => fetch(well)),
          ...answers
        ]) {
          const requests: Array<string> = []
          yield* failing((url, init) => {
            requests.push(`${init.method} ${url}`)
            return wrong(url, init)
          })
          assert.isAtMost(requests.length, usual.asked())
          assert.strictEqual(new Set(requests).size, requests.length, "a request is made again")
        }
      })
    },
    {
      name: "shows no secret, in what it gives, what it fails with, its logs, spans or metrics",
      holds: Effect.gen(function* () {
        const { seen, within } = watch()
        const shown: Array<string> = []
        const fetches = [
          answering(well),
          ...Object.values<Fault>(faults).map(({ fetch }) => fetch(well)),
          ...[200, 400, 500].map(echo),
          ...refused.map(({ answer }) => quoting(answer, secrets))
        ]
        for (const fetch of fetches) {
          const made = yield* options.make(fetch)
          shown.push(visible(made))
          const exit = yield* Effect.exit(within(options.call(made)))
          shown.push(visible(Exit.isSuccess(exit) ? exit.value : exit.cause))
        }
        assert.isNotEmpty(seen())
        for (const text of [...shown, seen()])
          for (const secret of secrets) assert.notInclude(text, secret, "a secret shows")
      })
    }
  ]
}

/** Whatever was sent comes back. */
const echo =
  (status: number): Fetch =>
  async (url, { body, headers }) =>
    new Response(`${url} ${String(body)} ${JSON.stringify(headers)}`, { status })

/** A refusal that quotes, in each of its texts of several words, every JWT that is a secret. */
const quoting =
  (answer: () => Response, secrets: ReadonlyArray<string>): Fetch =>
  async () => {
    const refusal = answer()
    const tokens = secrets.filter((secret) => secret.startsWith("eyJ")).join(" ")
    const text = await refusal.text()
    return new Response(
      text.replace(/[A-Za-z]+(?: [A-Za-z]+)+/g, (words) => `${words} ${tokens}`),
      refusal
    )
  }
