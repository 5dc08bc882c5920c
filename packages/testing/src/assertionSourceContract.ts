/** What every `AssertionSource` promises that asks its platform over a `fetch`. */
import type { AssertionSource, FederationError } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { demanded, sourceChecks } from "./ambientSourceContract.ts"
import { callChecks, counting } from "./calls.ts"
import type { RefusedAnswer } from "./calls.ts"
import { register } from "./checks.ts"
import type { Check } from "./checks.ts"
import type { FaultName } from "./faults.ts"

export interface AssertionSourceContract {
  /** The source over a `fetch`. */
  readonly make: (
    fetch: Fetch
  ) => Effect.Effect<AssertionSource.AssertionSource, FederationError, Scope.Scope>
  /** The issuer's good answer with this assertion in it. A source that asks several things tells them by the request. */
  readonly well: (assertion: string, url: string, init: RequestInit) => Response
  /** An assertion as the issuer makes it, issued at the epoch, and how long in seconds it lives. */
  readonly assertion: string
  readonly life: number
  /** Its answers that say no. */
  readonly refused: ReadonlyArray<RefusedAnswer>
  /**
   * Faults that mean that the platform is not here, such as `"a refused connection"` to a metadata server, or that it
   * never answers: `"silence"`. Once it has answered, each is what it is.
   */
  readonly absent?: ReadonlyArray<FaultName | "silence">
  /** Faults that pass by themselves on this platform, and are refusals elsewhere: a 404 while it is being updated. */
  readonly passing?: ReadonlyArray<FaultName>
  /** What the source is trusted with: access keys, tokens of the platform. */
  readonly secrets: ReadonlyArray<string>
}

/** Registers the contract as tests (vitest), under the source's name. */
export const assertionSourceContract = (name: string, contract: AssertionSourceContract): void =>
  register(name, "an assertion source", assertionSourceChecks(contract))

export const assertionSourceChecks = ({
  absent = [],
  assertion,
  life,
  make,
  passing = [],
  refused,
  secrets,
  well
}: AssertionSourceContract): ReadonlyArray<Check> => {
  const giving =
    (token: string): Fetch =>
    async (url, init) =>
      well(token, url, init)
  const ask = (fetch: Fetch, request: AssertionSource.AssertionRequest = {}) =>
    Effect.flatMap(make(fetch), (source) => source.assertion(request))

  return [
    ...sourceChecks({
      make: Effect.suspend(() => make(giving(assertion))),
      assertion,
      life
    }),
    {
      name: "counts its life by the issuer's own clock",
      holds: Effect.gen(function* () {
        // An hour off: only how long it lives may count.
        yield* TestClock.setTime(3_600_000)
        const { expiresAt } = yield* ask(giving(assertion))
        assert.strictEqual(expiresAt, 3_600_000 + life * 1000)
      })
    },
    {
      name: "asks the issuer for a demanded audience, where it offers any",
      holds: Effect.gen(function* () {
        const sent: Array<string> = []
        const source = yield* make(async (url, init) => {
          sent.push(`${url} ${String(init.body)}`)
          return well(assertion, url, init)
        })
        if (source.offers.audience !== "any") return
        yield* Effect.exit(source.assertion({ audience: demanded }))
        assert.include(sent.join("\n"), new URL(demanded).host)
      })
    },
    {
      name: "says so when what it is given is no JWT",
      holds: Effect.gen(function* () {
        for (const wrong of ["opaque", "a.b", "a.b.c", "x".repeat(1_000_000)]) {
          const { reason } = yield* Effect.flip(ask(giving(wrong)))
          assert.strictEqual(reason._tag, "Malformed", wrong.slice(0, 10))
        }
      })
    },
    {
      name: "asks the issuer each time: what remembers is put around it",
      holds: Effect.gen(function* () {
        const { asked, fetch } = counting(giving(assertion))
        const source = yield* make(fetch)
        yield* source.assertion({})
        const once = asked()
        assert.isAbove(once, 0)
        yield* source.assertion({})
        // Not twice as often: whether the platform is here need be asked once.
        assert.isAbove(asked(), once)
      })
    },
    {
      name: "shares nothing with another of its kind",
      holds: Effect.gen(function* () {
        const other = assertion.replace(/[^.]*$/, Base64Url.encode("another signature"))
        const one = yield* make(giving(assertion))
        const two = yield* make(giving(other))
        const broken = yield* make(async () => new Response("", { status: 503 }))
        const results = yield* Effect.all(
          [one, broken, two].map((source) => Effect.result(source.assertion({}))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          results.map((result) =>
            Result.match(result, {
              onSuccess: ({ token }) => Redacted.value(token),
              onFailure: () => "an error"
            })
          ),
          [assertion, "an error", other]
        )
      })
    },
    ...callChecks({
      stage: "assertion",
      make,
      call: (source) => source.assertion({}),
      well: (url, init) => well(assertion, url, init),
      refused,
      absent,
      passing,
      secrets: [...secrets, assertion]
    })
  ]
}
