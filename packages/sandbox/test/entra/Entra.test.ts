import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { read, running } from "../running.ts"

const sandbox = running()

type Document = Readonly<Record<string, unknown>>

const discovery = (tenant: string) =>
  read<Document>(`${sandbox().http}/${tenant}/v2.0/.well-known/openid-configuration`)

const errorOf = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${sandbox().http}${path}`, init)
  // Whatever Entra refuses has these members; the assertions fail on anything else.
  const body = (await response.json()) as {
    readonly error: string
    readonly error_description: string
    readonly error_codes: ReadonlyArray<number>
  }
  return { status: response.status, error: body.error, code: body.error_codes[0], body }
}

describe("discovery", () => {
  it.each([
    ["its id", () => sandbox().entra.tenantId],
    ["its domain", () => "sandbox.onmicrosoft.com"]
  ])("asked for by %s names everything by the tenant's id", async (_, tenant) => {
    const { entra, https } = sandbox()
    assert.deepInclude(await discovery(tenant()), {
      issuer: `${https}/${entra.tenantId}/v2.0`,
      token_endpoint: `${https}/${entra.tenantId}/oauth2/v2.0/token`,
      jwks_uri: `${https}/${entra.tenantId}/discovery/v2.0/keys`
    })
  })

  it("is there for the tenant of a machine's identity, too", async () => {
    const other = "11111111-2222-4333-8444-555555555555"
    const { issuer } = sandbox().assignManagedIdentity(other)
    const document = await discovery(other)
    assert.deepInclude(document, {
      issuer,
      jwks_uri: `${sandbox().https}/${other}/discovery/v2.0/keys`
    })
  })

  it("has a template for an issuer where no tenant is named", async () => {
    assert.deepInclude(await discovery("common"), {
      issuer: `${sandbox().https}/{tenantid}/v2.0`,
      token_endpoint: `${sandbox().https}/common/oauth2/v2.0/token`
    })
  })

  it("is refused for a tenant that is not here", async () => {
    const path = "/contoso.com/v2.0/.well-known/openid-configuration"
    assert.deepInclude(await errorOf(path), { status: 400, error: "invalid_request", code: 90002 })
    assert.deepInclude(await errorOf("/contoso.com/discovery/v2.0/keys"), { code: 90002 })
  })
})

describe("the keys", () => {
  it("are RSA keys for signatures without an algorithm, as Entra publishes them", async () => {
    const path = `/${sandbox().entra.tenantId}/discovery/v2.0/keys`
    const { keys } = await read<{ keys: ReadonlyArray<Document> }>(`${sandbox().http}${path}`)
    assert.lengthOf(keys, 1)
    assert.hasAllKeys(keys[0] ?? {}, ["kty", "use", "kid", "x5t", "n", "e"])
    const [kid] = sandbox().rotateKeys("entra")
    const after = await read<{ keys: ReadonlyArray<Document> }>(`${sandbox().http}${path}`)
    assert.deepEqual(after.keys.at(-1)?.["kid"], kid)
    assert.lengthOf(after.keys, 2)
  })
})

describe("instance discovery", () => {
  const path = (endpoint: string) =>
    `/common/discovery/instance?api-version=1.1&authorization_endpoint=${encodeURIComponent(endpoint)}`

  it.each([
    ["this authority", () => new URL(sandbox().https).host],
    ["the real one", () => "login.microsoftonline.com"]
  ])("knows %s", async (_, host) => {
    const document = await read<Document>(
      sandbox().http + path(`https://${host()}/a-tenant/oauth2/v2.0/authorize`)
    )
    assert.strictEqual(
      document["tenant_discovery_endpoint"],
      `https://${host()}/a-tenant/v2.0/.well-known/openid-configuration`
    )
    assert.isArray(document["metadata"])
  })

  it("refuses a host that nobody knows, what is no URL, and nothing", async () => {
    const invalid = { status: 400, error: "invalid_instance", code: 50049 }
    assert.deepInclude(await errorOf(path("https://evil.example/t/oauth2/authorize")), invalid)
    assert.deepInclude(await errorOf(path("nonsense")), invalid)
    assert.deepInclude(await errorOf("/common/discovery/instance"), { code: 900144 })
  })
})

describe("any other path", () => {
  it.each(["/favicon.ico", "/a/b/c", "/%zz"])(
    "is refused in Entra's own form, for clients that read nothing else: %s",
    async (path) => {
      const { body, ...error } = await errorOf(path)
      assert.deepEqual(error, { status: 404, error: "invalid_request", code: 9002313 })
      assert.match(body.error_description, /^AADSTS9002313: .* Trace ID: /)
    }
  )
})

describe("faults", () => {
  it.each([
    [Fault.throttled(7), 429, "temporarily_unavailable", 90055, "7"],
    [Fault.status(429), 429, "temporarily_unavailable", 90055, null],
    [
      Fault.status(503, "Wed, 21 Oct 2026 07:28:00 GMT"),
      503,
      "temporarily_unavailable",
      90033,
      "Wed, 21 Oct 2026 07:28:00 GMT"
    ],
    [Fault.status(500), 500, "server_error", 90033, null]
  ] as const)("are in Entra's own words: %o", async (fault, status, error, code, retryAfter) => {
    const lift = sandbox().fault("entra.token", fault)
    const path = `/${sandbox().entra.tenantId}/oauth2/v2.0/token`
    assert.deepInclude(await errorOf(path, { method: "POST" }), { status, error, code })
    const response = await fetch(`${sandbox().http}${path}`, { method: "POST" })
    assert.strictEqual(response.headers.get("retry-after"), retryAfter)
    lift()
  })
})
