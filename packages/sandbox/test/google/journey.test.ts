/** Federate's own flow to the sandbox's Google: real HTTP, real keys, real errors. */
import { source as cognito } from "@federate/cognito"
import { Assertion, AssertionSource, Flow, FlowMetrics, RetryPolicy } from "@federate/core"
import type { Reason } from "@federate/core"
import { exchanger, idTokenExchanger } from "@federate/google"
import type { Options } from "@federate/google"
import { remoteKeys, verify } from "@federate/oidc"
import { Fault, Sandbox } from "@federate/sandbox"
import type { TokenOptions } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { google, trust } from "./google.ts"
import type { Trust } from "./google.ts"

/** The trust's issuer as a source: it signs whatever audience is asked for. */
const sourceOf = (trusted: Trust, options: Partial<TokenOptions> = {}) =>
  AssertionSource.make({
    name: "issuer",
    offers: { audience: "any" },
    assertion: Effect.fnUntraced(function* ({ audience, preferredAudience }) {
      const wanted = audience ?? preferredAudience
      const token = yield* Effect.promise(() =>
        trusted.token({ ...(wanted !== undefined && { audience: wanted }), ...options })
      )
      return yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(token), { obtainedAt: Date.now(), issuerTime: "iat" })
      )
    })
  })

interface Change {
  readonly trust?: Parameters<typeof trust>[1]
  readonly token?: Partial<TokenOptions>
  readonly exchanger?: Partial<Options>
  /** Default: as the account that was made. */
  readonly serviceAccount?: string | undefined
  readonly retry?: RetryPolicy.RetryPolicy
}

const journey = Effect.fnUntraced(function* (change: Change = {}) {
  const sandbox = yield* Sandbox.make({ setup: "empty" })
  const trusted = yield* Effect.promise(() => trust(sandbox, change.trust))
  const endpoints = {
    stsEndpoint: `${sandbox.http}/v1/token`,
    iamCredentialsEndpoint: sandbox.http
  }
  const made = yield* exchanger({
    audience: trusted.audience,
    ...endpoints,
    serviceAccount: "serviceAccount" in change ? change.serviceAccount : trusted.serviceAccount,
    ...change.exchanger
  })
  const flow = yield* Flow.make({
    name: "google",
    source: sourceOf(trusted, change.token),
    exchanger: made,
    retry: change.retry ?? RetryPolicy.none
  })
  return { sandbox, trusted, endpoints, flow }
})

describe("a flow to Google", () => {
  it.live("brings a service account's token, for as long as was asked", () =>
    Effect.gen(function* () {
      const { flow, sandbox, trusted } = yield* journey({ exchanger: { lifetime: "20 minutes" } })
      const { expiresAt, obtainedAt, token } = yield* flow.credential()
      assert.closeTo(expiresAt - obtainedAt, 1_200_000, 2000)
      // It may do nothing of its own; what it is refused says that Google knows it.
      const { message } = yield* Effect.promise(() =>
        google(sandbox, Redacted.value(token)).refused(403, "GET", trusted.project)
      )
      assert.match(message, /resourcemanager\.projects\.get/)
    })
  )

  it.live("brings the principal's own token, which opens what the principal may", () =>
    Effect.gen(function* () {
      const { flow, sandbox, trusted } = yield* journey({ serviceAccount: undefined })
      const { token } = yield* flow.credential()
      const project = yield* Effect.promise(async () => {
        const { call } = google(sandbox)
        const policy = await call("POST", `${trusted.project}:getIamPolicy`)
        const { bindings } = policy as { readonly bindings: ReadonlyArray<unknown> } // a policy has them
        const browser = {
          role: "roles/browser",
          members: [`principal://${trusted.principal}/subject/workload`]
        }
        await call("POST", `${trusted.project}:setIamPolicy`, {
          policy: { ...policy, bindings: [...bindings, browser] }
        })
        return google(sandbox, Redacted.value(token)).call("GET", trusted.project)
      })
      assert.strictEqual(project["projectNumber"], sandbox.google.projectNumber)
    })
  )

  it.live("brings an ID token that anyone can verify by Google's keys", () =>
    Effect.gen(function* () {
      const { endpoints, sandbox, trusted } = yield* journey()
      const { audience, serviceAccount } = trusted
      const flow = yield* Flow.make({
        source: sourceOf(trusted),
        exchanger: yield* idTokenExchanger({ audience, serviceAccount, ...endpoints })
      })
      const { expiresAt, obtainedAt, token } = yield* flow.credential({ audience: "https://x" })
      assert.strictEqual(expiresAt - obtainedAt, 3_600_000)
      const { issuer } = sandbox.google
      const keys = yield* remoteKeys({
        issuer,
        fetch: (url, init) => fetch(url.replace(sandbox.https, sandbox.http), init)
      })
      const { claims } = yield* verify(token, {
        keys,
        algorithms: ["RS256"],
        issuer,
        audience: "https://x"
      })
      assert.strictEqual(claims["email"], serviceAccount)
    })
  )

  it.live(
    "cannot come from Cognito, whose algorithm Google does not take: told before any call",
    () =>
      Effect.gen(function* () {
        const { endpoints, trusted } = yield* journey()
        const pool = "us-east-1:00000000-0000-0000-0000-000000000000"
        const { reason } = yield* Effect.flip(
          Flow.make({
            source: yield* cognito({ identityPoolId: pool, logins: { "my.dev.provider": "me" } }),
            exchanger: yield* exchanger({ audience: trusted.audience, ...endpoints })
          })
        )
        assert.strictEqual(reason._tag, "Misconfigured", visible(reason))
      })
  )
})

describe("what people get wrong is told with the values to compare", () => {
  const cases: ReadonlyArray<readonly [string, Change, string, RegExp]> = [
    [
      "a pool that is not there",
      {
        exchanger: {
          audience:
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/none/providers/tests"
        }
      },
      "invalid_target",
      /projects\/1\/locations\/global\/workloadIdentityPools\/none/
    ],
    [
      "an audience that the provider does not list",
      { token: { audience: "my-audience" } },
      "invalid_grant",
      /audience is my-audience\..*`allowedAudience`/
    ],
    [
      "a trailing slash on the issuer",
      { token: { claims: { iss: "https://issuer.example/" } } },
      "invalid_grant",
      /issuer is https:\/\/issuer\.example\/; .*trailing slash/
    ],
    [
      "a subject of 128 bytes",
      { token: { subject: "s".repeat(128) } },
      "invalid_request",
      /has 128 bytes, and Google takes 127/
    ],
    [
      "a condition that is false",
      { trust: { provider: { attributeCondition: "assertion.sub == 'another'" } } },
      "unauthorized_client",
      /attribute condition refuses this token.*subject is workload/
    ],
    [
      "a claim that the token does not have",
      { trust: { provider: { attributeMapping: { "google.subject": "assertion.repository" } } } },
      "unauthorized_client",
      /from a claim that the token has/
    ],
    [
      "a principal without the role",
      { trust: { members: ["principal://{principal}/subject/another"] } },
      "IAM_PERMISSION_DENIED",
      /add-iam-policy-binding account-\d+@.* roles\/iam\.workloadIdentityUser --member principal:\/\/iam\.googleapis\.com\/projects\/\d+\/.*\/subject\/workload/
    ],
    [
      "an account that is not there",
      { serviceAccount: "nobody@federate-sandbox.iam.gserviceaccount.com" },
      "NOT_FOUND",
      /no service account nobody@/
    ],
    [
      "an algorithm that Google does not take",
      { token: { algorithm: "RS512" } },
      "invalid_grant",
      /by RS512: Google takes RS256 and ES256/
    ]
  ]
  for (const [name, change, code, hint] of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        const { flow } = yield* journey(change)
        const { reason } = yield* Effect.flip(flow.credential())
        if (reason._tag !== "Rejected") return assert.fail(visible(reason))
        assert.strictEqual(reason.code, code)
        assert.match(reason.hint, hint)
      })
    )
  }
})

describe("clocks", () => {
  for (const minutes of [-30, 30]) {
    it.live(`Google's ${minutes} minutes off says that a clock is wrong`, () =>
      Effect.gen(function* () {
        const { flow, sandbox } = yield* journey()
        sandbox.skew("google", minutes * 60_000)
        const { reason } = yield* Effect.flip(flow.credential())
        if (reason._tag !== "Rejected") return assert.fail(visible(reason))
        assert.match(reason.hint, /a clock is wrong/)
      })
    )
  }

  for (const seconds of [-50, 50]) {
    it.live(`Google's ${seconds} seconds off does no harm`, () =>
      Effect.gen(function* () {
        const { flow, sandbox } = yield* journey()
        sandbox.skew("google", seconds * 1000)
        const { expiresAt, obtainedAt } = yield* flow.credential()
        assert.closeTo(expiresAt - obtainedAt, 3_600_000, 2000)
      })
    )
  }
})

describe("faults", () => {
  const faults: ReadonlyArray<readonly [string, Fault.Fault, Reason["_tag"]]> = [
    ["a busy service", Fault.throttled(1), "Transient"],
    ["503 with Retry-After", Fault.status(503, 1), "Transient"],
    ["a reset connection", Fault.reset, "Transient"],
    ["an answer cut in the middle", Fault.truncated, "Transient"],
    ["a proxy's page", Fault.html(), "Transient"],
    ["a page with status 200", Fault.html(200), "Malformed"],
    ["an empty object", Fault.body("{}"), "Malformed"],
    [
      "a redirect",
      Fault.body("", { status: 302, headers: { location: "https://elsewhere.example" } }),
      "Malformed"
    ]
  ]
  for (const endpoint of ["google.token", "google.generateAccessToken"] as const) {
    for (const [name, fault, becomes] of faults) {
      it.live(`${endpoint}: ${name} is ${becomes}`, () =>
        Effect.gen(function* () {
          const { flow, sandbox } = yield* journey()
          sandbox.fault(endpoint, fault)
          const { reason } = yield* Effect.flip(flow.credential())
          assert.strictEqual(reason._tag, becomes, visible(reason))
          assert.strictEqual(sandbox.count(endpoint), 1)
        })
      )
    }
  }

  it.live("that pass are not seen", () =>
    Effect.gen(function* () {
      const { flow, sandbox } = yield* journey({ retry: RetryPolicy.standard })
      sandbox.fault("google.token", Fault.reset, { call: 1 })
      sandbox.fault("google.generateAccessToken", Fault.status(503), { call: 1 })
      yield* flow.credential()
      assert.deepStrictEqual(
        [sandbox.count("google.token"), sandbox.count("google.generateAccessToken")],
        [3, 2]
      )
    })
  )
})

/** How often flows called `google` have begun to wait for another attempt after a refusal. */
const retries = Metric.value(
  Metric.withAttributes(FlowMetrics.retries, { flow: "google", reason: "Rejected" })
).pipe(Effect.map(({ count }) => count))

describe("a trust that was just set up", () => {
  it.effect("is waited for when asked: the provider, and the account's policy", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { flow, sandbox } = yield* journey({ retry: RetryPolicy.waitForTrust("5 minutes") })
      sandbox.propagation("10 seconds")
      const before = yield* retries
      const caller = yield* Effect.forkChild(flow.credential())
      const isDone = () => caller.pollUnsafe() !== undefined
      // Each attempt is really made before time passes to the next one.
      for (let made = 1; !isDone(); made++) {
        for (let round = 0; !isDone() && (yield* retries) < before + made; round++) {
          assert.isBelow(round, 10_000)
          yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
          yield* TestClock.adjust(0)
        }
        yield* TestClock.adjust("5 seconds")
      }
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(caller)))
      assert.isAtLeast(sandbox.count("google.token"), 2)
    })
  )

  it.live("is refused until then, with that remedy", () =>
    Effect.gen(function* () {
      const { flow, sandbox, trusted } = yield* journey()
      sandbox.propagation("1 hour")
      const { reason } = yield* Effect.flip(flow.credential())
      assert.deepInclude(reason, { code: "invalid_target", remedy: "waitForTrust" })
      assert.match(visible(reason), new RegExp(trusted.pool))
    })
  )
})
