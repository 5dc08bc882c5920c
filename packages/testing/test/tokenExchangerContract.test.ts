import type { Assertion } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { tokenExchangerChecks } from "../src/tokenExchangerContract.ts"
import { denied, exchangerWith, expired, granted, token, tokenLife } from "./adapters.ts"
import type { Wrong } from "./adapters.ts"
import { failing } from "./failing.ts"
import { wrongCalls } from "./wrongCalls.ts"

const contract = {
  well: granted,
  life: tokenLife,
  secrets: [token],
  refused: [
    { name: "a denial", answer: denied, becomes: "Rejected", code: "denied", hint: /who may/ },
    {
      name: "an assertion that is too old",
      answer: expired,
      becomes: "Rejected",
      remedy: "freshAssertion"
    }
  ]
} as const

tokenExchangerContract("A small exchanger", { make: exchangerWith(), ...contract })

type Around = NonNullable<Wrong["exchanger"]>

/** It trades the first assertion again and again. */
const stubborn: Around = (exchanger) => {
  let first: Assertion.Assertion | undefined
  return {
    ...exchanger,
    exchange: (assertion, request) => exchanger.exchange((first ??= assertion), request)
  }
}

/** It asks through whatever was given to the last of its kind. */
const client: { fetch?: Fetch } = {}
const sharing = (fetch: Fetch): Fetch => {
  client.fetch = fetch
  return (url, init) => (client.fetch ?? fetch)(url, init)
}

const wrong: ReadonlyArray<readonly [check: string, wrong: Wrong]> = [
  [
    "counts the credential's life from when a request left",
    {
      exchanger: (exchanger) => ({
        ...exchanger,
        exchange: (assertion, request) =>
          Effect.map(exchanger.exchange(assertion, request), (credential) => ({
            ...credential,
            expiresAt: credential.expiresAt + 1
          }))
      })
    }
  ],
  ["sends the assertion as it was issued, with each exchange its own", { exchanger: stubborn }],
  ["shares nothing with another of its kind", { fetch: sharing }],
  [
    "an assertion that is too old is Rejected",
    {
      reason: (reason) =>
        reason._tag === "Rejected" && reason.remedy === "freshAssertion"
          ? Object.assign(reason, { remedy: "none" })
          : reason
    }
  ],
  ...wrongCalls
]

describe("a token exchanger that is wrong", () => {
  for (const [check, how] of wrong) {
    it.effect(`fails “${check}”`, () =>
      Effect.gen(function* () {
        const checks = tokenExchangerChecks({ make: exchangerWith(how), ...contract })
        assert.deepStrictEqual(yield* failing(checks), [check])
      })
    )
  }

  it("is thought of for each check", () => {
    const checks = tokenExchangerChecks({ make: exchangerWith(), ...contract })
    assert.sameMembers(
      checks.map(({ name }) => name),
      [...new Set(wrong.map(([check]) => check))]
    )
  })
})

describe("assertionFor", () => {
  it("says what it is told to", () => {
    const assertion = assertionFor("workload", 5000, { aud: "https://sts.example", jti: "1" })
    assert.deepInclude(assertion, {
      subject: "workload",
      audience: ["https://sts.example"],
      obtainedAt: 5000,
      expiresAt: 900_000
    })
    assert.strictEqual(assertion.claims["jti"], "1")
  })
})
