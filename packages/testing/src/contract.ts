/** What sources and exchangers promise alike. */
import { FederationError } from "@federate/core"
import type { Reason, Remedy } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { faults, hanging } from "./faults.ts"
import { visible, watch } from "./visible.ts"

/** An answer of the other side that says no, or that only its protocol knows, and what it must become. */
export interface RefusedAnswer {
  readonly name: string
  readonly answer: () => Response
  readonly becomes: Reason["_tag"]
  /** Of a `Rejected`. */
  readonly code?: string
  readonly remedy?: Remedy
  /** What its hint, or an `Unavailable`'s, must say. */
  readonly hint?: RegExp
}

export interface CallContract {
  readonly stage: FederationError["stage"]
  /** The adapter over a `fetch`, called once. */
  readonly call: (fetch: Fetch) => Effect.Effect<unknown, FederationError>
  /** A good answer, in which every secret is one of `secrets`. */
  readonly well: () => Response
  readonly refused: ReadonlyArray<RefusedAnswer>
  /** Texts that nothing may show: the tokens in the answer, and whatever the adapter was trusted with. */
  readonly secrets: ReadonlyArray<string>
}

const hintOf = (reason: Reason): string | undefined => ("hint" in reason ? reason.hint : undefined)

/** Registers the tests of everything that calls another system. */
export const callContract = ({ call, refused, secrets, stage, well }: CallContract): void => {
  const failing = Effect.fnUntraced(function* (fetch: Fetch) {
    const error = yield* Effect.flip(call(fetch))
    assert.instanceOf(error, FederationError)
    assert.strictEqual(error.stage, stage)
    for (const secret of secrets) assert.notInclude(visible(error), secret, "a secret shows")
    return error
  })

  describe("tells faults apart", () => {
    for (const fault of faults) {
      it.effect(`${fault.name} is ${fault.becomes}`, () =>
        Effect.gen(function* () {
          const { reason } = yield* failing(fault.fetch(well))
          assert.strictEqual(reason._tag, fault.becomes, visible(reason))
          if (fault.retryAfter !== undefined && reason._tag === "Transient") {
            assert.strictEqual(reason.retryAt, fault.retryAfter * 1000)
          }
        })
      )
    }

    for (const { answer, becomes, code, hint, name, remedy } of refused) {
      it.effect(`${name} is ${becomes}`, () =>
        Effect.gen(function* () {
          const { reason } = yield* failing(async () => answer())
          assert.strictEqual(reason._tag, becomes, visible(reason))
          if (reason._tag === "Rejected") {
            assert.isNotEmpty(reason.hint)
            assert.isNotEmpty(reason.description)
            if (code !== undefined) assert.strictEqual(reason.code, code)
            if (remedy !== undefined) assert.strictEqual(reason.remedy, remedy)
          }
          if (hint !== undefined) assert.match(hintOf(reason) ?? "", hint)
        })
      )
    }
  })

  it.effect("aborts its request when it is interrupted", () =>
    Effect.gen(function* () {
      const { fetch, state } = hanging()
      const fiber = yield* Effect.forkChild(call(fetch))
      yield* until(() => state.asked > 0)
      yield* Fiber.interrupt(fiber)
      yield* until(() => state.aborted === state.asked)
      assert.strictEqual(state.asked, 1, "it asked once")
    })
  )

  it.effect("logs and traces no secret", () =>
    Effect.gen(function* () {
      const { seen, within } = watch()
      for (const fetch of [async () => well(), ...faults.map((fault) => fault.fetch(well))]) {
        yield* Effect.exit(within(call(fetch)))
      }
      assert.isNotEmpty(seen())
      for (const secret of secrets) assert.notInclude(seen(), secret, "a secret shows")
    })
  )
}

/** Lets real promises come as far as they can, until something holds: a few rounds of the event loop, no time. */
const until = Effect.fnUntraced(function* (holds: () => boolean) {
  for (let round = 0; round < 1000 && !holds(); round++) {
    yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
  }
  assert.isTrue(holds())
})
