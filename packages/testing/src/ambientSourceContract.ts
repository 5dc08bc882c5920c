/** What every `AssertionSource` promises, wherever its assertion comes from: a file, a variable, a process, a socket. */
import { Assertion } from "@federate/core"
import type { AssertionSource, FederationError } from "@federate/core"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { register } from "./checks.ts"
import type { Check } from "./checks.ts"
import { assertTold } from "./refusal.ts"
import type { Refusal } from "./refusal.ts"
import { hastened, until } from "./settling.ts"
import { visible, watch } from "./visible.ts"

/** Makes the source in surroundings of its own, which may be laid out in the scope: a file, a server, a variable. */
export type MakeSource = Effect.Effect<
  AssertionSource.AssertionSource,
  FederationError,
  Scope.Scope
>

export interface AmbientSourceContract {
  /** Where all is well. */
  readonly make: MakeSource
  /** The assertion that its platform gives there, issued at the epoch; nothing where each is another. */
  readonly assertion: string | undefined
  /** How long in seconds it lives. */
  readonly life: number
  /** What the source is trusted with. */
  readonly secrets?: ReadonlyArray<string>
  /** Surroundings in which there is no assertion to be had: without the platform, or where something is broken. */
  readonly refused?: ReadonlyArray<RefusedSurroundings>
  /** Surroundings in which nothing ever answers. */
  readonly hanging?: HangingSurroundings
}

/** Surroundings that something is wrong with, and what that must become. */
export interface RefusedSurroundings extends Refusal {
  readonly make: MakeSource
}

export interface HangingSurroundings {
  readonly make: MakeSource
  /** Whether something is held for the one who waits: a process, a connection. */
  readonly held: () => boolean
}

/**
 * Registers, as tests (vitest) under the source's name, the part of the contract that holds for every source. For one
 * that asks over a `fetch` there is `assertionSourceContract`, which includes it.
 */
export const ambientSourceContract = (name: string, contract: AmbientSourceContract): void =>
  register(name, "an assertion source", ambientSourceChecks(contract))

export const ambientSourceChecks = (contract: AmbientSourceContract): ReadonlyArray<Check> => [
  ...sourceChecks(contract),
  ...surroundingChecks(contract)
]

/** What a demanded audience is, in these checks. */
export const demanded = "https://demanded.example"

/** What all sources promise, those over a `fetch` among them. */
export const sourceChecks = ({
  assertion,
  life,
  make
}: Pick<AmbientSourceContract, "make" | "assertion" | "life">): ReadonlyArray<Check> => {
  const ask = (request: AssertionSource.AssertionRequest = {}) =>
    Effect.flatMap(make, (source) => source.assertion(request))

  return [
    {
      name: "hands the assertion out as it was issued, and says when it ends",
      holds: Effect.gen(function* () {
        const given = yield* ask()
        assert.strictEqual(Redacted.value(given.token), assertion ?? Redacted.value(given.token))
        assert.strictEqual(given.obtainedAt, 0)
        assert.strictEqual(given.expiresAt, life * 1000)
      })
    },
    {
      name: "gives the audience that is demanded, or says that it cannot",
      holds: Effect.gen(function* () {
        const result = yield* Effect.result(ask({ audience: demanded }))
        if (Result.isSuccess(result)) {
          const { obtainedAt, token } = result.success
          // What the token itself says, whatever the source does.
          const { audience } = yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt }))
          assert.include(audience, demanded)
        } else {
          assert.strictEqual(result.failure.reason._tag, "Misconfigured", visible(result.failure))
        }
      })
    },
    {
      name: "offers what it gives",
      holds: Effect.gen(function* () {
        const source = yield* make
        const { algorithms, audience, issuer } = source.offers
        const given = yield* source.assertion({})
        if (typeof issuer === "string") assert.strictEqual(given.issuer, issuer)
        if (typeof issuer === "object") assert.include(given.issuer, issuer.within)
        if (typeof audience === "object") assert.deepStrictEqual(given.audience, [audience.only])
        if (algorithms !== undefined) assert.include(algorithms, given.algorithm)
      })
    },
    {
      name: "serves many at once, and one while another gives up",
      holds: Effect.gen(function* () {
        const source = yield* make
        const impatient = yield* Effect.forkChild(source.assertion({}), { startImmediately: true })
        const waiting = yield* Effect.forkChild(
          Effect.all([source.assertion({}), source.assertion({}), source.assertion({})], {
            concurrency: "unbounded"
          }),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(impatient)
        for (const { expiresAt, token } of yield* Fiber.join(waiting)) {
          assert.strictEqual(Redacted.value(token), assertion ?? Redacted.value(token))
          assert.strictEqual(expiresAt, life * 1000)
        }
      })
    }
  ]
}

/** What a source promises of surroundings that are all its own. */
const surroundingChecks = ({
  hanging,
  make,
  refused = [],
  secrets = []
}: AmbientSourceContract): ReadonlyArray<Check> => [
  ...refused.map((refusal): Check => ({
    name: `${refusal.name} is ${refusal.becomes}`,
    holds: Effect.gen(function* () {
      const source = yield* refusal.make
      assertTold(yield* Effect.flip(hastened(source.assertion({}))), "assertion", refusal)
    })
  })),
  ...(hanging === undefined
    ? []
    : [
        {
          name: "lets go of what it holds when it is interrupted",
          holds: Effect.gen(function* () {
            const source = yield* hanging.make
            const fiber = yield* Effect.forkChild(source.assertion({}))
            yield* until("something is held", hanging.held)
            yield* Fiber.interrupt(fiber)
            yield* until("nothing is held any more", () => !hanging.held())
          })
        }
      ]),
  {
    name: "shows no secret, in what it gives, what it fails with, its logs, spans or metrics",
    holds: Effect.gen(function* () {
      const { seen, within } = watch()
      const shown: Array<string> = []
      const given: Array<string> = []
      for (const surroundings of [make, ...refused.map((refusal) => refusal.make)]) {
        const asking = Effect.flatMap(surroundings, (source) => {
          shown.push(visible(source))
          return source.assertion({})
        })
        const result = yield* Effect.result(hastened(within(asking)))
        if (Result.isSuccess(result)) given.push(Redacted.value(result.success.token))
        shown.push(visible(Result.merge(result)))
      }
      for (const text of [...shown, seen()])
        for (const secret of [...secrets, ...given])
          assert.notInclude(text, secret, "a secret shows")
    })
  }
]
