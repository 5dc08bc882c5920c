import {
  AssertionSource,
  FederationError,
  Malformed,
  Misconfigured,
  Rejected,
  TokenExchanger,
  Transient,
  Unavailable
} from "@federate/core"
import type { Credential } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { diagnose, watchClocks } from "@federate/trust"
import type { Finding, Patient, RelyingParty, TrustRecord } from "@federate/trust"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { publishing, signed } from "./issuer.ts"
import { jwt } from "./tokens.ts"

const claims = { sub: "workload", aud: "them", iat: 0, exp: 600 }

const record: TrustRecord = {
  kind: "record",
  demands: [{ claim: "sub", setting: "subject", expected: ["workload"], by: "equals" }]
}

const party: RelyingParty = {
  name: "They",
  records: (document) => [document as TrustRecord],
  errors: () => []
}

type Exchanger = TokenExchanger.TokenExchanger<Credential.Credential>

const exchanger = (token = "opaque", asks: AssertionSource.AssertionRequest = {}): Exchanger =>
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

const refusing: Exchanger = TokenExchanger.make({
  name: "them",
  exchange: () =>
    Effect.fail(
      new Rejected({ code: "E7", description: "No.", hint: "Ask nicely.", remedy: "none" })
    )
})

interface Changed extends Partial<Patient> {
  readonly source?: AssertionSource.AssertionSource
  readonly exchanger?: Exchanger
}

const examine = Effect.fnUntraced(function* ({ exchanger: other, source, ...changed }: Changed) {
  const findings: Array<Finding> = []
  const isHealthy = yield* diagnose(
    {
      parts: Effect.succeed({
        source: source ?? AssertionSource.fixed(signed(claims)),
        exchanger: other ?? exchanger()
      }),
      fetch: publishing(),
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
      assert.deepEqual(told, [
        "right source",
        "note assertion",
        "right issuer",
        "right sub",
        "right exchange"
      ])
    })
  )

  it.effect("whose trust cannot be read is told what it must say", () =>
    Effect.gen(function* () {
      const { isHealthy, told } = yield* examine({})
      assert.isTrue(isHealthy)
      assert.deepEqual(told.slice(3, 6), ["note iss", "note aud", "note sub"])
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
    [
      "absent",
      new Unavailable({ detail: "Nobody is here.", hint: "Go there." }),
      /Nobody/,
      /Go there/
    ],
    ["slow", new Transient({ detail: "No answer." }), /No answer/, /Run it again/],
    ["no such thing", new Malformed({ detail: "It is HTML." }), /HTML/, /proxy/],
    [
      "set up wrong",
      new Misconfigured({ setting: "region", problem: "is missing", hint: "Set it." }),
      /`region` is missing/,
      /Set it/
    ]
  ] as const)("whose source is %s ends there", ([, reason, what, fix]) =>
    Effect.gen(function* () {
      const { findings, isHealthy } = yield* examine({
        source: AssertionSource.make({ name: "here", assertion: () => Effect.fail(reason) })
      })
      assert.isFalse(isHealthy)
      assert.strictEqual(findings.length, 1)
      assert.match(findings[0]?.what ?? "", what)
      assert.match(findings[0]?.fix ?? "", fix)
    })
  )

  it.effect("whose issuer's keys cannot be had goes on to the end", () =>
    Effect.gen(function* () {
      const { findings, isHealthy, told } = yield* examine({
        fetch: publishing({ "/keys": undefined })
      })
      assert.isFalse(isHealthy)
      assert.match(findings[2]?.what ?? "", /keys cannot be had: issuer.example answered 404/)
      assert.match(findings[2]?.fix ?? "", /curl -i https:\/\/issuer.example\/.well-known/)
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
      assert.deepEqual(told, [
        "right source",
        "note assertion",
        "right issuer",
        "wrong sub",
        "wrong exchange"
      ])
      assert.strictEqual(findings.at(-1)?.what, "E7: No.")
      assert.strictEqual(findings.at(-1)?.fix, "Ask nicely.")
    })
  )

  it.effect("without any trust on the other side is told which to make", () =>
    Effect.gen(function* () {
      const { findings, isHealthy } = yield* examine({ trust: Effect.succeed([]) })
      assert.isFalse(isHealthy)
      assert.match(
        findings[3]?.fix ?? "",
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
        source: AssertionSource.fixed(signed({ ...claims, exp: 10 }))
      })
      assert.isFalse(isHealthy)
      assert.include(told, "wrong exp")
    })
  )

  it.effect.each([
    ["ended", { exp: 600 }, 3_600_000, "exp", /ended 50 min ago/],
    ["is too new", { nbf: 300 }, 0, "nbf", /not valid before 1970-01-01T00:05:00Z/],
    ["is for ever", { exp: undefined }, 0, "exp", /does not say when it ends/]
  ] as const)("whose assertion %s is told so, once", ([, changed, now, subject, what]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { findings } = yield* examine({
        source: AssertionSource.fixed(signed({ ...claims, ...changed }))
      })
      const [finding, ...more] = findings.filter(({ verdict }) => verdict === "wrong")
      assert.strictEqual(finding?.subject, subject)
      assert.match(finding?.what ?? "", what)
      assert.isDefined(finding?.fix)
      assert.deepEqual(more, [])
    })
  )

  it.effect.each([
    [
      "names another issuer",
      { "/.well-known/openid-configuration": { issuer: "https://issuer.example/", jwks_uri: "x" } },
      {},
      /another issuer, "https:\/\/issuer.example\/"/,
      /to the letter/
    ],
    ["has not the key", {}, { kid: "k2" }, /publishes no key "k2"/, /Publish the key/],
    ["did not sign it", {}, { alg: "RS512" }, /not by the issuer's key/, /as the platform gave it/],
    ["could never publish the key", {}, { alg: "HS256" }, /signed by "HS256"/, /sign with RS256/]
  ] as const)("whose issuer %s is told which", ([, documents, header, what, fix]) =>
    Effect.gen(function* () {
      const { findings } = yield* examine({
        source: AssertionSource.fixed(signed(claims, header)),
        fetch: publishing(documents)
      })
      const finding = findings.find(({ subject }) => subject === "issuer")
      assert.strictEqual(finding?.verdict, "wrong")
      assert.match(finding?.what ?? "", what)
      assert.match(finding?.fix ?? "", fix)
    })
  )

  it.effect("whose assertion was cut is told so", () =>
    Effect.gen(function* () {
      const whole = signed(claims)
      const { findings } = yield* examine({
        source: AssertionSource.fixed({
          ...whole,
          // One character is no whole octet.
          token: Redacted.make(Redacted.value(whole.token).replace(/\.[^.]*$/, ".A"))
        })
      })
      const finding = findings.find(({ subject }) => subject === "issuer")
      assert.match(finding?.what ?? "", /^The assertion is no whole token/)
    })
  )

  it.effect("is looked at by its adapters first, and goes no further where that must fail", () =>
    Effect.gen(function* () {
      const of = (verdict: Finding["verdict"]) =>
        Effect.succeed([{ verdict, subject: "pool", what: "It is there." }])
      const well = yield* examine({ checkups: [of("right"), of("unknown")] })
      assert.isTrue(well.isHealthy)
      assert.deepEqual(well.told.slice(0, 3), ["right pool", "unknown pool", "right source"])
      const ill = yield* examine({ checkups: [of("wrong"), of("note")] })
      assert.isFalse(ill.isHealthy)
      assert.deepEqual(ill.told, ["wrong pool", "note pool"])
    })
  )

  it.effect("that fails for a moment is tried once more", () =>
    Effect.gen(function* () {
      let calls = 0
      const source = (reason: Transient) =>
        AssertionSource.make({
          name: "here",
          assertion: () => {
            calls++
            return calls % 2 === 1 ? Effect.fail(reason) : Effect.succeed(signed(claims))
          }
        })
      const passing = yield* examine({ source: source(new Transient({ detail: "Cut." })) })
      assert.isTrue(passing.isHealthy)
      calls = 0
      const told = yield* examine({
        source: source(new Transient({ detail: "Busy.", retryAt: 9 }))
      })
      assert.deepEqual([told.isHealthy, calls], [false, 1])
    })
  )
})

describe("clocks", () => {
  const dated = (date: string) => async () => new Response("", { headers: { date } })
  /** A flow over a watched fetch: the source asks one host, the exchanger another. */
  const watched = Effect.fnUntraced(function* (one: string, other: string) {
    const clocks = yield* watchClocks((url) =>
      url.startsWith("https://one")
        ? dated(one)()
        : url.startsWith("https://other")
          ? dated(other)()
          : publishing()(url)
    )
    const ask = (url: string) => Effect.promise(() => clocks.fetch(url, {}))
    return yield* examine({
      clocks,
      fetch: publishing(),
      source: AssertionSource.make({
        name: "one",
        assertion: () => Effect.as(ask("https://one.example:8443/"), signed(claims))
      }),
      exchanger: {
        ...refusing,
        exchange: (...given) =>
          Effect.andThen(ask("https://other.example/"), refusing.exchange(...given))
      }
    })
  })
  const at = (seconds: number) => new Date(seconds * 1000).toUTCString()

  it.effect("that agree are not told", () =>
    Effect.gen(function* () {
      const { told } = yield* watched(at(59), at(30))
      assert.notInclude(told.join(), "clock")
    })
  )

  it.effect("that all disagree mean this machine's", () =>
    Effect.gen(function* () {
      const { findings, told } = yield* watched(at(1200), at(1200))
      assert.strictEqual(told[0], "wrong clock")
      assert.strictEqual(told.filter((each) => each.endsWith("clock")).length, 1)
      assert.strictEqual(
        findings[0]?.what,
        "By its `Date`, the clock of one.example:8443 is 20 min ahead of this machine's."
      )
      assert.match(findings[0]?.fix ?? "", /^Set this machine's clock/)
    })
  )

  it.effect("of which one disagrees mean that one, before what comes of it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(600_000)
      const { findings, told } = yield* watched(at(600), at(480))
      assert.deepEqual(told.slice(-2), ["risky clock", "wrong exchange"])
      assert.match(
        findings.at(-2)?.what ?? "",
        /other.example is 120 s|other.example is 2 min behind this machine's, which agrees with that of one.example:8443/
      )
      assert.match(findings.at(-2)?.fix ?? "", /^Set the clock of other.example/)
    })
  )
})

describe("a call that the token is wanted for", () => {
  const answered = (status: number, body: object = {}) =>
    examine({
      exchanger: exchanger(jwt({ aud: "https://other", roles: ["Reader"] })),
      calls: ["https://api.example/v1/things"],
      fetch: async (url) =>
        url.startsWith("https://api.") ? Response.json(body, { status }) : publishing()(url)
    })

  it.effect.each([
    [200, {}, "right", /things answered 200\.$/, undefined],
    [
      401,
      {},
      "wrong",
      /does not take the token, which is for "https:\/\/other"/,
      /https:\/\/api\.example\/\.default/
    ],
    [
      403,
      { error: { code: "Authorization_RequestDenied", message: "No." } },
      "wrong",
      /\(Authorization_RequestDenied: No\.\).*the token has Reader/,
      /names the permission/
    ],
    [404, {}, "unknown", /tells nothing/, undefined]
  ] as const)("is made, and told: %d", ([status, body, verdict, what, fix]) =>
    Effect.gen(function* () {
      const { findings } = yield* answered(status, body)
      const finding = findings.at(-1)
      assert.deepEqual([finding?.subject, finding?.verdict], ["call", verdict])
      assert.match(finding?.what ?? "", what)
      if (fix === undefined) assert.isUndefined(finding?.fix)
      else assert.match(finding?.fix ?? "", fix)
    })
  )

  it.effect("goes nowhere in the clear, and not with AWS credentials", () =>
    Effect.gen(function* () {
      const clear = yield* examine({ calls: ["http://api.example/"] })
      assert.match(clear.findings.at(-1)?.what ?? "", /is http to api.example/)
      const aws = yield* examine({
        exchanger: TokenExchanger.make({
          name: "aws",
          exchange: ({ obtainedAt }) => Effect.succeed({ obtainedAt, expiresAt: obtainedAt + 1 })
        }),
        calls: ["https://api.example/"]
      })
      assert.match(aws.findings.at(-1)?.what ?? "", /sign calls/)
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
      const aws: Exchanger = TokenExchanger.make({
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
      assert.notInclude(said, Redacted.value(signed(claims).token))
    })
  )
})
