import {
  clientCredentialsSource,
  generateSigningKey,
  readSigningKey,
  remoteKeys,
  verify
} from "@federate/oidc"
import { Fault, Sandbox } from "@federate/sandbox"
import type { Options, TokenOptions } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"

const types = "urn:ietf:params:oauth:token-type:"
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
const bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

const start = Effect.fnUntraced(function* (oauth: Options["oauth"] = {}) {
  yield* TestClock.setTime(Date.now())
  const sandbox = yield* Sandbox.make({ setup: "empty", oauth })
  const { issuer } = sandbox.oauth
  /** An assertion that is trusted, or nearly. */
  const assertion = (change: Partial<TokenOptions> = {}, name = "workload") =>
    Effect.promise(() =>
      sandbox.issueToken(name, { subject: "workload", audience: issuer, ...change })
    )
  const post = (body: string, headers: Record<string, string> = {}) =>
    Effect.promise(async () => {
      const response = await fetch(`${sandbox.http}/oauth/token`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body
      })
      // Each test says what it expects of it.
      const answer = (await response.json()) as Readonly<Record<string, string>>
      return { status: response.status, headers: response.headers, answer }
    })
  const send = (parameters: Record<string, string>, headers?: Record<string, string>) =>
    post(new URLSearchParams(parameters).toString(), headers)
  const exchange = Effect.fnUntraced(function* (
    change: Record<string, string> = {},
    token?: Partial<TokenOptions>
  ) {
    return yield* send({
      grant_type: exchangeGrant,
      subject_token: yield* assertion(token),
      subject_token_type: `${types}jwt`,
      ...change
    })
  })
  const bear = Effect.fnUntraced(function* (
    token?: Partial<TokenOptions>,
    name?: string,
    headers?: Record<string, string>
  ) {
    return yield* send(
      { grant_type: bearerGrant, assertion: yield* assertion(token, name) },
      headers
    )
  })
  return { sandbox, assertion, post, send, exchange, bear }
})

describe("token exchange (RFC 8693)", () => {
  it.effect("issues an access token about the subject, for the target, which its keys verify", () =>
    Effect.gen(function* () {
      const { exchange, sandbox } = yield* start()
      const { answer, headers, status } = yield* exchange({
        audience: "https://api.example",
        scope: "read"
      })
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("cache-control"), "no-store")
      const { access_token: token = "", ...rest } = answer
      assert.deepEqual<unknown>(rest, {
        issued_token_type: `${types}access_token`,
        token_type: "Bearer",
        expires_in: 300,
        scope: "read"
      })
      const { issuer } = sandbox.oauth
      const relocated = (url: string, init: RequestInit) =>
        fetch(url.replace(sandbox.https, sandbox.http), init)
      const { claims } = yield* verify(Redacted.make(token), {
        keys: yield* remoteKeys({ issuer, fetch: relocated }),
        algorithms: ["RS256"],
        issuer,
        subject: "workload",
        audience: "https://api.example"
      })
      assert.strictEqual(claims["scope"], "read")
    })
  )

  it.effect("records who acts, and issues a JWT that is no access token as N_A", () =>
    Effect.gen(function* () {
      const { assertion, exchange } = yield* start({
        trust: [
          { issuer: "workload", subject: "workload" },
          { issuer: "agents", subject: "agent" }
        ]
      })
      const { answer } = yield* exchange({
        actor_token: yield* assertion({ subject: "agent" }, "agents"),
        actor_token_type: `${types}id_token`,
        requested_token_type: `${types}jwt`
      })
      assert.strictEqual(answer["token_type"], "N_A")
      assert.strictEqual(answer["issued_token_type"], `${types}jwt`)
      const [, claims = ""] = answer["access_token"]!.split(".")
      const { act } = JSON.parse(Buffer.from(claims, "base64url").toString())
      assert.strictEqual(act.sub, "agent")
    })
  )

  it.effect("refuses what RFC 6749 and RFC 8693 refuse, by its code", () =>
    Effect.gen(function* () {
      const { assertion, exchange, post, send } = yield* start()
      const token = yield* assertion()
      const refused = Effect.fnUntraced(function* (call: ReturnType<typeof send>, error: string) {
        const { answer, status } = yield* call
        assert.strictEqual(status, error === "invalid_client" ? 401 : 400)
        assert.strictEqual(answer["error"], error)
        assert.match(answer["error_description"]!, /^[ !#-[\]-~]+$/)
      })
      for (const [change, error] of [
        [{ grant_type: "" }, "invalid_request"],
        [{ grant_type: "client_credentials" }, "unsupported_grant_type"],
        [{ subject_token: "" }, "invalid_request"],
        [{ subject_token: "opaque" }, "invalid_request"],
        [{ subject_token_type: "" }, "invalid_request"],
        [{ subject_token_type: `${types}saml2` }, "invalid_request"],
        [{ requested_token_type: `${types}refresh_token` }, "invalid_request"],
        [{ actor_token: token }, "invalid_request"],
        [{ actor_token_type: `${types}jwt` }, "invalid_request"],
        [{ audience: "elsewhere" }, "invalid_target"],
        [{ resource: "https://elsewhere.example" }, "invalid_target"],
        [{ scope: "admin" }, "invalid_scope"],
        [{ client_id: "somebody" }, "invalid_client"]
      ] as const) {
        yield* refused(exchange(change), error)
      }
      const body = `grant_type=${exchangeGrant}&subject_token=${token}&subject_token_type=${types}jwt`
      yield* refused(post(`${body}&subject_token=${token}`), "invalid_request")
      yield* refused(post("{}", { "content-type": "application/json" }), "invalid_request")
      // What has no value is as if it were not there.
      assert.strictEqual((yield* post(`${body}&scope=&audience=&client_id=`)).status, 200)
      const target = "resource=https://api.example"
      assert.strictEqual((yield* post(`${body}&${target}&${target}`)).status, 200)
    })
  )
})

describe("the JWT bearer grant (RFC 7523)", () => {
  it.effect("believes only whom it trusts, in time, and for itself", () =>
    Effect.gen(function* () {
      const { bear, sandbox } = yield* start()
      assert.strictEqual((yield* bear()).status, 200)
      assert.strictEqual((yield* bear({ audience: sandbox.oauth.tokenEndpoint })).status, 200)
      for (const [token, name, detail] of [
        [{}, "somebody", /issuer/],
        [{ subject: "another" }, "workload", /subject/],
        [{ subject: "Workload" }, "workload", /subject/],
        [{ audience: "another" }, "workload", /audience/],
        [{ lifetime: -120_000 }, "workload", /time/],
        [{ lifetime: 25 * 3_600_000 }, "workload", /too long/],
        [{ algorithm: "RS512" }, "workload", /algorithm/],
        [{ header: { kid: "gone" } }, "workload", /key/],
        [{ claims: { iat: undefined } }, "workload", /iat/]
      ] as const) {
        const { answer, status } = yield* bear(token, name)
        assert.strictEqual(status, 400)
        assert.strictEqual(answer["error"], "invalid_grant")
        assert.match(answer["error_description"]!, detail)
      }
      sandbox.skew("oauth", 50_000)
      assert.strictEqual((yield* bear()).status, 200)
      sandbox.skew("oauth", -50_000)
      assert.strictEqual((yield* bear()).status, 200)
      for (const off of [10 * 60_000, -10 * 60_000]) {
        sandbox.skew("oauth", off)
        assert.strictEqual((yield* bear()).answer["error"], "invalid_grant")
      }
    })
  )

  it.effect("takes each assertion once, where it is told to", () =>
    Effect.gen(function* () {
      const { send, assertion } = yield* start({ singleUse: true })
      const token = yield* assertion({ claims: { jti: "one" } })
      const call = send({ grant_type: bearerGrant, assertion: token })
      assert.strictEqual((yield* call).status, 200)
      assert.match((yield* call).answer["error_description"]!, /used before/)
      // One without an id is known again all the same.
      const nameless = send({ grant_type: bearerGrant, assertion: yield* assertion() })
      assert.strictEqual((yield* nameless).status, 200)
      assert.match((yield* nameless).answer["error_description"]!, /used before/)
    })
  )

  it.effect("knows its clients by secret, basic or posted, and by their keys", () =>
    Effect.gen(function* () {
      const text = yield* generateSigningKey("ES256")
      const { published, sign } = yield* readSigningKey("", text)
      const { bear, sandbox, send, assertion } = yield* start({
        clients: [
          { id: "s", secret: "a:b c" },
          { id: "k", jwks: { keys: [published] } },
          { id: "g", secret: "x", grants: [exchangeGrant] }
        ]
      })
      const basic = (id: string, secret: string) => ({
        authorization: `Basic ${btoa(`${id}:${encodeURIComponent(secret).replace(/%20/g, "+")}`)}`
      })
      const own = { grant_type: bearerGrant, assertion: yield* assertion() }
      const now = Math.floor(Date.now() / 1000)
      let n = 0
      const signed = Effect.fnUntraced(function* (change: Record<string, unknown> = {}) {
        const token = yield* sign({
          iss: "k",
          sub: "k",
          aud: sandbox.oauth.issuer,
          exp: now + 60,
          jti: `${n++}`,
          ...change
        })
        return {
          ...own,
          client_id: "k",
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: Redacted.value(token)
        }
      })
      assert.strictEqual((yield* bear({}, "workload", basic("s", "a:b c"))).status, 200)
      assert.strictEqual(
        (yield* send({ ...own, client_id: "s", client_secret: "a:b c" })).status,
        200
      )
      assert.strictEqual((yield* send(yield* signed())).status, 200)
      const once = yield* signed()
      yield* send(once)
      for (const call of [
        bear(),
        bear({}, "workload", basic("s", "wrong")),
        bear({}, "workload", { authorization: "Basic !" }),
        bear({}, "workload", { authorization: "Bearer x" }),
        send({ ...own, client_id: "s" }),
        send({ ...own, client_id: "k", client_secret: "x" }),
        send(once),
        send(yield* signed({ aud: [sandbox.oauth.issuer] })),
        send(yield* signed({ aud: sandbox.oauth.tokenEndpoint })),
        send(yield* signed({ sub: "s" })),
        send(yield* signed({ exp: now - 120 }))
      ]) {
        const { answer, headers, status } = yield* call
        assert.strictEqual(answer["error"], "invalid_client")
        assert.strictEqual(status, 401)
        assert.isTrue(headers.has("www-authenticate"))
      }
      const both = yield* send(
        { ...own, client_id: "s", client_secret: "a:b c" },
        basic("s", "a:b c")
      )
      assert.strictEqual(both.answer["error"], "invalid_request")
      const other = yield* bear({}, "workload", basic("g", "x"))
      assert.strictEqual(other.answer["error"], "unauthorized_client")
    })
  )

  it.effect("rotates its keys, and fails as a busy server does", () =>
    Effect.gen(function* () {
      const { bear, sandbox } = yield* start()
      assert.deepStrictEqual(sandbox.rotateKeys("oauth"), ["oauth-2"])
      const { keys } = yield* Effect.promise(async () => {
        const response = await fetch(`${sandbox.http}/oauth/keys`)
        return (await response.json()) as { readonly keys: ReadonlyArray<unknown> }
      })
      assert.lengthOf(keys, 2)
      sandbox.fault("oauth.token", Fault.status(503))
      assert.strictEqual((yield* bear()).status, 503)
      sandbox.clearFaults()
      sandbox.fault("oauth.*", Fault.throttled(3))
      assert.strictEqual((yield* bear()).headers.get("retry-after"), "3")
    })
  )

  it.effect("gives no client credentials: it is for assertions", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* start()
      const source = yield* clientCredentialsSource({
        issuer: sandbox.oauth.issuer,
        client: { id: "a", secret: Redacted.make("b") },
        fetch: (url, init) => fetch(url.replace(sandbox.https, sandbox.http), init)
      })
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.propertyVal(reason, "code", "invalid_client")
    })
  )
})
