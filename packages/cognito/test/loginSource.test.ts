import { loginSource } from "@federate/cognito"
import type { LoginOptions } from "@federate/cognito"
import { loginSource as adapter } from "@federate/cognito/adapter"
import { Assertion, AssertionSource, FederationError, Flow, Unavailable } from "@federate/core"
import type { Fetch } from "@federate/http"
import { adapterContract, assertionFor, assertionSourceContract, visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"

const identityPoolId = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const identityId = "eu-central-1:identity"
const login = assertionFor("someone")
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const token = [
  part({ kid: "eu-central-11", typ: "JWS", alg: "RS512" }),
  part({ sub: identityId, aud: identityPoolId, iss: "https://issuer.example", exp: 600, iat: 0 }),
  "c2lnbmF0dXJl"
].join(".")
const cognito = "https://cognito-identity.eu-central-1.amazonaws.com/"

const options: LoginOptions = { identityPoolId, login: AssertionSource.fixed(login) }

const json = (body: unknown, status = 200) =>
  Response.json(body, { status, headers: { "content-type": "application/x-amz-json-1.1" } })

/** GetOpenIdToken's answer; it does for GetId too. */
const well = (jwt = token) => json({ IdentityId: identityId, Token: jwt })

const refusal = (type: string) => () => json({ __type: type, message: "It said no" }, 400)

const rejected = (code: string, hint: RegExp) =>
  ({ name: code, answer: refusal(code), becomes: "Rejected", code, hint, remedy: "none" }) as const

assertionSourceContract("Cognito, by another login", {
  make: (fetch) => loginSource({ ...options, fetch }),
  well,
  assertion: token,
  life: 600,
  secrets: [Redacted.value(login.token)],
  refused: [
    rejected(
      "NotAuthorizedException",
      /must have issuer\.example among .* list the login's audience, party;.*AllowClassicFlow/
    ),
    rejected("InvalidParameterException", /compare its issuer with/),
    rejected("ResourceConflictException", /leave `identityId` out/),
    rejected("ResourceNotFoundException", /no pool eu-central-1:2f4e/),
    rejected("UnknownOperationException", /not Amazon Cognito's/),
    ...["TooManyRequestsException", "ExternalServiceException"].map(
      (code) => ({ name: code, answer: refusal(code), becomes: "Transient" }) as const
    )
  ]
})

adapterContract("Cognito's source over a login", {
  adapter,
  settings: { identityPoolId },
  well: () => well()
})

/** What is sent, in order, and what comes of it. */
const sent = Effect.fnUntraced(function* (change: Partial<LoginOptions> = {}) {
  const calls: Array<{ url: string; headers: Headers; body: unknown }> = []
  const fetch: Fetch = async (url, { body, headers }) => {
    calls.push({ url, headers: new Headers(headers), body: JSON.parse(String(body)) })
    return well()
  }
  const source = yield* loginSource({ ...options, ...change, fetch })
  const assertion = yield* source.assertion({})
  return { assertion, calls }
})

const Logins = { "issuer.example": Redacted.value(login.token) }

describe("the requests", () => {
  it.effect("are not signed, and bring the login under its issuer's name", () =>
    Effect.gen(function* () {
      const { assertion, calls } = yield* sent()
      assert.deepStrictEqual(
        calls.map(({ body, headers, url }) => [url, headers.get("x-amz-target"), body]),
        [
          [cognito, "AWSCognitoIdentityService.GetId", { IdentityPoolId: identityPoolId, Logins }],
          [cognito, "AWSCognitoIdentityService.GetOpenIdToken", { IdentityId: identityId, Logins }]
        ]
      )
      for (const { headers } of calls) assert.isNull(headers.get("authorization"))
      assert.strictEqual(assertion.subject, identityId)
    })
  )

  it.effect("are one, where the identity is pinned", () =>
    Effect.gen(function* () {
      const { calls } = yield* sent({ identityId, endpoint: "http://127.0.0.1:4566" })
      assert.deepStrictEqual(
        calls.map(({ body, url }) => [url, body]),
        [["http://127.0.0.1:4566/", { IdentityId: identityId, Logins }]]
      )
      const error = yield* Effect.flip(sent({ identityId: "eu-central-1:another" }))
      assert.match(error.message, /identityId: the pool gives this login the identity/)
    })
  )
})

describe("the login", () => {
  it.effect("is asked for with Cognito's audience as a wish, or with the one that is set", () =>
    Effect.gen(function* () {
      const asked: Array<AssertionSource.AssertionRequest> = []
      const choosing = AssertionSource.make({
        name: "platform",
        offers: { audience: "any" },
        assertion: (request) => {
          asked.push(request)
          return Effect.succeed(login)
        }
      })
      yield* sent({ login: choosing })
      yield* sent({ login: choosing, audience: "party" })
      const preferredAudience = "cognito-identity.amazonaws.com"
      assert.deepStrictEqual(asked, [
        { preferredAudience },
        { audience: "party", preferredAudience }
      ])
    })
  )

  it.effect("that does not exist here lets the next source try", () =>
    Effect.gen(function* () {
      const absent: AssertionSource.AssertionSource = {
        name: "absent",
        offers: {},
        assertion: () =>
          new FederationError({
            adapter: "absent",
            stage: "assertion",
            reason: new Unavailable({ detail: "It is not here" })
          })
      }
      const error = yield* Effect.flip(sent({ login: absent }))
      assert.strictEqual(error.adapter, "absent")
      const source = AssertionSource.firstAvailable(
        yield* loginSource({ ...options, login: absent }),
        AssertionSource.fixed(login)
      )
      assert.strictEqual(yield* source.assertion({}), login)
    })
  )

  it.effect("must name its issuer", () =>
    Effect.gen(function* () {
      const bare = Result.getOrThrow(
        Assertion.fromJwt(Redacted.make("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), { obtainedAt: 0 })
      )
      const error = yield* Effect.flip(sent({ login: AssertionSource.fixed(bare, "file") }))
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.include(error.message, "The login's assertion names no issuer")
    })
  )
})

describe("what it offers", () => {
  it.effect("is the pool's audience alone, whatever the login's was", () =>
    Effect.gen(function* () {
      const source = yield* loginSource(options)
      assert.deepStrictEqual(source.offers, {
        audience: { only: identityPoolId },
        algorithms: ["RS512"]
      })
      const error = yield* Effect.flip(source.assertion({ audience: "party" }))
      assert.match(error.message, /"party" is demanded, and Cognito can only give the pool's id/)
      yield* Flow.make({ source })
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ identityPoolId: "my-pool" }, /"my-pool" is not of the form/],
        [{ identityId: "us-east-1:1" }, /is no identity of a pool in eu-central-1/],
        [{ endpoint: "http://cognito.example" }, /endpoint: is http to/],
        [{ audience: "another" }, /"another" is demanded, and fixed can only give "party"/]
      ] as const) {
        const error = yield* Effect.flip(loginSource({ ...options, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.strictEqual(error.reason._tag, "Misconfigured", visible(error))
        assert.match(error.message, text)
      }
      yield* loginSource({ ...options, audience: "party" })
    })
  )
})
