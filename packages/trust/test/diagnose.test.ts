import {
  AssertionSource,
  FederationError,
  Misconfigured,
  Rejected,
  TokenExchanger,
  Transient,
  Unavailable
} from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { diagnose } from "@federate/trust"
import type { Finding, Patient, RelyingParty, TrustRecord } from "@federate/trust"
import { Effect, Redacted } from "effect"
import { assertionOf, jwt } from "./tokens.ts"

const claims = { iss: "https://issuer.example", sub: "workload", aud: "them", iat: 0, exp: 600 }

const record: TrustRecord = {
  kind: "record",
  demands: [{ claim: "sub", setting: "subject", expected: ["workload"], by: "equals" }]
}

const party: RelyingParty = {
  name: "They",
  records: (document) => [document as TrustRecord],
  errors: () => []
}

const exchanger = (
  token = "opaque",
  asks: AssertionSource.AssertionRequest = {}
): Patient["exchanger"] =>
  TokenExchanger.make({
    name: "them",
    asks,
    exchange: ({ obtainedAt }) =>
      Effect.succeed({
        _tag: "AccessToken" as const,
        token: Redacted.make(token),
        tokenType: "Bearer",
        obtainedAt,
        expiresAt: obtainedAt + 3_600_000
      })
  })

const refusing: Patient["exchanger"] = TokenExchanger.make({
  name: "them",
  exchange: () =>
    Effect.fail(
      new Rejected({ code: "E7", description: "No.", hint: "Ask nicely.", remedy: "none" })
    )
})

const examine = Effect.fnUntraced(function* (changed: Partial<Patient>) {
  const findings: Array<Finding> = []
  const isHealthy = yield* diagnose(
    {
      source: AssertionSource.fixed(assertionOf(claims)),
      exchanger: exchanger(),
      verify: () => Effect.void,
      ...changed
    },
    [party],
    (finding) => Effect.sync(() => findings.push(finding))
  )
  return {
    isHealthy,
    findings,
    told: findings.map(({ subject, verdict }) => `${verdict} ${subject}`)
  }
})

describe("a flow", () => {
  it.effect("that is well is told to be, step by step", () =>
    Effect.gen(function* () {
      const { isHealthy, told } = yield* examine({ trust: Effect.succeed([record]) })
      assert.isTrue(isHealthy)
      assert.deepEqual(told, ["right source", "right issuer", "right sub", "right exchange"])
    })
  )

  it.effect("whose trust cannot be read is told what it must say", () =>
    Effect.gen(function* () {
      const { isHealthy, told } = yield* examine({})
      assert.isTrue(isHealthy)
      assert.deepEqual(told.slice(2, 5), ["note iss", "note aud", "note sub"])
    })
  )

  it.effect("that can never work is not tried", () =>
    Effect.gen(function* () {
      const { findings, isHealthy, told } = yield* examine({
        exchanger: exchanger("x", { algorithms: ["ES256"] })
      })
      assert.isFalse(isHealthy)
      assert.deepEqual(told, ["wrong flow"])
      assert.isDefined(findings[0]?.fix)
    })
  )

  it.effect.each([
    ["absent", new Unavailable({ detail: "Nobody is here.", hint: "Go there." }), /Nobody/],
    ["slow", new Transient({ detail: "No answer." }), /No answer/],
    [
      "set up wrong",
      new Misconfigured({ setting: "region", problem: "is missing", hint: "Set it." }),
      /`region` is missing/
    ]
  ] as const)("whose source is %s ends there", ([, reason, what]) =>
    Effect.gen(function* () {
      const { findings, isHealthy } = yield* examine({
        source: AssertionSource.make({ name: "here", assertion: () => Effect.fail(reason) })
      })
      assert.isFalse(isHealthy)
      assert.strictEqual(findings.length, 1)
      assert.match(findings[0]?.what ?? "", what)
      assert.strictEqual(findings[0]?.fix, "hint" in reason ? reason.hint : undefined)
    })
  )

  it.effect("whose issuer's keys cannot be had goes on to the end", () =>
    Effect.gen(function* () {
      const { findings, isHealthy, told } = yield* examine({
        verify: () => Effect.fail({ message: "key: none" })
      })
      assert.isFalse(isHealthy)
      assert.match(findings[1]?.what ?? "", /cannot be verified: key: none/)
      assert.strictEqual(told.at(-1), "right exchange")
    })
  )

  it.effect("that is refused is told why, and what differs", () =>
    Effect.gen(function* () {
      const { findings, isHealthy, told } = yield* examine({
        exchanger: refusing,
        trust: Effect.succeed([
          { ...record, demands: [{ ...record.demands[0], expected: ["Workload"] }] }
        ])
      })
      assert.isFalse(isHealthy)
      assert.deepEqual(told, ["right source", "right issuer", "wrong sub", "wrong exchange"])
      assert.strictEqual(findings.at(-1)?.what, "E7: No.")
      assert.strictEqual(findings.at(-1)?.fix, "Ask nicely.")
    })
  )

  it.effect("without any trust on the other side is told which to make", () =>
    Effect.gen(function* () {
      const { findings, isHealthy } = yield* examine({ trust: Effect.succeed([]) })
      assert.isFalse(isHealthy)
      assert.match(
        findings[2]?.fix ?? "",
        /iss "https:\/\/issuer.example", aud "them", sub "workload"/
      )
    })
  )

  it.effect("whose trust may not be read is not ill for that", () =>
    Effect.gen(function* () {
      const { isHealthy, told } = yield* examine({
        trust: Effect.fail(
          new FederationError({
            adapter: "them",
            stage: "configuration",
            reason: new Unavailable({ detail: "No token." })
          })
        )
      })
      assert.isTrue(isHealthy)
      assert.include(told, "unknown trust")
    })
  )

  it.effect("whose assertion is at its end is ill", () =>
    Effect.gen(function* () {
      const { isHealthy, told } = yield* examine({
        source: AssertionSource.fixed(assertionOf({ ...claims, exp: 10 }))
      })
      assert.isFalse(isHealthy)
      assert.include(told, "wrong exp")
    })
  )
})

describe("what a token is good for", () => {
  it.effect("is told, and held against what it is wanted for", () =>
    Effect.gen(function* () {
      const token = jwt({ roles: ["Reader", 7], scp: "a b" })
      const held = yield* examine({ exchanger: exchanger(token), permissions: ["Reader", "b"] })
      assert.isTrue(held.isHealthy)
      assert.strictEqual(held.findings.at(-1)?.what, "The token has Reader, a, b.")
      const missing = yield* examine({ exchanger: exchanger(token), permissions: ["Writer"] })
      assert.isFalse(missing.isHealthy)
      assert.match(missing.findings.at(-1)?.what ?? "", /and not Writer/)
      const none = yield* examine({ exchanger: exchanger(jwt({})), permissions: ["Writer"] })
      assert.match(none.findings.at(-1)?.what ?? "", /no role at all/)
    })
  )

  it.effect("is not guessed of what is no JWT, or no token", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* examine({ permissions: ["x"] })).told.at(-1), "right exchange")
      const aws: Patient["exchanger"] = TokenExchanger.make({
        name: "aws",
        exchange: ({ obtainedAt }) => Effect.succeed({ obtainedAt, expiresAt: obtainedAt + 1 })
      })
      assert.strictEqual((yield* examine({ exchanger: aws })).told.at(-1), "right exchange")
    })
  )

  it.effect("never brings the token, or the assertion, into a finding", () =>
    Effect.gen(function* () {
      const token = jwt({ roles: ["Reader"] })
      const { findings } = yield* examine({ exchanger: exchanger(token) })
      const said = JSON.stringify(findings)
      assert.notInclude(said, token)
      assert.notInclude(said, Redacted.value(assertionOf(claims).token))
    })
  )
})
