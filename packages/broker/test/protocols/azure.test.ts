import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Misconfigured, Rejected, Transient } from "@federate/core"
import { Effect } from "effect"
import { serving, tokens } from "../serving.ts"
import type { Got } from "../serving.ts"

const graph = "https://graph.microsoft.com"
const vault = "https://vault.azure.net"
const appServicePath = `/msi/token?api-version=2019-08-01&resource=${graph}`
const imdsPath = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${graph}`
const imds = { headers: { Metadata: "true" } }

/** A broker over one flow for Azure, and its secret as a header. */
const one = Effect.gen(function* () {
  const flow = yield* tokens("graph", { cloud: "azure", client: "App-Id" })
  const broker = yield* serving([flow.served])
  const secret = broker.variables["IDENTITY_HEADER"]!
  return { ...flow, ...broker, secret, headers: { "X-IDENTITY-HEADER": secret } }
})

const keys = [
  "access_token",
  "client_id",
  "expires_in",
  "expires_on",
  "ext_expires_in",
  "not_before",
  "resource",
  "token_type"
]

/** What every Azure client reads, as the strictest of them reads it. */
const isToken = ({ headers, json, status }: Got, token: string) => {
  assert.strictEqual(status, 200)
  assert.strictEqual(headers["content-type"], "application/json")
  assert.strictEqual(headers["cache-control"], "no-store")
  const body = json()
  assert.deepEqual(Object.keys(body), keys)
  for (const value of Object.values(body)) assert.isString(value)
  assert.strictEqual(body["access_token"], token)
  for (const key of ["expires_in", "expires_on", "ext_expires_in", "not_before"]) {
    assert.match(String(body[key]), /^\d+$/)
  }
  const left = Number(body["expires_in"])
  assert.isTrue(left > 3590 && left <= 3600)
  assert.approximately(Number(body["expires_on"]), Date.now() / 1000 + left, 2)
}

describe("App Service", () => {
  it.live("answers 2019-08-01 with everything as text, expires_in before expires_on", () =>
    Effect.gen(function* () {
      const { ask, headers } = yield* one
      const got = yield* ask(appServicePath, { headers })
      isToken(got, "graph-1")
      assert.deepInclude(got.json(), { client_id: "App-Id", resource: graph, token_type: "Bearer" })
    })
  )

  it.live("answers 2017-09-01, with the header secret and the parameter clientid", () =>
    Effect.gen(function* () {
      const { ask, secret } = yield* one
      const path = `/msi/token/?api-version=2017-09-01&resource=${graph}&clientid=app-id`
      isToken(yield* ask(path, { headers: { secret } }), "graph-1")
    })
  )

  it.live("asks the flow for the resource's default scope, once for each resource", () =>
    Effect.gen(function* () {
      const { ask, headers, upstream } = yield* one
      for (const resource of [graph, `${vault}/`, graph]) {
        yield* ask(`/msi/token?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`, {
          headers
        })
      }
      assert.deepEqual(
        upstream.asked.map(({ scopes }) => scopes),
        [[`${graph}/.default`], [`${vault}//.default`]]
      )
    })
  )

  it.live("leaves parameters alone that it does not know", () =>
    Effect.gen(function* () {
      const { ask, headers } = yield* one
      const got = yield* ask(`${appServicePath}&xms_cc=cp1,cp2&bypass_cache=true`, {
        headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded;charset=utf-8" }
      })
      isToken(got, "graph-1")
    })
  )

  it.live("says no in its own shape, with a new correlation id each time", () =>
    Effect.gen(function* () {
      const { ask, headers } = yield* one
      const got = [
        yield* ask("/msi/token?api-version=2019-08-01", { headers }),
        yield* ask("/msi/token?api-version=2019-08-01", { headers })
      ].map(({ headers: answered, json, status }) => {
        assert.strictEqual(answered["content-type"], "application/json")
        assert.deepEqual(Object.keys(json()), ["statusCode", "message", "correlationId"])
        assert.strictEqual(json()["statusCode"], status)
        assert.strictEqual(status, 400)
        assert.match(String(json()["message"]), /resource is missing/)
        return json()["correlationId"]
      })
      assert.strictEqual(new Set(got).size, 2)
    })
  )

  const wrong: ReadonlyArray<readonly [string, Record<string, string>, RegExp]> = [
    ["no secret", {}, /X-IDENTITY-HEADER is missing.*\$IDENTITY_HEADER/],
    ["a wrong secret", { "X-IDENTITY-HEADER": "x".repeat(43) }, /is not this broker's/],
    ["an empty secret", { "X-IDENTITY-HEADER": "" }, /is not this broker's/],
    ["a wrong one by the old name", { secret: "x" }, /is not this broker's/]
  ]
  for (const [name, headers, message] of wrong) {
    it.live(`tells ${name} with 401, which no SDK asks again on`, () =>
      Effect.gen(function* () {
        const { ask, upstream } = yield* one
        const { json, status } = yield* ask(appServicePath, { headers })
        assert.strictEqual(status, 401)
        assert.match(String(json()["message"]), message)
        assert.isEmpty(upstream.asked)
      })
    )
  }
})

describe("IMDS", () => {
  it.live(
    "answers with everything as text, whatever the path's case, with and without a slash",
    () =>
      Effect.gen(function* () {
        const { ask } = yield* one
        for (const path of [imdsPath, imdsPath.replace("?", "/?"), imdsPath.replace("m", "M")]) {
          isToken(yield* ask(path, imds), "graph-1")
        }
        const upper = imdsPath.replace(/^[^?]*/, (text) => text.toUpperCase())
        isToken(yield* ask(upper, { headers: { metadata: "TRUE" } }), "graph-1")
      })
  )

  it.live("answers a probe without the header at once with 400, and asks no flow", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* one
      upstream.before = Effect.never
      for (const path of ["/metadata/identity/oauth2/token", imdsPath]) {
        const { json, status } = yield* ask(path)
        assert.strictEqual(status, 400)
        assert.strictEqual(json()["error"], "invalid_request")
        assert.match(String(json()["error_description"]), /Required metadata header not specified/)
      }
      assert.strictEqual((yield* ask(imdsPath, { headers: { Metadata: "false" } })).status, 400)
      assert.isEmpty(upstream.asked)
    })
  )

  it.live("wants a version that is a date", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      for (const version of ["", "&api-version=", "&api-version=latest", "&api-version=2018-2-1"]) {
        const path = `/metadata/identity/oauth2/token?resource=${graph}${version}`
        const { json, status } = yield* ask(path, imds)
        assert.strictEqual(status, 400)
        assert.match(String(json()["error_description"]), /api-version/)
      }
    })
  )
})

describe("Cloud Shell", () => {
  const form = (body: string, headers: Record<string, string> = {}) => ({
    method: "POST",
    body,
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      Metadata: "true",
      ...headers
    }
  })

  it.live("answers a form", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      const body = `resource=${encodeURIComponent(graph)}`
      isToken(yield* ask("/msi/cloud-shell/token", form(body)), "graph-1")
      const charset = { "Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8" }
      isToken(yield* ask("/msi/cloud-shell/token/", form(body, charset)), "graph-1")
    })
  )

  it.live("takes nothing from the query, no other body, and no request without the header", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* one
      const path = "/msi/cloud-shell/token"
      const refused = [
        yield* ask(`${path}?resource=${graph}`, form("")),
        yield* ask(path, form("{}", { "Content-Type": "application/json" })),
        yield* ask(path, form(`resource=${graph}`, { "Content-Type": "text/plain" })),
        yield* ask(path, form(`resource=${graph}`, { Metadata: "no" }))
      ]
      for (const { json, status } of refused) {
        assert.strictEqual(status, 400)
        assert.strictEqual(json()["error"], "invalid_request")
      }
      const got = yield* ask(path, { headers: { Metadata: "true" } })
      assert.strictEqual(got.status, 405)
      assert.strictEqual(got.headers["allow"], "POST")
      assert.isEmpty(upstream.asked)
    })
  )
})

describe("which flow", () => {
  const two = Effect.gen(function* () {
    const first = yield* tokens("first", { cloud: "azure", client: "one" })
    const second = yield* tokens("second", { cloud: "azure", client: "two" })
    const foreign = yield* tokens("foreign", { client: "three" })
    return [first.served, second.served, foreign.served]
  })

  const asking = (resource: string, more = "") =>
    `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}${more}`

  it.live("is told at the call, with the fix, where it cannot be chosen", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(yield* two)
      const { json, status } = yield* ask(asking(graph), imds)
      assert.strictEqual(status, 400)
      assert.match(
        String(json()["error_description"]),
        /Several flows issue tokens for Azure: first, second\. Say which at broker\.azure\.flow/
      )
    })
  )

  it.live("is told at the call where there is none", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("foreign")
      const { ask } = yield* serving([served])
      const { json, status } = yield* ask(asking(graph), imds)
      assert.strictEqual(status, 400)
      assert.match(String(json()["error_description"]), /No flow of this broker issues tokens for/)
    })
  )

  it.live("is the one that is named, whatever it is for", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(yield* two, { azure: { flow: "foreign" } })
      const { json } = yield* ask(asking(graph), imds)
      assert.deepInclude(json(), { access_token: "foreign-1", client_id: "three" })
    })
  )

  it.live(
    "is the resource's, in any case, with and without a slash; no other resource is served",
    () =>
      Effect.gen(function* () {
        const { ask } = yield* serving(yield* two, {
          azure: { resources: { [`${graph}/`]: "first", [vault]: "foreign" } }
        })
        for (const [resource, token] of [
          [graph, "first-1"],
          ["HTTPS://GRAPH.microsoft.com/", "first-"],
          [vault, "foreign-1"]
        ] as const) {
          const { json } = yield* ask(asking(resource), imds)
          assert.isTrue(String(json()["access_token"]).startsWith(token))
          assert.strictEqual(json()["resource"], resource)
        }
        const { json, status } = yield* ask(asking("https://management.azure.com"), imds)
        assert.strictEqual(status, 400)
        assert.match(
          String(json()["error_description"]),
          /no token for the resource https:\/\/management\.azure\.com\. It serves .*vault.*broker\.azure\.resources/
        )
      })
  )

  it.live("is the identity's, by whatever name clients ask for it", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(yield* two, {
        azure: { flow: "first", identities: { "/subscriptions/s/My-Id": "second" } }
      })
      const of = (selector: string, identity: string) =>
        ask(asking(graph, `&${selector}=${encodeURIComponent(identity)}`), imds)
      for (const selector of [
        "client_id",
        "clientid",
        "object_id",
        "principal_id",
        "mi_res_id",
        "msi_res_id"
      ]) {
        const mapped = yield* of(selector, "/SUBSCRIPTIONS/s/my-id")
        assert.strictEqual(mapped.json()["access_token"], "second-1")
        const own = yield* of(selector, "ONE")
        assert.strictEqual(own.json()["access_token"], "first-1")
        const empty = yield* of(selector, "")
        assert.strictEqual(empty.json()["access_token"], "first-1")
        const { json, status } = yield* of(selector, "two")
        assert.strictEqual(status, 400)
        assert.match(
          String(json()["error_description"]),
          /Identity not found: this broker does not serve two, but one\..*broker\.azure\.identities/
        )
      }
    })
  )

  it.live("is nobody's when several identities are named", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      const { json, status } = yield* ask(asking(graph, "&client_id=a&mi_res_id=b"), imds)
      assert.strictEqual(status, 400)
      assert.match(String(json()["error_description"]), /not several: client_id, mi_res_id/)
    })
  )
})

describe("a token that was refused where it was used", () => {
  const hashed = (token: string) => createHash("sha256").update(token).digest("hex")

  it.live("is not handed out again to who names its hash, in any case", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* one
      const but = (token: string) => `${imdsPath}&token_sha256_to_refresh=${token}`
      const token = ({ json }: Got) => json()["access_token"]
      assert.strictEqual(token(yield* ask(imdsPath, imds)), "graph-1")
      assert.strictEqual(token(yield* ask(but(hashed("another")), imds)), "graph-1")
      assert.strictEqual(token(yield* ask(but("no-hash"), imds)), "graph-1")
      assert.strictEqual(token(yield* ask(but(hashed("graph-1").toUpperCase()), imds)), "graph-2")
      assert.strictEqual(token(yield* ask(but(hashed("graph-1")), imds)), "graph-2")
      assert.strictEqual(token(yield* ask(imdsPath, imds)), "graph-2")
      assert.strictEqual(upstream.asked.length, 2)
    })
  )
})

describe("a flow that brings nothing", () => {
  const rejected = new Rejected({
    code: "AADSTS700213",
    status: 401,
    description: "No matching federated identity record found",
    hint: "Compare the subject.",
    remedy: "none"
  })
  const misconfigured = new Misconfigured({
    setting: "tenantId",
    problem: "is none",
    hint: "Look again."
  })

  it.live("is told with the hint and 400 where asking again is of no use", () =>
    Effect.gen(function* () {
      for (const reason of [rejected, misconfigured]) {
        const { ask, headers, upstream } = yield* one
        upstream.before = Effect.fail(reason)
        const appService = yield* ask(appServicePath, { headers })
        assert.strictEqual(appService.status, 400)
        assert.isUndefined(appService.headers["retry-after"])
        assert.include(String(appService.json()["message"]), reason.hint)
        const metadata = yield* ask(imdsPath, imds)
        assert.strictEqual(metadata.status, 400)
        assert.strictEqual(metadata.json()["error"], "invalid_request")
        assert.include(String(metadata.json()["error_description"]), reason.hint)
      }
    })
  )

  it.live("is told with 503 and when to come back where it may pass", () =>
    Effect.gen(function* () {
      const { ask, headers, upstream } = yield* one
      const later = Date.now() + 30_000
      upstream.before = Effect.fail(new Transient({ detail: "It is down", retryAt: later }))
      const appService = yield* ask(appServicePath, { headers })
      assert.strictEqual(appService.status, 503)
      assert.approximately(Number(appService.headers["retry-after"]), 30, 2)
      const metadata = yield* ask(imdsPath, imds)
      assert.strictEqual(metadata.status, 503)
      assert.strictEqual(metadata.json()["error"], "temporarily_unavailable")
    })
  )
})
