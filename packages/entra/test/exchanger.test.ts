import { clouds, exchanger } from "@federate/entra"
import type { CloudName, Options } from "@federate/entra"
import { exchanger as adapter } from "@federate/entra/adapter"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"

const tenantId = "11111111-2222-3333-4444-555555555555"
const clientId = "66666666-7777-8888-9999-aaaaaaaaaaaa"
const graph = "https://graph.microsoft.com/.default"
const token = "THE-ACCESS-TOKEN"
const options: Options = { tenantId, clientId, scopes: [graph] }
const assertion = assertionFor("workload")

const good = () =>
  Response.json({
    token_type: "Bearer",
    expires_in: 3599,
    ext_expires_in: 3599,
    access_token: token
  })

const refusal = (code: number, error: string, status: number) => () =>
  Response.json(
    {
      error,
      error_description: `AADSTS${code}: It said no. Trace ID: t Correlation ID: c Timestamp: 2026-11-23 10:00:00Z`,
      error_codes: [code],
      timestamp: "2026-11-23 10:00:00Z",
      trace_id: "t",
      correlation_id: "c"
    },
    { status }
  )

tokenExchangerContract("Entra", {
  make: (fetch) => exchanger({ ...options, fetch }),
  well: good,
  life: 3599,
  secrets: [token],
  refused: [
    {
      name: "AADSTS700213",
      answer: refusal(700_213, "invalid_client", 401),
      becomes: "Rejected",
      code: "AADSTS700213",
      remedy: "waitForTrust",
      hint: /subject is "workload"/
    },
    {
      name: "AADSTS700024",
      answer: refusal(700_024, "invalid_client", 401),
      becomes: "Rejected",
      code: "AADSTS700024",
      remedy: "freshAssertion"
    },
    {
      name: "AADSTS90033 with status 400",
      answer: refusal(90_033, "invalid_request", 400),
      becomes: "Transient"
    },
    { name: "AADSTS90061", answer: refusal(90_061, "invalid_request", 400), becomes: "Transient" },
    {
      name: "a code that nobody has seen",
      answer: refusal(7_777_777, "invalid_client", 401),
      becomes: "Rejected",
      code: "AADSTS7777777",
      remedy: "none",
      hint: /error\?code=7777777/
    },
    {
      name: "an error without codes",
      answer: () =>
        Response.json({ error: "invalid_client", error_description: "no" }, { status: 401 }),
      becomes: "Rejected",
      code: "invalid_client"
    }
  ]
})

/** What is sent to where. */
const sent = (
  change: Partial<Options> = {},
  request: { scopes?: Array<string>; claims?: string } = {}
) =>
  Effect.gen(function* () {
    let seen: { readonly url: string; readonly body: Record<string, string> } | undefined
    const fetch: Fetch = async (url, { body }) => {
      seen = { url, body: Object.fromEntries(new URLSearchParams(String(body))) }
      return good()
    }
    const entra = yield* exchanger({ ...options, ...change, fetch })
    yield* entra.exchange(assertion, request)
    return seen!
  })

const problem = (
  change: Partial<Options>,
  request: { scopes?: Array<string>; claims?: string } = {}
) =>
  Effect.gen(function* () {
    let called = false
    const fetch: Fetch = async () => {
      called = true
      return good()
    }
    const error = yield* Effect.flip(
      Effect.flatMap(exchanger({ ...options, ...change, fetch }), (entra) =>
        entra.exchange(assertion, request)
      )
    )
    assert.isFalse(called, "no call is made")
    assert.strictEqual(error.reason._tag, "Misconfigured")
    return `${error.stage} ${error.message}`
  })

describe("the request", () => {
  it.effect("is Entra's, without a discovery round trip", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(), {
        url: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
        body: {
          grant_type: "client_credentials",
          client_id: clientId,
          scope: graph,
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: Redacted.value(assertion.token)
        }
      })
    })
  )

  it.effect("asks for the caller's scope, slash by slash, and sends a claims challenge on", () =>
    Effect.gen(function* () {
      const scopes = ["https://management.azure.com//.default"]
      const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
      const { body } = yield* sent({}, { scopes: [...scopes, ...scopes], claims })
      assert.strictEqual(body["scope"], scopes[0])
      assert.strictEqual(body["claims"], claims)
    })
  )

  it.effect("says what the client can do, within a challenge's own claims", () =>
    Effect.gen(function* () {
      const clientCapabilities = ["cp1"]
      const claims = (challenge?: string) =>
        Effect.map(
          sent({ clientCapabilities }, challenge === undefined ? {} : { claims: challenge }),
          ({ body }): unknown => JSON.parse(body["claims"]!)
        )
      const xms_cc = { values: ["cp1"] }
      assert.deepStrictEqual(yield* claims(), { access_token: { xms_cc } })
      const nbf = { essential: true, value: "1604106651" }
      assert.deepStrictEqual(
        yield* claims(
          JSON.stringify({ access_token: { nbf, xms_cc: null }, id_token: { a: null } })
        ),
        { access_token: { nbf, xms_cc }, id_token: { a: null } }
      )
      assert.match(
        yield* problem({ clientCapabilities }, { claims: '{"access_token":[]}' }),
        /claims: is not a JSON object of claims/
      )
    })
  )

  it.effect("goes to an authority of its own", () =>
    Effect.gen(function* () {
      for (const authorityHost of [
        "https://localhost:8443",
        "https://localhost:8443/",
        "http://127.0.0.1:8080/entra/"
      ]) {
        const { url } = yield* sent({ authorityHost })
        assert.strictEqual(url, `${authorityHost.replace(/\/$/, "")}/${tenantId}/oauth2/v2.0/token`)
      }
      assert.include(
        (yield* sent({ tenantId: "contoso.onmicrosoft.com" })).url,
        "/contoso.onmicrosoft.com/oauth2"
      )
    })
  )
})

describe("clouds", () => {
  const asked = (change: Partial<Options>) =>
    Effect.map(exchanger({ ...options, ...change }), ({ asks }) => asks)

  for (const [name, cloud] of Object.entries(clouds)) {
    it.effect(`${name} moves authority and audience together`, () =>
      Effect.gen(function* () {
        // The names of the clouds.
        const { url } = yield* sent({ cloud: name as CloudName })
        assert.isTrue(url.startsWith(`${cloud.authorityHost}/`))
        const asks = yield* asked({ cloud: name as CloudName })
        assert.strictEqual(asks.preferredAudience, "audience" in cloud ? cloud.audience : undefined)
        // A known authority brings its cloud's audience along.
        for (const authorityHost of [cloud.authorityHost, ...cloud.aliases]) {
          assert.strictEqual(
            (yield* asked({ authorityHost: `${authorityHost}/` })).preferredAudience,
            asks.preferredAudience
          )
        }
      })
    )
  }

  it.effect("an audience is demanded only when it is configured", () =>
    Effect.gen(function* () {
      assert.isUndefined((yield* asked({})).audience)
      assert.strictEqual((yield* asked({ audience: "the-pool" })).audience, "the-pool")
      assert.strictEqual(
        (yield* asked({ authorityHost: "https://localhost:1" })).preferredAudience,
        "api://AzureADTokenExchange"
      )
      assert.deepInclude(yield* asked({ cloud: "china", authorityHost: "https://localhost:1" }), {
        preferredAudience: "api://AzureADTokenExchangeChina"
      })
    })
  )

  it.effect("RSA is asked for, RS256 first", () =>
    Effect.gen(function* () {
      const { algorithms } = yield* asked({})
      assert.strictEqual(algorithms?.[0], "RS256")
      assert.isFalse(algorithms?.some((algorithm) => algorithm.startsWith("ES")))
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ tenantId: "common" }, /tenantId: "common" is no tenant/],
        [{ tenantId: "Organizations" }, /is no tenant/],
        [{ tenantId: "" }, /tenantId: "" is neither a GUID nor a domain/],
        [{ tenantId: "contoso" }, /neither a GUID nor a domain/],
        [{ tenantId: "a/../b.com" }, /neither a GUID nor a domain/],
        [{ clientId: "my-app" }, /clientId: "my-app" is not a GUID.*application \(client\) id/],
        [{ authorityHost: "http://login.microsoftonline.com" }, /authorityHost: is http to login/],
        [{ authorityHost: "login.microsoftonline.com" }, /authorityHost: is not an absolute URL/]
      ] as const) {
        assert.match(yield* problem(change), new RegExp(`^configuration .*${text.source}`))
      }
    })
  )

  it.effect("and so are requests", () =>
    Effect.gen(function* () {
      for (const [scopes, text] of [
        [[], /no scope is asked for/],
        [
          ["https://graph.microsoft.com"],
          /not of the form <resource>\/\.default.* write https:\/\/graph\.microsoft\.com\/\.default/
        ],
        [["User.Read"], /write User\.Read\/\.default/],
        [["/.default"], /not of the form/],
        [[""], /not of the form/],
        [["https://a/.default https://b/.default"], /by itself/],
        [["https://a/.default", "https://b/.default"], /2 scopes are asked for/]
      ] as const) {
        assert.match(
          yield* problem({}, { scopes: [...scopes] }),
          new RegExp(`^exchange .*${text.source}`)
        )
      }
      for (const claims of ["", "nonsense", "1", "null", "[]"]) {
        assert.match(yield* problem({}, { claims }), /claims: is not a JSON object/)
      }
    })
  )

  it.effect("without a default, a request must bring its scope", () =>
    Effect.gen(function* () {
      const { scopes: _, ...bare } = options
      const entra = yield* exchanger({ ...bare, fetch: async () => good() })
      assert.match((yield* Effect.flip(entra.exchange(assertion, {}))).message, /no scope/)
      yield* entra.exchange(assertion, { scopes: [graph] })
    })
  )
})

describe("lifetimes", () => {
  it.effect("are never read from the opaque token, and advice is heeded", () =>
    Effect.gen(function* () {
      const answered = (change: object) => {
        const answer = { access_token: token, token_type: "Bearer", expires_in: 86_399, ...change }
        return Effect.flatMap(
          exchanger({ ...options, fetch: async () => Response.json(answer) }),
          (entra) => entra.exchange(assertion, {})
        )
      }
      assert.strictEqual((yield* answered({ refresh_in: 43_199 })).refreshAt, 43_199_000)
      assert.strictEqual((yield* answered({ expires_in: "3599" })).expiresAt, 3_599_000)
      for (const expires_in of [undefined, 0, -1, 1e300, 31 * 86_400, "3599abc"]) {
        const { reason } = yield* Effect.flip(answered({ expires_in }))
        assert.strictEqual(reason._tag, "Malformed", String(expires_in))
      }
    })
  )
})

describe("the adapter", () => {
  it.effect("decodes its settings and makes the exchanger", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownEffect(adapter.config, {
        onExcessProperty: "error",
        errors: "all"
      })
      const settings = yield* decode({ ...options, cloud: "usGovernment" })
      const entra = yield* adapter.make(settings, { fetch: async () => good() })
      assert.strictEqual(entra.asks.preferredAudience, "api://AzureADTokenExchangeUSGov")
      const error = yield* Effect.flip(decode({ tenantId, clientID: clientId, cloud: "mars" }))
      for (const text of ["clientId", "clientID", "cloud"]) assert.include(error.message, text)
    })
  )
})
