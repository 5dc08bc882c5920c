import { exchanger } from "@federate/cognito"
import type { ExchangerOptions } from "@federate/cognito"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"

const identityPoolId = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const secret = "THE-SECRET-KEY"
const session = "THE-SESSION-TOKEN"
const assertion = assertionFor("eu-central-1:identity")

const json = (body: unknown, init: ResponseInit = {}) =>
  Response.json(body, {
    ...init,
    headers: { "content-type": "application/x-amz-json-1.1", ...init.headers }
  })

/** They end an hour after the service's own time. */
const good = (change: object = {}, date = "Thu, 01 Jan 1970 00:00:00 GMT") =>
  json(
    {
      IdentityId: "eu-central-1:identity",
      Credentials: {
        AccessKeyId: "ASIAEXAMPLE",
        SecretKey: secret,
        SessionToken: session,
        Expiration: 3600.5,
        ...change
      }
    },
    { headers: { date } }
  )

const refusal = (type: string) => () =>
  json({ __type: type, message: "It said no" }, { status: 400 })

const rejected = (code: string, hint: RegExp) =>
  ({ name: code, answer: refusal(code), becomes: "Rejected", code, hint }) as const

tokenExchangerContract("Cognito's credentials", {
  make: (fetch) => exchanger({ identityPoolId, fetch }),
  claims: { sub: "eu-central-1:identity" },
  well: () => good(),
  life: 3600.5,
  secrets: [secret, session],
  refused: [
    rejected("NotAuthorizedException", /not one of the pool eu-central-1:2f4e.*trade a fresh one/),
    rejected(
      "AccessDeniedException",
      /trust policy must name the pool as cognito-identity\.amazonaws\.com:aud/
    ),
    rejected("InvalidIdentityPoolConfigurationException", /get-identity-pool-roles/),
    rejected("ResourceNotFoundException", /no pool eu-central-1:2f4e/),
    { name: "too many calls", answer: refusal("TooManyRequestsException"), becomes: "Transient" },
    { name: "no secret key", answer: () => good({ SecretKey: undefined }), becomes: "Malformed" },
    { name: "no end", answer: () => good({ Expiration: undefined }), becomes: "Malformed" },
    {
      name: "an end that is past",
      answer: () => good({}, "Thu, 01 Jan 1970 02:00:00 GMT"),
      becomes: "Malformed"
    }
  ]
})

const sent = (change: Partial<ExchangerOptions> = {}, given = assertion) =>
  Effect.gen(function* () {
    let seen: { url: string; headers: Headers; body: unknown } | undefined
    const fetch: Fetch = async (url, { body, headers }) => {
      seen = { url, headers: new Headers(headers), body: JSON.parse(String(body)) }
      return good()
    }
    const cognito = yield* exchanger({ identityPoolId, ...change, fetch })
    yield* cognito.exchange(given, {})
    return seen!
  })

describe("the request", () => {
  it.effect("is not signed, and brings the token as the pool's own login", () =>
    Effect.gen(function* () {
      const { body, headers, url } = yield* sent({ customRoleArn: "arn:aws:iam::1:role/x" })
      assert.strictEqual(url, "https://cognito-identity.eu-central-1.amazonaws.com/")
      assert.strictEqual(
        headers.get("x-amz-target"),
        "AWSCognitoIdentityService.GetCredentialsForIdentity"
      )
      assert.isNull(headers.get("authorization"))
      assert.deepStrictEqual(body, {
        IdentityId: "eu-central-1:identity",
        Logins: { "cognito-identity.amazonaws.com": Redacted.value(assertion.token) },
        CustomRoleArn: "arn:aws:iam::1:role/x"
      })
    })
  )

  it.effect("names Cognito as each partition does", () =>
    Effect.gen(function* () {
      for (const [region, provider] of [
        ["cn-north-1", "cognito-identity.cn-north-1.amazonaws.com.cn"],
        ["us-gov-west-1", "cognito-identity-us-gov.amazonaws.com"],
        ["us-gov-east-1", "cognito-identity.us-gov-east-1.amazonaws.com"]
      ] as const) {
        const { body } = yield* sent(
          { identityPoolId: identityPoolId.replace("eu-central-1", region) },
          assertionFor(`${region}:identity`)
        )
        assert.deepNestedInclude(JSON.stringify(body), provider)
      }
    })
  )
})

describe("the credentials", () => {
  it.effect("end when Cognito says, by our clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(86_400_000)
      const cognito = yield* exchanger({ identityPoolId, fetch: async () => good() })
      assert.deepStrictEqual(cognito.asks, { audience: identityPoolId })
      const credentials = yield* cognito.exchange(assertion, {})
      assert.deepInclude(credentials, {
        _tag: "AwsCredentials",
        accessKeyId: "ASIAEXAMPLE",
        obtainedAt: 86_400_000,
        expiresAt: 86_400_000 + 3_600_500
      })
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
      assert.strictEqual(Redacted.value(credentials.sessionToken), session)
    })
  )
})

describe("an assertion of another issuer's", () => {
  it.effect("is told as such, and not sent", () =>
    Effect.gen(function* () {
      const cognito = yield* exchanger({
        identityPoolId,
        fetch: async () => assert.fail("it is sent")
      })
      const error = yield* Effect.flip(cognito.exchange(assertionFor("workload"), {}))
      assert.match(
        error.message,
        /source: its assertions are about "workload", which is no identity of the pool eu-central-1:2f4e.*`cognito-login`/
      )
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ identityPoolId: "my-pool" }, /identityPoolId: "my-pool" is not of the form/],
        [{ endpoint: "http://cognito.example.com" }, /endpoint: is http to/]
      ] as const) {
        const error = yield* Effect.flip(exchanger({ identityPoolId, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.match(error.message, text)
      }
    })
  )
})
