import { idTokenExchanger } from "@federate/google"
import type { IdTokenOptions } from "@federate/google"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { apiError, audience, refused, refusedBy, serviceAccount, stsAnswer, two } from "./google.ts"

const assertion = assertionFor("workload")
const options: IdTokenOptions = {
  audience,
  serviceAccount,
  idTokenAudience: "https://service.run.app"
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = (claims: object) =>
  [encode({ alg: "RS256", kid: "1" }), encode(claims), "c2lnbmF0dXJl"].join(".")

const idToken = (iat = 0) =>
  jwt({ iss: "https://accounts.google.com", aud: "x", sub: "1", iat, exp: iat + 3600 })

tokenExchangerContract("Google's ID tokens", {
  make: (fetch) => idTokenExchanger({ ...options, fetch }),
  well: (url) =>
    url.endsWith("/v1/token") ? stsAnswer() : Response.json({ token: idToken(1_000_000) }),
  life: 3600,
  secrets: ["THE-FEDERATED-TOKEN", idToken(1_000_000)],
  refused: [refused("invalid_grant", "Words.", "none", /did not believe the token/)]
})

const trade = (
  token: unknown,
  change: Partial<IdTokenOptions> = {},
  request: { audience?: string } = {}
) =>
  Effect.gen(function* () {
    const bodies: Array<unknown> = []
    const fetch: Fetch = async (url, init) => {
      if (url.includes(":generateIdToken")) bodies.push(JSON.parse(String(init.body)))
      return two(() => Response.json({ token }))(url, init)
    }
    const google = yield* idTokenExchanger({ ...options, ...change, fetch })
    return { credential: yield* google.exchange(assertion, request), bodies }
  })

describe("an ID token", () => {
  it.effect("is a JWT and no access token, and lives as its own times say", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(7_000_000)
      // Their clock is far ahead: only how long it lives may count.
      const { credential } = yield* trade(idToken(1_000_000))
      assert.strictEqual(Redacted.value(credential.token), idToken(1_000_000))
      assert.strictEqual(credential.tokenType, "N_A")
      assert.strictEqual(credential.issuedTokenType, "urn:ietf:params:oauth:token-type:jwt")
      assert.strictEqual(credential.obtainedAt, 7_000_000)
      assert.strictEqual(credential.expiresAt, 7_000_000 + 3_600_000)
    })
  )

  it.effect("is for the audience of the request, else for the configured one", () =>
    Effect.gen(function* () {
      const own = yield* trade(idToken(), {}, { audience: "https://other.run.app" })
      assert.deepStrictEqual(own.bodies, [
        { audience: "https://other.run.app", includeEmail: true }
      ])
      const standard = yield* trade(idToken(), {
        includeEmail: false,
        delegates: ["between@p.iam.gserviceaccount.com"]
      })
      assert.deepStrictEqual(standard.bodies, [
        {
          audience: "https://service.run.app",
          includeEmail: false,
          delegates: ["projects/-/serviceAccounts/between@p.iam.gserviceaccount.com"]
        }
      ])
    })
  )

  it.effect("for nobody is not asked for", () =>
    Effect.gen(function* () {
      const google = yield* idTokenExchanger({
        audience,
        serviceAccount,
        fetch: () => assert.fail("no call is made")
      })
      const { message, reason } = yield* Effect.flip(google.exchange(assertion, {}))
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.match(message, /idTokenAudience: is absent/)
    })
  )

  it.effect("that is none, or does not end, is not handed out", () =>
    Effect.gen(function* () {
      for (const token of [undefined, 1, "", "opaque", jwt({ iat: 0 }), jwt({ iat: 0, exp: 0 })]) {
        const { reason } = yield* Effect.flip(trade(token))
        assert.strictEqual(reason._tag, "Malformed", String(token))
      }
    })
  )

  it.effect("that the account does not give tells which permission is missing", () =>
    Effect.gen(function* () {
      const google = yield* idTokenExchanger({
        ...options,
        fetch: two(apiError(403, "PERMISSION_DENIED", "Denied"))
      })
      const reason = yield* refusedBy(google.exchange(assertion, {}))
      assert.include(reason.hint, "iam.serviceAccounts.getOpenIdToken")
    })
  )

  it.effect("needs an account and a provider that can be", () =>
    Effect.gen(function* () {
      for (const change of [{ serviceAccount: "x" }, { audience: "x" }]) {
        const { stage } = yield* Effect.flip(idTokenExchanger({ ...options, ...change }))
        assert.strictEqual(stage, "configuration")
      }
    })
  )
})
