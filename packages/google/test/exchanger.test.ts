import { exchanger } from "@federate/google"
import type { Options } from "@federate/google"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  apiError,
  audience,
  impersonated,
  refused,
  refusedBy,
  serviceAccount,
  stsAnswer,
  stsError,
  two
} from "./google.ts"

const options: Options = { audience }
const assertion = assertionFor("workload")

tokenExchangerContract("Google's STS", {
  make: (fetch) => exchanger({ ...options, fetch }),
  well: stsAnswer,
  life: 3599,
  secrets: ["THE-FEDERATED-TOKEN"],
  refused: [
    refused("invalid_target", "is invalid.", "waitForTrust", /disabled or deleted/),
    refused(
      "invalid_grant",
      "The audience in ID Token [party] does not match the expected audience.",
      "none",
      /audience is party\..*https:\/\/iam\.googleapis\.com\/projects\/123/
    ),
    refused(
      "invalid_grant",
      "ID Token issued at 0 is stale to sign-in.",
      "freshAssertion",
      /check the clocks/
    ),
    {
      name: "a disabled API",
      answer: apiError(403, "PERMISSION_DENIED", "API is off", "SERVICE_DISABLED"),
      becomes: "Rejected",
      code: "SERVICE_DISABLED",
      remedy: "waitForTrust",
      hint: /gcloud services enable/
    },
    {
      name: "a spent quota",
      answer: apiError(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED"),
      becomes: "Transient"
    },
    {
      name: "a code that nobody has seen",
      answer: stsError("brand_new", "Words"),
      becomes: "Rejected",
      code: "brand_new",
      remedy: "none"
    }
  ]
})

tokenExchangerContract("Google's service account impersonation", {
  make: (fetch) => exchanger({ ...options, serviceAccount, fetch }),
  well: (url) => (url.endsWith("/v1/token") ? stsAnswer() : impersonated(0)()),
  life: 3600,
  secrets: ["THE-FEDERATED-TOKEN", "THE-ACCOUNT-TOKEN"],
  refused: [refused("invalid_target", "is invalid.", "waitForTrust", /disabled or deleted/)]
})

/** What is sent to where. */
const sent = (change: Partial<Options> = {}, request: { scopes?: Array<string> } = {}) =>
  Effect.gen(function* () {
    const seen: Array<{ readonly url: string; readonly init: RequestInit }> = []
    const fetch: Fetch = async (url, init) => {
      seen.push({ url, init })
      return two(impersonated())(url, init)
    }
    const google = yield* exchanger({ ...options, ...change, fetch })
    const credential = yield* google.exchange(assertion, request)
    return { credential, seen }
  })

const form = (init: RequestInit) => Object.fromEntries(new URLSearchParams(String(init.body)))

describe("the request to the STS", () => {
  it.effect("is a token exchange with the provider as its audience", () =>
    Effect.gen(function* () {
      const { seen } = yield* sent()
      assert.lengthOf(seen, 1)
      assert.strictEqual(seen[0]!.url, "https://sts.googleapis.com/v1/token")
      assert.deepStrictEqual(form(seen[0]!.init), {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        audience,
        scope: "https://www.googleapis.com/auth/cloud-platform",
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        subject_token: Redacted.value(assertion.token),
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt"
      })
      assert.isFalse(new Headers(seen[0]!.init.headers).has("authorization"))
    })
  )

  it.effect("asks for the caller's scopes, else for the configured ones", () =>
    Effect.gen(function* () {
      const scopes = ["https://www.googleapis.com/auth/devstorage.read_only"]
      const own = yield* sent({}, { scopes: [...scopes, ...scopes] })
      assert.strictEqual(form(own.seen[0]!.init)["scope"], scopes[0])
      assert.deepStrictEqual(own.credential.scopes, scopes)
      const standard = yield* sent({ scopes: ["openid", "email"] })
      assert.strictEqual(form(standard.seen[0]!.init)["scope"], "openid email")
    })
  )

  it.effect("goes to another universe, or to an endpoint of its own", () =>
    Effect.gen(function* () {
      const universe = yield* sent({ universeDomain: "example.goog", serviceAccount })
      assert.deepStrictEqual(
        universe.seen.map(({ url }) => new URL(url).host),
        ["sts.example.goog", "iamcredentials.example.goog"]
      )
      const own = yield* sent({ stsEndpoint: "http://127.0.0.1:8080/v1/token" })
      assert.strictEqual(own.seen[0]!.url, "http://127.0.0.1:8080/v1/token")
    })
  )

  it.effect("bills a workforce pool's project", () =>
    Effect.gen(function* () {
      const workforce = "//iam.googleapis.com/locations/global/workforcePools/people/providers/okta"
      const { seen } = yield* sent({
        audience: workforce,
        userProject: "123",
        subjectTokenType: "urn:ietf:params:oauth:token-type:id_token"
      })
      const { options: told = "", subject_token_type: type } = form(seen[0]!.init)
      assert.deepStrictEqual(JSON.parse(decodeURIComponent(told)), { userProject: "123" })
      assert.strictEqual(type, "urn:ietf:params:oauth:token-type:id_token")
    })
  )

  it.effect("asks the source for the provider's own name, or demands what the provider lists", () =>
    Effect.gen(function* () {
      const { asks } = yield* exchanger(options)
      assert.deepStrictEqual(asks, {
        algorithms: ["RS256", "ES256"],
        preferredAudience: `https:${audience}`
      })
      const listed = yield* exchanger({ ...options, allowedAudience: "my-audience" })
      assert.strictEqual(listed.asks.audience, "my-audience")
    })
  )
})

describe("acting as a service account", () => {
  it.effect("trades for one federated token, and that for the account's", () =>
    Effect.gen(function* () {
      const scopes = ["https://www.googleapis.com/auth/devstorage.read_only"]
      const { credential, seen } = yield* sent(
        {
          serviceAccount,
          lifetime: "10 minutes",
          delegates: ["between@p.iam.gserviceaccount.com"]
        },
        { scopes }
      )
      assert.lengthOf(seen, 2)
      const [trade, call] = seen
      assert.strictEqual(
        form(trade!.init)["scope"],
        "https://www.googleapis.com/auth/cloud-platform"
      )
      assert.strictEqual(
        call!.url,
        `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`
      )
      assert.strictEqual(
        new Headers(call!.init.headers).get("authorization"),
        "Bearer THE-FEDERATED-TOKEN"
      )
      assert.deepStrictEqual(JSON.parse(String(call!.init.body)), {
        scope: scopes,
        lifetime: "600s",
        delegates: ["projects/-/serviceAccounts/between@p.iam.gserviceaccount.com"]
      })
      assert.strictEqual(Redacted.value(credential.token), "THE-ACCOUNT-TOKEN")
      assert.deepStrictEqual(credential.scopes, scopes)
    })
  )

  for (const minutes of [-50, 0, 50]) {
    it.effect(`makes expireTime a duration by a Date that is ${minutes} minutes off`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(10_000_000_000)
        const theirs = 10_000_000_000 + minutes * 60_000
        const google = yield* exchanger({
          ...options,
          serviceAccount,
          fetch: two(impersonated(theirs))
        })
        const { expiresAt, obtainedAt } = yield* google.exchange(assertion, {})
        assert.strictEqual(obtainedAt, 10_000_000_000)
        assert.strictEqual(expiresAt - obtainedAt, 3_600_000)
      })
    )
  }

  it.effect("takes no answer without a token, or one that has ended", () =>
    Effect.gen(function* () {
      for (const body of [
        {},
        { accessToken: "T" },
        { accessToken: "T", expireTime: "soon" },
        { accessToken: "", expireTime: "2999-01-01T00:00:00Z" },
        { accessToken: "T", expireTime: "1969-01-01T00:00:00Z" }
      ]) {
        const google = yield* exchanger({
          ...options,
          serviceAccount,
          fetch: two(() => Response.json(body))
        })
        const { reason } = yield* Effect.flip(google.exchange(assertion, {}))
        assert.strictEqual(reason._tag, "Malformed", JSON.stringify(body))
      }
    })
  )

  it.effect("names the principal and the role when it may not", () =>
    Effect.gen(function* () {
      const google = yield* exchanger({
        ...options,
        serviceAccount,
        fetch: two(
          apiError(
            403,
            "PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
            "IAM_PERMISSION_DENIED"
          )
        )
      })
      const reason = yield* refusedBy(google.exchange(assertion, {}))
      assert.strictEqual(reason.code, "IAM_PERMISSION_DENIED")
      assert.strictEqual(reason.remedy, "waitForTrust")
      for (const text of [
        "principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/my-pool/subject/workload",
        "roles/iam.workloadIdentityUser",
        "iam.serviceAccounts.getAccessToken",
        serviceAccount
      ]) {
        assert.include(reason.hint, text)
      }
    })
  )

  it.effect("tells what passes from what does not", () =>
    Effect.gen(function* () {
      const tagOf = (answer: () => Response) =>
        Effect.gen(function* () {
          const google = yield* exchanger({ ...options, serviceAccount, fetch: two(answer) })
          return (yield* Effect.flip(google.exchange(assertion, {}))).reason._tag
        })
      assert.strictEqual(yield* tagOf(apiError(503, "UNAVAILABLE", "Later")), "Transient")
      assert.strictEqual(yield* tagOf(() => new Response("", { status: 502 })), "Transient")
      assert.strictEqual(yield* tagOf(() => new Response("no", { status: 404 })), "Malformed")
      assert.strictEqual(yield* tagOf(() => new Response("", { status: 302 })), "Malformed")
    })
  )
})

describe("settings that cannot work", () => {
  const problem = (change: Partial<Options>, request: { scopes?: Array<string> } = {}) =>
    Effect.gen(function* () {
      let called = false
      const error = yield* Effect.flip(
        Effect.flatMap(
          exchanger({
            ...options,
            ...change,
            fetch: async () => {
              called = true
              return stsAnswer()
            }
          }),
          (google) => google.exchange(assertion, request)
        )
      )
      assert.isFalse(called, "no call is made")
      assert.strictEqual(error.reason._tag, "Misconfigured")
      return `${error.stage} ${error.message}`
    })

  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ audience: "my-pool" }, /audience: .*does not begin with \/\/iam/],
        [{ serviceAccount: "my-account" }, /serviceAccount: "my-account" is no service account/],
        [{ serviceAccount, delegates: ["x"] }, /delegates: "x" is no service account/],
        [{ serviceAccount, lifetime: "13 hours" }, /lifetime: is 46800 s/],
        [{ serviceAccount, lifetime: 500 }, /lifetime: is 0\.5 s/],
        [{ lifetime: "10 minutes" }, /lifetime: is for a service account/],
        [{ delegates: [] }, /delegates: is for a service account/],
        [{ scopes: [] }, /scopes: is an empty list/],
        [{ scopes: ["a b"] }, /scopes: "a b" is no scope/],
        [{ userProject: "1" }, /userProject: is for workforce pools/],
        [{ universeDomain: "https://x" }, /universeDomain: "https:\/\/x" is no domain/],
        [{ subjectTokenType: "saml2" }, /subjectTokenType: "saml2"/],
        [{ stsEndpoint: "http://sts.googleapis.com" }, /stsEndpoint: is http/],
        [{ iamCredentialsEndpoint: "x" }, /iamCredentialsEndpoint: is not an absolute URL/]
      ] as const) {
        assert.match(yield* problem(change), new RegExp(`^configuration .*${text.source}`))
      }
    })
  )

  it.effect("and so are requests", () =>
    Effect.gen(function* () {
      assert.match(yield* problem({}, { scopes: ["a b"] }), /^exchange .*"a b" is no scope/)
    })
  )

  it.effect("and an assertion that lives more than a day", () =>
    Effect.gen(function* () {
      const google = yield* exchanger({ ...options, fetch: async () => stsAnswer() })
      const error = yield* Effect.flip(
        google.exchange({ ...assertion, lifetime: 24 * 3_600_000 + 301_000 }, {})
      )
      assert.match(error.message, /lives 25 hours, and Google takes 24/)
      yield* google.exchange({ ...assertion, lifetime: 24 * 3_600_000 + 300_000 }, {})
    })
  )
})
