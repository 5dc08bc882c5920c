import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { jwtBearer, selfSigned, tokenExchange } from "@federate/oidc"
import type { JwtBearerOptions, TokenExchangeOptions } from "@federate/oidc"
import {
  jwtBearer as jwtBearerAdapter,
  tokenExchange as tokenExchangeAdapter
} from "@federate/oidc/adapter"
import {
  adapterContract,
  assertionFor,
  flowContract,
  tokenExchangerContract,
  visible
} from "@federate/testing"
import type { Fetch } from "@federate/http"
import { AssertionSource } from "@federate/core"
import type { Rejected, TokenRequest } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { afterAll } from "vitest"
import { pem, privateKeys } from "./keys.ts"

const directory = mkdtempSync(join(tmpdir(), "federate-oidc-"))
afterAll(() => rmSync(directory, { recursive: true }))

const token = "THE-ACCESS-TOKEN"
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
const tokenEndpoint = "https://party.example/token"
const good = {
  access_token: token,
  issued_token_type: accessTokenType,
  token_type: "Bearer",
  expires_in: 3599
}
const assertion = assertionFor("workload")
const jwt = Redacted.value(assertion.token)

const oauthError =
  (error: unknown, status = 400) =>
  () =>
    Response.json({ error, error_description: "told so" }, { status })

const refused = [
  {
    name: "a subject that is not trusted",
    answer: oauthError("invalid_grant"),
    becomes: "Rejected",
    code: "invalid_grant",
    remedy: "none",
    hint: /issuer https:\/\/issuer.example, subject workload, audience party, algorithm RS256.*singleUse/
  },
  {
    name: "a subject token that is bad",
    answer: oauthError("invalid_request"),
    becomes: "Rejected",
    code: "invalid_request",
    remedy: "none",
    hint: /subject workload/
  },
  {
    name: "a target that is not known",
    answer: oauthError("invalid_target"),
    becomes: "Rejected",
    code: "invalid_target",
    hint: /`audience` or `resource`/
  },
  {
    name: "a client that is not named",
    answer: oauthError("invalid_client", 401),
    becomes: "Rejected",
    code: "invalid_client",
    hint: /by `client`/
  },
  {
    name: "a grant that this workload may not use",
    answer: oauthError("unauthorized_client"),
    becomes: "Rejected",
    code: "unauthorized_client",
    hint: /Allow this workload the grant type urn:/
  },
  {
    name: "a grant that the server does not know",
    answer: oauthError("unsupported_grant_type"),
    becomes: "Rejected",
    code: "unsupported_grant_type",
    hint: /party.example\/token does not know urn:.*grant_types_supported/
  },
  {
    name: "a scope that was not granted",
    answer: oauthError("invalid_scope"),
    becomes: "Rejected",
    code: "invalid_scope",
    hint: /scopes/
  },
  {
    name: "an error of a service's own, nested",
    answer: () =>
      Response.json(
        { error: { type: "authentication_error", message: "Authentication failed" } },
        { status: 401 }
      ),
    becomes: "Rejected",
    code: "authentication_error",
    hint: /subject workload/
  },
  {
    name: "a nested error with a code, which says more than its type",
    answer: () =>
      Response.json(
        { error: { type: "invalid_request_error", code: "invalid_grant", message: "no" } },
        { status: 401 }
      ),
    becomes: "Rejected",
    code: "invalid_grant",
    hint: /subject workload/
  },
  {
    name: "an error that is about something else",
    answer: oauthError("billing", 402),
    becomes: "Rejected",
    code: "billing",
    hint: /documentation/
  },
  {
    name: "a busy server that names an error",
    answer: oauthError("server_error", 500),
    becomes: "Transient"
  },
  { name: "a nested error that says nothing", answer: oauthError({}), becomes: "Malformed" }
] as const

const exchanging = (fetch: Fetch, change: Partial<TokenExchangeOptions> = {}) =>
  tokenExchange({ tokenEndpoint, ...change, fetch })
const bearing = (fetch: Fetch, change: Partial<JwtBearerOptions> = {}) =>
  jwtBearer({ tokenEndpoint, ...change, fetch })

for (const [name, make] of [
  ["token exchange", exchanging],
  ["token exchange in JSON", (fetch: Fetch) => exchanging(fetch, { body: "json" })],
  ["the JWT bearer grant", bearing],
  ["the JWT bearer grant in JSON", (fetch: Fetch) => bearing(fetch, { body: "json" })]
] as const) {
  tokenExchangerContract(name, {
    make: (fetch) => make(fetch),
    well: () => Response.json(good),
    life: 3599,
    secrets: [token],
    refused
  })
}

flowContract("token exchange", {
  make: (fetch) =>
    Effect.map(exchanging(fetch), (exchanger) => ({
      source: AssertionSource.fixed(assertion),
      exchanger
    })),
  well: () => Response.json(good),
  requests: 1,
  secrets: [token]
})

flowContract("token exchange of a self-signed assertion", {
  make: Effect.fnUntraced(function* (fetch) {
    return {
      source: yield* selfSigned({
        issuer: "https://id.example",
        subject: "build",
        privateKey: pem(privateKeys.p256)
      }),
      exchanger: yield* exchanging(fetch)
    }
  }),
  well: () => Response.json(good),
  requests: 1,
  stale: oauthError("invalid_grant"),
  secrets: [token, Redacted.value(pem(privateKeys.p256)).slice(40, 80)]
})

adapterContract("token-exchange", {
  adapter: tokenExchangeAdapter,
  settings: {},
  usual: { tokenEndpoint },
  well: () => Response.json(good)
})
adapterContract("jwt-bearer", {
  adapter: jwtBearerAdapter,
  settings: {},
  usual: { tokenEndpoint },
  well: () => Response.json(good)
})

/** What was sent for one exchange. */
const sent = Effect.fnUntraced(function* (
  make: (fetch: Fetch) => ReturnType<typeof bearing>,
  request: TokenRequest.TokenRequest = {},
  answer: object = good
) {
  const requests: Array<{ url: string; headers: Headers; body: string }> = []
  const exchanger = yield* make(async (url, { body, headers }) => {
    requests.push({ url, headers: new Headers(headers), body: String(body) })
    return Response.json(answer)
  })
  const credential = yield* exchanger.exchange(assertion, request)
  return { ...requests.at(-1)!, credential, exchanger }
})

const parameters = (body: string) => [...new URLSearchParams(body)].toSorted()

const own = { subject_token: jwt, subject_token_type: "urn:ietf:params:oauth:token-type:jwt" }
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
const bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

describe("tokenExchange", () => {
  it.effect("sends RFC 8693's request, and takes its answer", () =>
    Effect.gen(function* () {
      const { body, credential, headers, url } = yield* sent((fetch) => exchanging(fetch))
      assert.strictEqual(url, tokenEndpoint)
      assert.match(headers.get("content-type")!, /^application\/x-www-form-urlencoded/)
      assert.deepStrictEqual(
        parameters(body),
        Object.entries({ grant_type: exchangeGrant, ...own }).toSorted()
      )
      assert.deepInclude(credential, { tokenType: "Bearer", issuedTokenType: accessTokenType })
    })
  )

  it.effect("sends all that may be said of the target, each as often as it is set", () =>
    Effect.gen(function* () {
      const all: Partial<TokenExchangeOptions> = {
        audience: ["a", "b"],
        resource: ["https://x.example", "https://y.example"],
        scopes: ["s", "t"],
        subjectTokenType: "id_token",
        requestedTokenType: accessTokenType,
        actor: AssertionSource.fixed(assertionFor("agent")),
        parameters: { policy: "p" }
      }
      const { body } = yield* sent((fetch) => exchanging(fetch, all))
      assert.deepStrictEqual(
        parameters(body),
        [
          ["actor_token", Redacted.value(assertionFor("agent").token)],
          ["actor_token_type", "urn:ietf:params:oauth:token-type:jwt"],
          ["audience", "a"],
          ["audience", "b"],
          ["grant_type", exchangeGrant],
          ["policy", "p"],
          ["requested_token_type", accessTokenType],
          ["resource", "https://x.example"],
          ["resource", "https://y.example"],
          ["scope", "s t"],
          ["subject_token", jwt],
          ["subject_token_type", "urn:ietf:params:oauth:token-type:id_token"]
        ].toSorted()
      )
      const asked = yield* sent((fetch) => exchanging(fetch, all), {
        audience: "c",
        scopes: ["u"]
      })
      const form = new URLSearchParams(asked.body)
      assert.deepStrictEqual([form.getAll("audience"), form.get("scope")], [["c"], "u"])
    })
  )

  it.effect("asks the actor's source as it asks for the assertion", () =>
    Effect.gen(function* () {
      const asked: Array<AssertionSource.AssertionRequest> = []
      const actor = AssertionSource.make({
        name: "actor",
        assertion: (request) => Effect.sync(() => (asked.push(request), assertionFor("agent")))
      })
      yield* sent((fetch) => exchanging(fetch, { actor, singleUse: true, assertionAudience: "a" }))
      assert.deepStrictEqual(asked, [{ preferredAudience: tokenEndpoint, singleUse: true }])
    })
  )

  it.effect("takes what was asked for as granted, and what is no access token as N_A", () =>
    Effect.gen(function* () {
      const { credential } = yield* sent(
        (fetch) => exchanging(fetch, { scopes: ["s"], requestedTokenType: "jwt" }),
        {},
        { ...good, token_type: "N_A", issued_token_type: "urn:ietf:params:oauth:token-type:jwt" }
      )
      assert.deepInclude(credential, { tokenType: "N_A", scopes: ["s"] })
    })
  )

  it.effect("takes no token of another type than it asked for, nor of one that is not told", () =>
    Effect.gen(function* () {
      for (const [change, answer, problem] of [
        [{}, { ...good, issued_token_type: undefined }, /no issued_token_type/],
        [{ requestedTokenType: "id_token" }, good, /another type of token than urn:.*id_token/]
      ] as const) {
        const error = yield* Effect.flip(sent((fetch) => exchanging(fetch, change), {}, answer))
        assert.isTrue(error.reason._tag === "Malformed")
        assert.match(error.message, problem)
      }
      // RFC 8693 does not speak of JSON.
      yield* sent(
        (fetch) => exchanging(fetch, { body: "json" }),
        {},
        { ...good, issued_token_type: undefined }
      )
    })
  )

  it.effect("asks where the issuer's discovery document says, and prefers assertions for it", () =>
    Effect.gen(function* () {
      const issuer = "https://as.example/realm"
      const asked: Array<string> = []
      const exchanger = yield* tokenExchange({
        issuer,
        fetch: async (url) => {
          asked.push(url)
          return Response.json(
            asked.length === 1
              ? { issuer, jwks_uri: `${issuer}/keys`, token_endpoint: `${issuer}/token` }
              : good
          )
        }
      })
      yield* exchanger.exchange(assertion, {})
      assert.deepStrictEqual(asked, [
        `${issuer}/.well-known/openid-configuration`,
        `${issuer}/token`
      ])
      assert.deepStrictEqual(exchanger.asks, { preferredAudience: issuer })
      const told = yield* exchanging(globalThis.fetch, {
        assertionAudience: "a",
        algorithms: ["ES256"],
        singleUse: true
      })
      assert.deepStrictEqual(told.asks, {
        preferredAudience: tokenEndpoint,
        audience: "a",
        algorithms: ["ES256"],
        singleUse: true
      })
    })
  )

  it.effect("says which setting cannot work, before any call", () =>
    Effect.gen(function* () {
      for (const [change, setting] of [
        [{ tokenEndpoint: undefined }, "tokenEndpoint"],
        [{ tokenEndpoint: "http://party.example/" }, "tokenEndpoint"],
        [{ issuer: "x" }, "issuer"],
        [{ subjectTokenType: "idtoken" }, "subjectTokenType"],
        [{ requestedTokenType: "" }, "requestedTokenType"],
        [{ actorTokenType: "jwt" }, "actorTokenType"],
        [{ actor: AssertionSource.fixed(assertion), actorTokenType: "x" }, "actorTokenType"],
        [{ client: { id: "a", certificateFile: "x" } }, "client"],
        [{ scopes: ["a b"] }, "scopes"],
        [{ resource: ["/x"] }, "resource"],
        [{ parameters: { subject_token: "x" } }, "parameters.subject_token"],
        [{ service: "openai" }, "parameters.identity_provider_id"],
        [
          { service: "openrouter", parameters: { federation_policy_id: "" } },
          "parameters.federation_policy_id"
        ]
      ] as const) {
        const error = yield* Effect.flip(
          exchanging(
            async () => assert.fail("a call"),
            change as unknown as Partial<TokenExchangeOptions>
          )
        )
        assert.strictEqual(error.stage, "configuration")
        assert.propertyVal(error.reason, "setting", setting, visible(error))
      }
    })
  )
})

describe("jwtBearer", () => {
  it.effect("sends RFC 7523's request", () =>
    Effect.gen(function* () {
      const { body } = yield* sent((fetch) => bearing(fetch), { scopes: ["s"] })
      assert.deepStrictEqual(parameters(body), [
        ["assertion", jwt],
        ["grant_type", bearerGrant],
        ["scope", "s"]
      ])
    })
  )

  it.effect("has no place for a caller's audience", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(
        sent((fetch) => bearing(fetch), { audience: "someone" })
      )
      assert.propertyVal(reason, "setting", "audience")
    })
  )

  it.effect("takes the documented life of a token where the answer does not say", () =>
    Effect.gen(function* () {
      const { expires_in: _, ...silent } = good
      const { reason } = yield* Effect.flip(sent((fetch) => bearing(fetch), {}, silent))
      assert.strictEqual(reason._tag, "Malformed")
      const told = yield* sent((fetch) => bearing(fetch, { lifetime: "5 minutes" }), {}, silent)
      assert.strictEqual(told.credential.expiresAt, 300_000)
      const both = yield* sent((fetch) => bearing(fetch, { lifetime: "5 minutes" }))
      assert.strictEqual(both.credential.expiresAt, 3_599_000)
    })
  )

  it.effect("proves its client by secret, key, or the assertion itself", () =>
    Effect.gen(function* () {
      const secret = Redacted.make("s")
      const basic = yield* sent((fetch) => bearing(fetch, { client: { id: "c", secret } }))
      assert.strictEqual(basic.headers.get("authorization"), `Basic ${btoa("c:s")}`)
      const named = yield* sent((fetch) => bearing(fetch, { client: { id: "c" } }))
      assert.include(named.body, "client_id=c")
      const signed = yield* sent((fetch) =>
        bearing(fetch, { client: { id: "c", privateKey: pem(privateKeys.p256) } })
      )
      assert.match(signed.body, /client_assertion=eyJ/)
      const federated = yield* sent((fetch) =>
        bearing(fetch, { client: { id: "c", authentication: "assertion" } })
      )
      const form = new URLSearchParams(federated.body)
      assert.deepInclude(Object.fromEntries(form), {
        client_id: "c",
        client_assertion: jwt,
        assertion: jwt
      })
    })
  )

  it.effect("says whose client was refused", () =>
    Effect.gen(function* () {
      for (const [client, hint] of [
        [{ id: "c", secret: Redacted.make("s") }, /"c".*client_secret_basic/],
        [{ id: "c", authentication: "assertion" }, /did not prove the client "c"/]
      ] as const) {
        const exchanger = yield* bearing(async () => oauthError("invalid_client", 401)(), {
          client
        })
        const { reason } = yield* Effect.flip(exchanger.exchange(assertion, {}))
        assert.match((reason as Rejected).hint, hint)
      }
    })
  )
})

describe("a service that wants JSON, or names of its own", () => {
  it.effect("is asked in JSON, with what is said several times as a list", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* sent((fetch) =>
        exchanging(fetch, { body: "json", audience: ["a", "b"], scopes: ["s"] })
      )
      assert.strictEqual(headers.get("content-type"), "application/json")
      assert.deepStrictEqual(JSON.parse(body), {
        grant_type: exchangeGrant,
        ...own,
        audience: ["a", "b"],
        scope: "s"
      })
    })
  )

  it.effect("is told the same in a form and in JSON, whatever is to be told", () =>
    Effect.gen(function* () {
      const told = Object.fromEntries(
        ["", " ", "+", "&=", "%", "ü", '"', "\\", "\u0000", "\n", "😀"].map((text) => [
          `own${text}`,
          text
        ])
      )
      const form = yield* sent((fetch) => bearing(fetch, { parameters: told }))
      const inJson = yield* sent((fetch) => bearing(fetch, { parameters: told, body: "json" }))
      const all = { grant_type: bearerGrant, assertion: jwt, ...told }
      assert.deepEqual<unknown>(JSON.parse(inJson.body), all)
      assert.deepEqual<unknown>(Object.fromEntries(new URLSearchParams(form.body)), all)
    })
  )

  it.effect("is asked, and understood, by its own names", () =>
    Effect.gen(function* () {
      const { body, credential } = yield* sent(
        (fetch) =>
          bearing(fetch, {
            body: "json",
            names: { assertion: "idToken", access_token: "accessToken", expires_in: "ttl" }
          }),
        {},
        { accessToken: token, ttl: 60, token_type: "bearer" }
      )
      assert.deepStrictEqual(JSON.parse(body), { grant_type: bearerGrant, idToken: jwt })
      assert.strictEqual(Redacted.value(credential.token), token)
      assert.strictEqual(credential.expiresAt, 60_000)
    })
  )

  it.effect("is known by its name: OpenAI, OpenRouter, Anthropic", () =>
    Effect.gen(function* () {
      const openai = yield* sent((fetch) =>
        tokenExchange({
          service: "openai",
          parameters: { identity_provider_id: "idp_1", service_account_id: "sa_1" },
          fetch
        })
      )
      assert.strictEqual(openai.url, "https://auth.openai.com/oauth/token")
      assert.deepStrictEqual(JSON.parse(openai.body), {
        grant_type: exchangeGrant,
        ...own,
        identity_provider_id: "idp_1",
        service_account_id: "sa_1"
      })
      const openrouter = yield* sent((fetch) =>
        tokenExchange({
          service: "openrouter",
          parameters: { federation_policy_id: "p" },
          scopes: ["inference"],
          fetch
        })
      )
      assert.strictEqual(openrouter.url, "https://openrouter.ai/api/v1/oauth/token")
      assert.include(openrouter.body, "federation_policy_id=p")
      const ids = { federation_rule_id: "fdrl_1", organization_id: "o", service_account_id: "s" }
      const anthropic = yield* sent((fetch) =>
        jwtBearer({ service: "anthropic", parameters: ids, fetch })
      )
      assert.strictEqual(anthropic.url, "https://api.anthropic.com/v1/oauth/token")
      assert.deepStrictEqual(JSON.parse(anthropic.body), {
        grant_type: bearerGrant,
        assertion: jwt,
        ...ids
      })
      assert.isTrue(anthropic.exchanger.asks.singleUse)
      assert.strictEqual(anthropic.exchanger.name, "anthropic")
    })
  )

  it.effect("is asked elsewhere, where that is set", () =>
    Effect.gen(function* () {
      const { url } = yield* sent((fetch) =>
        tokenExchange({
          service: "openrouter",
          tokenEndpoint: "http://127.0.0.1:9/token",
          parameters: { federation_policy_id: "p" },
          fetch
        })
      )
      assert.strictEqual(url, "http://127.0.0.1:9/token")
    })
  )
})

describe("a refused assertion", () => {
  const refusedAt = Effect.fnUntraced(function* (seconds: number, error = "invalid_grant") {
    yield* TestClock.setTime(seconds * 1000)
    const exchanger = yield* bearing(async () => oauthError(error)())
    const { reason } = yield* Effect.flip(exchanger.exchange(assertion, {}))
    return reason as Rejected
  })

  it.effect("is worth another one when it was old, and not when it was new", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* refusedAt(449)).remedy, "none")
      assert.strictEqual((yield* refusedAt(450)).remedy, "freshAssertion")
      assert.strictEqual((yield* refusedAt(2000)).remedy, "freshAssertion")
      assert.strictEqual((yield* refusedAt(2000, "invalid_scope")).remedy, "none")
    })
  )
})

describe("the settings in a config file", () => {
  it.effect("make both exchangers, over the app's fetch", () =>
    Effect.gen(function* () {
      const decode = <A>(config: Schema.Decoder<A>, settings: unknown) =>
        Schema.decodeUnknownEffect(config, { onExcessProperty: "error" })(settings)
      const actorTokenFile = join(directory, "actor")
      writeFileSync(actorTokenFile, `${Redacted.value(assertionFor("agent").token)}\n`)
      const settings = yield* decode(tokenExchangeAdapter.config, {
        tokenEndpoint,
        client: { id: "c", secret: "THE-SECRET" },
        scopes: ["s"],
        lifetime: "5m",
        actorTokenFile
      })
      assert.notInclude(visible(settings), "THE-SECRET")
      assert.deepStrictEqual(tokenExchangeAdapter.scopes?.(settings), ["s"])
      const { body } = yield* sent((fetch) => tokenExchangeAdapter.make(settings, { fetch }))
      assert.strictEqual(
        new URLSearchParams(body).get("actor_token"),
        Redacted.value(assertionFor("agent").token)
      )
      rmSync(actorTokenFile)
      const { reason } = yield* Effect.flip(
        sent((fetch) => tokenExchangeAdapter.make(settings, { fetch }))
      )
      assert.strictEqual(reason._tag, "Unavailable")
      const bearer = yield* decode(jwtBearerAdapter.config, { tokenEndpoint, scopes: ["s"] })
      assert.deepStrictEqual(jwtBearerAdapter.scopes?.(bearer), ["s"])
      yield* sent((fetch) => jwtBearerAdapter.make(bearer, { fetch }))
    })
  )
})
