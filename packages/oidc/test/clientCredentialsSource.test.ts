import { createPublicKey } from "node:crypto"
import { clientCredentialsSource, localKeys, readSigningKey, verify } from "@federate/oidc"
import type { Client, ClientCredentialsSourceOptions } from "@federate/oidc"
import { clientCredentials as adapter } from "@federate/oidc/adapter"
import {
  adapterContract,
  assertionFor,
  assertionSourceContract,
  flowContract,
  visible
} from "@federate/testing"
import type { Fetch } from "@federate/http"
import { TokenExchanger } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { jwk, pem, privateKeys } from "./keys.ts"

const issuer = "https://idp.example"
const secret = "THE-CLIENT-SECRET"
const client: Client = { id: "workload", secret: Redacted.make(secret) }
const options: ClientCredentialsSourceOptions = { issuer, client }
const assertion = Redacted.value(assertionFor("workload").token)

const make = (fetch: Fetch, change: Partial<ClientCredentialsSourceOptions> = {}) =>
  clientCredentialsSource({ ...options, ...change, fetch })

const document = {
  issuer,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`
}
const answered = (token: string) => ({ access_token: token, token_type: "Bearer", expires_in: 900 })
const well = (token: string, url: string, metadata: object = document) =>
  Response.json(url.endsWith("/openid-configuration") ? metadata : answered(token))

const oauthError =
  (error: string, status = 400) =>
  () =>
    Response.json({ error }, { status })

assertionSourceContract("client credentials at an OpenID provider", {
  make,
  well: (token, url) => well(token, url),
  assertion,
  life: 900,
  secrets: [secret],
  refused: []
})

flowContract("client credentials at an OpenID provider", {
  make: (fetch) =>
    Effect.map(make(fetch), (source) => ({ source, exchanger: TokenExchanger.passThrough })),
  well: (url) => well(assertion, url),
  secrets: [secret]
})

adapterContract("oidc-client-credentials", {
  adapter,
  settings: { issuer, client: { id: "workload", secret } },
  secrets: [secret],
  well: (url) => well(assertion, url)
})

/** What the token endpoint was sent. */
const sentBy = Effect.fnUntraced(function* (
  change: Partial<ClientCredentialsSourceOptions>,
  metadata: object = document
) {
  const sent: Array<{ url: string; headers: Headers; body: URLSearchParams }> = []
  const source = yield* make(async (url, { body, headers }) => {
    sent.push({ url, headers: new Headers(headers), body: new URLSearchParams(String(body)) })
    return well(assertion, url, metadata)
  }, change)
  yield* source.assertion({})
  return sent.at(-1)!
})

describe("clientCredentialsSource", () => {
  it.effect("asks the discovered token endpoint, by client_secret_basic", () =>
    Effect.gen(function* () {
      const { body, headers, url } = yield* sentBy({
        client: { id: "a:b", secret: Redacted.make("c d") },
        scopes: ["x", "y", "x"],
        audience: "api",
        resource: ["https://a.example", "https://b.example"],
        parameters: { tenant: "t" }
      })
      assert.strictEqual(url, `${issuer}/token`)
      // RFC 6749 §2.3.1: both are form-encoded first.
      const basic = Buffer.from("a%3Ab:c+d").toString("base64")
      assert.strictEqual(headers.get("authorization"), `Basic ${basic}`)
      assert.deepStrictEqual([...body].toSorted(), [
        ["audience", "api"],
        ["grant_type", "client_credentials"],
        ["resource", "https://a.example"],
        ["resource", "https://b.example"],
        ["scope", "x y"],
        ["tenant", "t"]
      ])
    })
  )

  it.effect("sends the secret in the body where it is told to", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* sentBy({
        client: { ...client, authentication: "client_secret_post" }
      })
      assert.isFalse(headers.has("authorization"))
      assert.deepInclude(Object.fromEntries(body), { client_id: "workload", client_secret: secret })
    })
  )

  it.effect("signs an assertion of the client's own, for the issuer alone", () =>
    Effect.gen(function* () {
      for (const privateKey of [pem(privateKeys.p256), jwk(privateKeys.p256)]) {
        const { body } = yield* sentBy({ client: { id: "workload", privateKey } })
        const { kid, published } = yield* readSigningKey("", privateKey)
        const { claims, header } = yield* verify(Redacted.make(body.get("client_assertion")!), {
          keys: localKeys({ keys: [published] }),
          algorithms: ["ES256"]
        })
        assert.strictEqual(
          body.get("client_assertion_type"),
          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        )
        assert.strictEqual(header["kid"], kid)
        const { jti, ...said } = claims
        assert.isString(jti)
        assert.deepStrictEqual(said, {
          iss: "workload",
          sub: "workload",
          aud: issuer,
          iat: 0,
          nbf: -60,
          exp: 60
        })
      }
    })
  )

  it.effect("asks an endpoint that it is told without discovery", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const source = yield* make(
        async (url) => {
          asked.push(url)
          return well(assertion, url)
        },
        { tokenEndpoint: "https://other.example/token" }
      )
      yield* source.assertion({})
      assert.deepStrictEqual(asked, ["https://other.example/token"])
    })
  )

  it.effect("says that an opaque token is no assertion, and what to ask for", () =>
    Effect.gen(function* () {
      const source = yield* make(async (url) => well("OPAQUE-TOKEN", url))
      const error = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.match(error.message, /not a JWT.*`audience`, `resource` or `scopes`/)
      assert.notInclude(visible(error), "OPAQUE-TOKEN")
    })
  )

  it.effect("takes a token whose answer does not say how long it lives: it says so itself", () =>
    Effect.gen(function* () {
      const source = yield* make(async (url) =>
        url.endsWith("/openid-configuration")
          ? Response.json(document)
          : Response.json({ access_token: assertion, token_type: "bearer" })
      )
      assert.strictEqual((yield* source.assertion({})).expiresAt, 900_000)
    })
  )

  it.effect("tells refusals with the one fix", () =>
    Effect.gen(function* () {
      for (const [code, hint] of [
        ["invalid_client", /client "workload".*token_endpoint_auth_method/],
        ["unauthorized_client", /the grant type client_credentials/],
        ["invalid_target", /`audience` or `resource`/],
        ["invalid_scope", /scopes that this client was granted/],
        ["constructor", /server's documentation/]
      ] as const) {
        const source = yield* make(async (url) =>
          url.endsWith("/openid-configuration") ? Response.json(document) : oauthError(code)()
        )
        const { reason } = yield* Effect.flip(source.assertion({}))
        assert.isTrue(reason._tag === "Rejected")
        assert.propertyVal(reason, "code", code)
        assert.match(Object(reason).hint, hint)
      }
    })
  )

  it.effect("believes no discovery document that points elsewhere than it may", () =>
    Effect.gen(function* () {
      for (const [metadata, problem] of [
        [{ ...document, issuer: `${issuer}/` }, /names another issuer, "https:\/\/idp.example\/"/],
        [{ ...document, issuer: undefined }, /names no issuer/],
        [{ ...document, jwks_uri: "http://idp.example/keys" }, /jwks_uri that is http/],
        [{ ...document, jwks_uri: undefined }, /has no jwks_uri/],
        [{ ...document, jwks_uri: "https://169.254.169.254/keys" }, /in a private network/],
        [
          { ...document, token_endpoint: "http://idp.example/token" },
          /token_endpoint that is http/
        ],
        [{ ...document, token_endpoint: "http://127.0.0.1/token" }, /in a private network/],
        [{ ...document, token_endpoint: "https://[fd00:ec2::23]/" }, /in a private network/],
        [{ ...document, token_endpoint: "https://a:b@idp.example/" }, /a user name or a password/],
        [{ ...document, token_endpoint: undefined }, /has no token_endpoint/]
      ] as const) {
        let sent = false
        const source = yield* make(async (url) => {
          sent ||= !url.endsWith("/openid-configuration")
          return well(assertion, url, metadata)
        })
        const error = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(error.reason._tag, "Malformed")
        assert.match(error.message, problem)
        assert.isFalse(sent, "nothing is sent there")
      }
      // Google's keys are on another host than its issuer.
      yield* sentBy({}, { ...document, jwks_uri: "https://keys.example/certs" })
    })
  )

  it.effect("says before any call which setting cannot work", () =>
    Effect.gen(function* () {
      const key = pem(privateKeys.p256)
      for (const [change, setting] of [
        [{ issuer: "http://idp.example" }, "issuer"],
        [{ issuer: undefined }, "tokenEndpoint"],
        [{ tokenEndpoint: "ftp://x" }, "tokenEndpoint"],
        [{ client: { id: "" } }, "client.id"],
        [{ client: { id: "a" } }, "client"],
        [{ client: { id: "a", authentication: "assertion" } }, "client"],
        [{ client: { id: "a", authentication: "client_secret_post" } }, "client"],
        [{ client: { ...client, authentication: "private_key_jwt" } }, "client.secret"],
        [{ client: { ...client, privateKey: key } }, "client.privateKey"],
        [{ client: { id: "a", privateKey: key, privateKeyFile: "x" } }, "client"],
        [{ client: { id: "a", certificateFile: "x" } }, "client"],
        [{ scopes: ["a b"] }, "scopes"],
        [{ resource: ["relative"] }, "resource"],
        [{ resource: ["https://a#b"] }, "resource"],
        [{ parameters: { client_secret: "x" } }, "parameters.client_secret"]
      ] as const) {
        const error = yield* Effect.flip(
          make(async () => assert.fail("a call"), change as Partial<ClientCredentialsSourceOptions>)
        )
        assert.strictEqual(error.stage, "configuration")
        assert.propertyVal(error.reason, "setting", setting)
      }
    })
  )

  it.effect("says so when a key cannot be used", () =>
    Effect.gen(function* () {
      const publicKey = createPublicKey(privateKeys.rsa).export({ type: "spki", format: "pem" })
      for (const [change, tag] of [
        [{ privateKey: Redacted.make(`${publicKey}`) }, "Misconfigured"],
        [{ privateKeyFile: "/nowhere/key.pem" }, "Unavailable"],
        [{ certificateFile: "/nowhere/a.pem", certificateKeyFile: "/nowhere/b.pem" }, "Unavailable"]
      ] as const) {
        const source = yield* make(async (url) => well(assertion, url), {
          client: { id: "a", ...change }
        })
        const { reason } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(reason._tag, tag)
      }
    })
  )
})
