import { loginExchanger } from "@federate/cognito"
import type { LoginExchangerOptions } from "@federate/cognito"
import { loginExchanger as adapter } from "@federate/cognito/adapter"
import { Assertion } from "@federate/core"
import type { Fetch } from "@federate/http"
import { adapterContract, assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"

const identityPoolId = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const identityId = "eu-central-1:identity"
const secret = "THE-SECRET-KEY"
const session = "THE-SESSION-TOKEN"
const login = assertionFor("workload")
const Logins = { "issuer.example": Redacted.value(login.token) }

const json = (body: unknown, status = 200) =>
  Response.json(body, {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      date: "Thu, 01 Jan 1970 00:00:00 GMT"
    }
  })

/** The answer to either call. */
const well = (change: object = {}) =>
  json({
    IdentityId: identityId,
    Credentials: {
      AccessKeyId: "ASIAEXAMPLE",
      SecretKey: secret,
      SessionToken: session,
      Expiration: 3600,
      ...change
    }
  })

const refusal = (type: string) => () => json({ __type: type, message: "It said no" }, 400)

const rejected = (code: string, hint: RegExp) =>
  ({ name: code, answer: refusal(code), becomes: "Rejected", code, hint }) as const

tokenExchangerContract("Cognito's credentials for a login", {
  make: (fetch) => loginExchanger({ identityPoolId, fetch }),
  well: () => well(),
  life: 3600,
  secrets: [secret, session],
  refused: [
    rejected(
      "NotAuthorizedException",
      /must have issuer\.example among .* list the login's audience, party;[^.]*must not have ended\.$/
    ),
    rejected("InvalidParameterException", /compare its issuer with/),
    rejected(
      "AccessDeniedException",
      /trust policy must name the pool as cognito-identity\.amazonaws\.com:aud/
    ),
    rejected("InvalidIdentityPoolConfigurationException", /get-identity-pool-roles/),
    rejected("ResourceNotFoundException", /no pool eu-central-1:2f4e/),
    { name: "too many calls", answer: refusal("TooManyRequestsException"), becomes: "Transient" }
  ]
})

adapterContract("Cognito's exchanger for logins", {
  adapter,
  settings: { identityPoolId },
  well: () => well()
})

/** What is sent, in order. */
const sent = Effect.fnUntraced(function* (
  change: Partial<LoginExchangerOptions> = {},
  assertion = login
) {
  const calls: Array<readonly [target: string | null, body: unknown]> = []
  const fetch: Fetch = async (_, { body, headers }) => {
    const all = new Headers(headers)
    assert.isNull(all.get("authorization"))
    calls.push([
      all.get("x-amz-target")?.replace("AWSCognitoIdentityService.", "") ?? null,
      JSON.parse(String(body))
    ])
    return well()
  }
  const cognito = yield* loginExchanger({ identityPoolId, ...change, fetch })
  yield* cognito.exchange(assertion, {})
  return calls
})

describe("the requests", () => {
  it.effect("are not signed, and bring the login under its issuer's name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(), [
        ["GetId", { IdentityPoolId: identityPoolId, Logins }],
        ["GetCredentialsForIdentity", { IdentityId: identityId, Logins }]
      ])
    })
  )

  it.effect("are one, where the identity is pinned", () =>
    Effect.gen(function* () {
      const CustomRoleArn = "arn:aws:iam::1:role/x"
      assert.deepStrictEqual(yield* sent({ identityId, customRoleArn: CustomRoleArn }), [
        ["GetCredentialsForIdentity", { IdentityId: identityId, Logins, CustomRoleArn }]
      ])
    })
  )
})

describe("the login", () => {
  it.effect("is asked for with Cognito's audience as a wish, or with the one that is set", () =>
    Effect.gen(function* () {
      const preferredAudience = "cognito-identity.amazonaws.com"
      const { asks } = yield* loginExchanger({ identityPoolId })
      assert.deepStrictEqual(asks, { preferredAudience })
      const { asks: demanding } = yield* loginExchanger({ identityPoolId, audience: "party" })
      assert.deepStrictEqual(demanding, { audience: "party", preferredAudience })
    })
  )

  it.effect("must name its issuer", () =>
    Effect.gen(function* () {
      const bare = Result.getOrThrow(
        Assertion.fromJwt(Redacted.make("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), { obtainedAt: 0 })
      )
      const error = yield* Effect.flip(sent({}, bare))
      assert.include(error.message, "names no issuer")
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ identityPoolId: "my-pool" }, /"my-pool" is not of the form/],
        [{ identityId: "us-east-1:1" }, /is no identity of a pool in eu-central-1/],
        [{ endpoint: "http://cognito.example" }, /endpoint: is http to/]
      ] as const) {
        const error = yield* Effect.flip(loginExchanger({ identityPoolId, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.match(error.message, text)
      }
    })
  )
})
