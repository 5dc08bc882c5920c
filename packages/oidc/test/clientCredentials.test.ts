import { clientCredentials } from "@federate/oidc"
import type { ClientCredentialsOptions } from "@federate/oidc"
import { assertionFor, flowContract, tokenExchangerContract, visible } from "@federate/testing"
import type { Fetch } from "@federate/http"
import { AssertionSource, Malformed, Misconfigured, Transient } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"

const token = "THE-ACCESS-TOKEN"
const good = { access_token: token, token_type: "bearer", expires_in: 3599 }

const options: ClientCredentialsOptions = {
  name: "party",
  issuer: "https://party.example",
  tokenEndpoint: "https://party.example/token",
  clientId: "client",
  parameters: () => Result.succeed({ scope: "a b" })
}

const make = (fetch: Fetch, change: Partial<ClientCredentialsOptions> = {}) =>
  clientCredentials({ ...options, ...change, fetch })

const assertion = assertionFor("workload")

const exchanged = (fetch: Fetch, change: Partial<ClientCredentialsOptions> = {}) =>
  Effect.flatMap(make(fetch, change), (exchanger) => exchanger.exchange(assertion, {}))

tokenExchangerContract("client credentials", {
  make,
  well: () => Response.json(good),
  life: 3599,
  secrets: [token],
  refused: [
    {
      name: "an OAuth error",
      answer: () =>
        Response.json({ error: "invalid_client", error_description: "who?" }, { status: 401 }),
      becomes: "Rejected",
      code: "invalid_client",
      remedy: "none",
      hint: /issuer, subject and audience/
    },
    {
      name: "an OAuth error with a challenge",
      answer: () =>
        Response.json(
          { error: "invalid_client" },
          { status: 401, headers: { "www-authenticate": "Basic" } }
        ),
      becomes: "Rejected",
      code: "invalid_client"
    },
    {
      name: "an OAuth error that nobody knows",
      answer: () =>
        Response.json({ error: "own_invention", error_description: "hm" }, { status: 400 }),
      becomes: "Rejected",
      code: "own_invention"
    },
    {
      name: "an OAuth error with a busy status",
      answer: () => Response.json({ error: "temporarily_unavailable" }, { status: 503 }),
      becomes: "Transient"
    },
    {
      name: "an error that is none",
      answer: () => Response.json({ message: "no" }, { status: 400 }),
      becomes: "Malformed"
    }
  ]
})

flowContract("client credentials", {
  make: (fetch) =>
    Effect.map(make(fetch), (exchanger) => ({
      source: AssertionSource.fixed(assertion),
      exchanger
    })),
  well: () => Response.json(good),
  requests: 1,
  secrets: [token]
})

const answered = (body: unknown) => exchanged(async () => Response.json(body))

describe("clientCredentials", () => {
  it.effect("sends RFC 7523's request", () =>
    Effect.gen(function* () {
      let sent: { url: string; method: unknown; type: unknown; body: URLSearchParams } | undefined
      yield* exchanged(async (url, { body, headers, method }) => {
        sent = {
          url,
          method,
          type: new Headers(headers).get("content-type"),
          body: new URLSearchParams(String(body))
        }
        return Response.json(good)
      })
      assert.strictEqual(sent?.url, "https://party.example/token")
      assert.strictEqual(sent?.method, "POST")
      assert.match(String(sent?.type), /^application\/x-www-form-urlencoded/)
      assert.deepStrictEqual(Object.fromEntries(sent!.body), {
        grant_type: "client_credentials",
        client_id: "client",
        scope: "a b",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: Redacted.value(assertion.token)
      })
      assert.strictEqual([...sent!.body.keys()].length, 5, "no parameter twice")
    })
  )

  it.effect("takes the answer as clients want it", () =>
    Effect.gen(function* () {
      const credential = yield* answered({
        ...good,
        expires_in: "3599",
        refresh_in: 1800,
        scope: "a b",
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token"
      })
      assert.deepStrictEqual(
        { ...credential, token: Redacted.value(credential.token) },
        {
          _tag: "AccessToken",
          token,
          tokenType: "Bearer",
          obtainedAt: 0,
          expiresAt: 3_599_000,
          refreshAt: 1_800_000,
          scopes: ["a", "b"],
          issuedTokenType: "urn:ietf:params:oauth:token-type:access_token"
        }
      )
    })
  )

  it.effect("takes what was asked for as granted where the answer does not say", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* answered(good)).scopes, ["a", "b"])
      assert.deepStrictEqual((yield* answered({ ...good, scope: "a" })).scopes, ["a"])
    })
  )

  it.effect("takes no advice that it cannot read", () =>
    Effect.gen(function* () {
      for (const refresh_in of ["soon", 0, -5, null]) {
        assert.isUndefined((yield* answered({ ...good, refresh_in })).refreshAt)
      }
    })
  )

  it.effect("says what is unusable in an answer, and shows no token", () =>
    Effect.gen(function* () {
      for (const [change, problem] of [
        [{ expires_in: undefined }, /expires_in is absent/],
        [{ expires_in: 0 }, /not positive/],
        [{ expires_in: -1 }, /not positive/],
        [{ expires_in: "0" }, /not positive/],
        [{ expires_in: 1e300 }, /over 30 days/],
        [{ expires_in: 31 * 86_400 }, /over 30 days/],
        [{ expires_in: "3599abc" }, /not a number of seconds/],
        [{ expires_in: true }, /not a number of seconds/],
        [{ access_token: "" }, /access_token is absent/],
        [{ access_token: 5 }, /access_token is absent/],
        [{ token_type: undefined }, /token_type is absent/],
        [{ scope: 7 }, /not what RFC 6749/]
      ] as const) {
        const error = yield* Effect.flip(answered({ ...good, ...change }))
        assert.instanceOf(error.reason, Malformed)
        assert.match(error.message, problem)
        assert.notInclude(visible(error), token)
      }
    })
  )

  it.effect("asks the server what an error means", () =>
    Effect.gen(function* () {
      const fetch: Fetch = async () =>
        Response.json(
          { error: "invalid_client", error_codes: [90_033] },
          { status: 400, headers: { "retry-after": "5" } }
        )
      const { reason } = yield* Effect.flip(
        exchanged(fetch, {
          refused: ({ body, retryAt, status }, { subject }) =>
            new Transient({
              detail: `${JSON.stringify(body["error_codes"])} ${subject}`,
              status,
              retryAt: retryAt!
            })
        })
      )
      assert.deepInclude(reason, { detail: "[90033] workload", status: 400, retryAt: 5000 })
    })
  )

  it.effect("makes no call for a request that cannot be", () =>
    Effect.gen(function* () {
      let called = false
      const fetch: Fetch = async () => {
        called = true
        return Response.json(good)
      }
      const parameters = () =>
        Result.fail(new Misconfigured({ setting: "scopes", problem: "two", hint: "One." }))
      const { reason } = yield* Effect.flip(exchanged(fetch, { parameters }))
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.isFalse(called)
    })
  )

  it.effect("hides what a server echoes of the assertion", () =>
    Effect.gen(function* () {
      const echo = Redacted.value(assertion.token)
      const fetch: Fetch = async () =>
        Response.json(
          { error: "invalid_client", error_description: `bad: ${echo}` },
          { status: 401 }
        )
      const error = yield* Effect.flip(exchanged(fetch))
      assert.include(error.message, "bad: <redacted>")
      assert.notInclude(visible(error), echo)
    })
  )

  it.effect("speaks http to this machine alone", () =>
    Effect.gen(function* () {
      const fetch: Fetch = async () => Response.json(good)
      yield* exchanged(fetch, { tokenEndpoint: "http://127.0.0.1:9/token" })
      const error = yield* Effect.flip(make(fetch, { tokenEndpoint: "http://party.example/token" }))
      assert.strictEqual(error.stage, "configuration")
      assert.isTrue(
        error.reason._tag === "Misconfigured" && error.reason.setting === "tokenEndpoint"
      )
    })
  )
})
