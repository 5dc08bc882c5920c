import { Assertion, AssertionSource, Misconfigured, Unavailable } from "@federate/core"
import type { Reason } from "@federate/core"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import type { AmbientSourceContract, RefusedSurroundings } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { ambientSourceChecks } from "../src/ambientSourceContract.ts"
import { failing } from "./failing.ts"

const jwt = Redacted.value(assertionFor("workload").token)

/** A source that takes what its platform left in a place. */
const place = (
  look: Effect.Effect<string | undefined>,
  told: () => Reason = () => new Unavailable({ detail: "There is nothing" })
): AssertionSource.AssertionSource =>
  AssertionSource.make({
    name: "place",
    assertion: Effect.fnUntraced(function* () {
      const obtainedAt = yield* Clock.currentTimeMillis
      const text = yield* look
      if (text === undefined || text === "") return yield* Effect.fail(told())
      return yield* Effect.fromResult(Assertion.fromJwt(Redacted.make(text), { obtainedAt }))
    })
  })

/** A place that nobody ever comes back from. */
const nowhere = (letsGo: boolean) => {
  let held = 0
  return {
    make: Effect.sync(() => {
      held = 0
      return place(
        Effect.callback(() => {
          held++
          return Effect.sync(() => {
            if (letsGo) held--
          })
        })
      )
    }),
    held: () => held > 0
  }
}

const refused: ReadonlyArray<RefusedSurroundings> = [
  {
    name: "an empty place",
    make: Effect.succeed(place(Effect.succeed(""))),
    becomes: "Unavailable"
  },
  {
    name: "another thing in the place",
    make: Effect.succeed(place(Effect.succeed("THE-KEY"))),
    becomes: "Malformed"
  }
]

const contract: AmbientSourceContract = {
  make: Effect.succeed(place(Effect.succeed(jwt))),
  assertion: jwt,
  life: 900,
  secrets: ["THE-KEY"],
  refused,
  hanging: nowhere(true)
}

ambientSourceContract("A place", contract)

type Around = (source: AssertionSource.AssertionSource) => AssertionSource.AssertionSource

const around = (change: Around): AmbientSourceContract => ({
  ...contract,
  make: Effect.map(contract.make, change)
})

/** A place where somebody says no. */
const denying = Effect.succeed(
  place(
    Effect.succeed(undefined),
    () => new Misconfigured({ setting: "place", problem: "is locked", hint: "Unlock it." })
  )
)

const wrong: ReadonlyArray<readonly [string, AmbientSourceContract]> = [
  [
    "hands the assertion out as it was issued, and says when it ends",
    around((source) => ({
      ...source,
      assertion: (request) =>
        Effect.map(source.assertion(request), (given) => ({ ...given, obtainedAt: 1 }))
    }))
  ],
  [
    "gives the audience that is demanded, or says that it cannot",
    around((source) => ({ ...source, assertion: () => source.assertion({}) }))
  ],
  ["offers what it gives", around((source) => ({ ...source, offers: { issuer: "another" } }))],
  [
    "serves many at once, and one while another gives up",
    around((source) => {
      let asked = 0
      return {
        ...source,
        assertion: (request) =>
          Effect.suspend(() =>
            ++asked > 2 ? Effect.die("too many") : Effect.delay(source.assertion(request), 0)
          )
      }
    })
  ],
  ...refused.map(
    (wronged) =>
      [
        `${wronged.name} is ${wronged.becomes}`,
        {
          ...contract,
          refused: refused.map((each) => (each === wronged ? { ...each, make: denying } : each))
        }
      ] as const
  ),
  ["lets go of what it holds when it is interrupted", { ...contract, hanging: nowhere(false) }],
  [
    "shows no secret, in what it gives, what it fails with, its logs, spans or metrics",
    around((source) => ({
      ...source,
      assertion: (request) =>
        Effect.tap(source.assertion(request), ({ token }) => Effect.logDebug(Redacted.value(token)))
    }))
  ]
]

describe("a source that is wrong", () => {
  for (const [check, how] of wrong) {
    it.effect(`fails “${check}”`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* failing(ambientSourceChecks(how)), [check])
      })
    )
  }

  it("is thought of for each check", () => {
    assert.sameMembers(
      ambientSourceChecks(contract).map(({ name }) => name),
      wrong.map(([check]) => check)
    )
  })
})
