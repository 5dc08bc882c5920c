import { Fault, Sandbox } from "@federate/sandbox"
import type { Options, TokenOptions } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose"
import { catalogue } from "../../src/entra/Aadsts.ts"
import { token } from "../aws.ts"
import { graph, running } from "../running.ts"

const sandbox = running()

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

const bearerType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

type Parameters = Readonly<Record<string, string | undefined>>

/** What the first journey's workload sends, with changes; `undefined` leaves a parameter out. */
const body = async (changes: Parameters = {}): Promise<URLSearchParams> => {
  const parameters = new URLSearchParams()
  const all: Parameters = {
    grant_type: "client_credentials",
    client_id: sandbox().env["AZURE_CLIENT_ID"],
    scope: "https://graph.microsoft.com/.default",
    client_assertion_type: bearerType,
    ...("client_assertion" in changes ? {} : { client_assertion: await token(sandbox()) }),
    ...changes
  }
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) parameters.append(name, value)
  }
  return parameters
}

const url = (tenant = sandbox().entra.tenantId, version = "/v2.0") =>
  `${sandbox().http}/${tenant}/oauth2${version}/token`

const post = async (changes: Parameters = {}, target = url()) =>
  fetch(target, { method: "POST", body: await body(changes) })

interface Answer {
  readonly token_type?: string
  readonly access_token?: string
  readonly expires_in?: number | string
  readonly error?: string
  readonly error_description?: string
  readonly error_codes?: ReadonlyArray<number>
  readonly timestamp?: string
  readonly trace_id?: string
  readonly correlation_id?: string
  readonly error_uri?: string
  readonly [other: string]: unknown
}

const answerOf = async (response: Response): Promise<Answer> => {
  // Entra's answers are flat; the assertions below fail on anything else.
  return (await response.json()) as Answer
}

/** The AADSTS number, after everything that each of Entra's errors must have. */
const refused = async (response: Response): Promise<{ code: number; text: string }> => {
  const answer = await answerOf(response)
  const { correlation_id: correlation, timestamp, trace_id: trace } = answer
  const [code = 0] = answer.error_codes ?? []
  const entry = Object.values(catalogue).find(
    (one) => one.code === code && one.status === response.status
  )
  assert.isDefined(entry, `${code} with ${response.status} is not in the catalogue`)
  assert.strictEqual(answer.error, entry?.error)
  assert.match(timestamp ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/)
  assert.match(trace ?? "", /^[0-9a-f-]{36}$/)
  assert.match(correlation ?? "", /^[0-9a-f-]{36}$/)
  assert.strictEqual(response.headers.get("x-ms-request-id"), trace)
  assert.strictEqual(response.headers.get("client-request-id"), correlation)
  assert.strictEqual(response.headers.get("cache-control"), "no-store, no-cache")
  assert.strictEqual(answer.error_uri, `https://login.microsoftonline.com/error?code=${code}`)
  const description = new RegExp(
    `^AADSTS${code}: (.*) Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}$`,
    "s"
  ).exec(answer.error_description ?? "")
  assert.isNotNull(description, answer.error_description)
  return { code, text: description?.[1] ?? "" }
}

/** An application of its own, with whatever is wrong with it. */
const application = async (
  options: {
    readonly properties?: Record<string, unknown>
    readonly servicePrincipal?: Record<string, unknown> | false
    readonly credential?: { issuer: string; subject: string; audiences: ReadonlyArray<string> }
  } = {}
): Promise<string> => {
  const admin = graph(sandbox())
  const app = await admin.create("applications", { displayName: "one", ...options.properties })
  const appId = `${app["appId"]}`
  if (options.servicePrincipal !== false) {
    const principal = await admin.create("servicePrincipals", { appId })
    await admin.patch(`servicePrincipals/${principal["id"]}`, options.servicePrincipal ?? {})
  }
  if (options.credential !== undefined) {
    await admin.create(`applications/${app["id"]}/federatedIdentityCredentials`, {
      name: "one",
      ...options.credential
    })
  }
  return appId
}

/** An application that trusts a plain issuer's token, and that token. */
const trusting = async (
  name: string,
  options: Partial<TokenOptions> = {},
  presented: Partial<TokenOptions> = {}
) => {
  const credential = { subject: "workload", audience: "api://AzureADTokenExchange", ...options }
  const client_id = await application({
    credential: {
      issuer: sandbox().issuerUrl(name),
      subject: credential.subject,
      audiences: [`${credential.audience}`]
    }
  })
  const client_assertion = await sandbox().issueToken(name, { ...credential, ...presented })
  return { client_id, client_assertion }
}

describe("a token", () => {
  it("is a JWT that anyone verifies through discovery, with what Graph reads in it", async () => {
    const undo = sandbox().trust()
    const response = await post()
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.headers.get("cache-control"), "no-store, no-cache")
    assert.strictEqual(response.headers.get("pragma"), "no-cache")
    const { access_token = "", ...rest } = await answerOf(response)
    assert.deepEqual(rest, { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599 })
    const { entra, https } = sandbox()
    const discovery = await answerOf(
      await fetch(`${https}/${entra.tenantId}/v2.0/.well-known/openid-configuration`)
    )
    const { payload } = await jwtVerify(
      access_token,
      createRemoteJWKSet(new URL(`${discovery["jwks_uri"]}`)),
      { issuer: `${discovery["issuer"]}`, audience: "https://graph.microsoft.com" }
    )
    assert.deepInclude(payload, {
      tid: entra.tenantId,
      appid: entra.clientId,
      idtyp: "app",
      roles: ["Application.Read.All"],
      oid: payload.sub
    })
    assert.isString(payload["xms_ficinfo"])
    assert.deepInclude(decodeProtectedHeader(access_token), { typ: "JWT", alg: "RS256" })
    undo()
  })

  it("comes for the tenant's domain too, with parameters that nobody knows, and a query", async () => {
    const target = `${url("Sandbox.onmicrosoft.com")}?client-request-id=x&slice=1`
    assert.strictEqual((await post({ "x-client-SKU": "test", claims: "{}" }, target)).status, 200)
  })

  it("echoes the request's own id from the header, the query or the body", async () => {
    const id = "11111111-2222-4333-8444-555555555555"
    const echoed = async (call: Promise<Response>) => (await call).headers.get("client-request-id")
    assert.strictEqual(await echoed(post({ "client-request-id": id })), id)
    assert.strictEqual(await echoed(post({}, `${url()}?client-request-id=${id}`)), id)
    const header = fetch(url(), { method: "POST", headers: { "client-request-id": id } })
    assert.strictEqual(await echoed(header), id)
    assert.strictEqual((await answerOf(await (await header).clone())).correlation_id, id)
  })

  it("has strings for numbers from the older endpoint", async () => {
    const resource = "https://graph.microsoft.com/"
    const response = await post(
      { scope: undefined, resource },
      `${url(undefined, "")}?api-version=1.0`
    )
    const answer = await answerOf(response)
    assert.deepInclude(answer, {
      token_type: "Bearer",
      expires_in: "3599",
      ext_expires_in: "3599",
      resource
    })
    const claims = decodeJwt(answer.access_token ?? "")
    assert.strictEqual(claims.aud, resource)
    assert.strictEqual(answer["expires_on"], `${claims.exp}`)
    assert.strictEqual(answer["not_before"], `${claims.nbf}`)
  })

  it("is for a resource as the caller names it, double slash included", async () => {
    const audience = async (scope: string) =>
      decodeJwt((await answerOf(await post({ scope }))).access_token ?? "").aud
    assert.strictEqual(
      await audience("https://management.azure.com//.default"),
      "https://management.azure.com/"
    )
    assert.strictEqual(
      await audience("00000003-0000-0000-c000-000000000000/.default"),
      "00000003-0000-0000-c000-000000000000"
    )
  })

  it("has no roles where none were granted", async () => {
    const scope = "https://vault.azure.net/.default"
    const { access_token = "" } = await answerOf(await post({ scope }))
    assert.notProperty(decodeJwt(access_token), "roles")
  })

  it.each(["RS256", "RS384", "RS512", "PS256"] as const)(
    "is had with an assertion by %s",
    async (algorithm) => {
      assert.strictEqual((await post(await trusting("ci", { algorithm }))).status, 200)
    }
  )

  it("is had again with the same assertion, which is not spent", async () => {
    const client_assertion = await token(sandbox())
    assert.strictEqual((await post({ client_assertion })).status, 200)
    assert.strictEqual((await post({ client_assertion })).status, 200)
  })
})

describe("a long-lived token", () => {
  it("comes with a time to refresh it, half of its life", async () => {
    const options: Options = { entra: { tokenLifetime: "24 hours" } }
    await using long = await Sandbox.start(options)
    const parameters = async (extra: Record<string, string>) =>
      new URLSearchParams({
        grant_type: "client_credentials",
        client_id: long.entra.clientId ?? "",
        client_assertion_type: bearerType,
        client_assertion: await token(long),
        ...extra
      })
    const target = `${long.http}/${long.entra.tenantId}/oauth2`
    const v2 = await fetch(`${target}/v2.0/token`, {
      method: "POST",
      body: await parameters({ scope: "https://graph.microsoft.com/.default" })
    })
    assert.deepInclude(await answerOf(v2), { expires_in: 86_400, refresh_in: 43_200 })
    const v1 = await fetch(`${target}/token`, {
      method: "POST",
      body: await parameters({ resource: "https://graph.microsoft.com" })
    })
    assert.deepInclude(await answerOf(v1), { expires_in: "86400", refresh_in: "43200" })
  })
})

describe("the endpoint refuses", () => {
  const guid = "99999999-9999-4999-8999-999999999999"

  it.each<readonly [what: string, code: number, text: RegExp, call: () => Promise<Response>]>([
    [
      "a GET",
      900561,
      /^The endpoint only accepts POST requests\. Received a GET request\.$/,
      () => fetch(url())
    ],
    [
      "a body that is badly encoded",
      9002313,
      /malformed or invalid/,
      () => fetch(url(), { method: "POST", body: "grant_type=%zz" })
    ],
    [
      "a user's token for no use",
      900144,
      /'requested_token_use'/,
      () => post({ grant_type: jwtBearer, assertion: "x" })
    ],
    [
      "a user's token for another use",
      9002313,
      /malformed/,
      () => post({ grant_type: jwtBearer, requested_token_use: "x", assertion: "x" })
    ],
    [
      "no user's token",
      900144,
      /'assertion'/,
      () => post({ grant_type: jwtBearer, requested_token_use: "on_behalf_of" })
    ],
    [
      "a user's token that is none",
      50027,
      /malformed/,
      () => post({ grant_type: jwtBearer, requested_token_use: "on_behalf_of", assertion: "x" })
    ],
    [
      "a user's ID token",
      240002,
      /Input id_token cannot be used/,
      async () =>
        post({
          grant_type: jwtBearer,
          requested_token_use: "on_behalf_of",
          assertion: await sandbox().userToken({ scopes: [] })
        })
    ],
    [
      "no permission on a user's behalf",
      70011,
      /scope/,
      async () =>
        post({
          grant_type: jwtBearer,
          requested_token_use: "on_behalf_of",
          assertion: await sandbox().userToken(),
          scope: "openid"
        })
    ],
    ["claims that are no JSON", 9002313, /malformed/, () => post({ claims: "{" })],
    [
      "claims of another form",
      9002313,
      /malformed/,
      () => post({ claims: '{"access_token":{"nbf":{"value":"soon"}}}' })
    ],
    ["a body in JSON", 900144, /'grant_type'/, () => fetch(url(), { method: "POST", body: "{}" })],
    ["no grant", 900144, /'grant_type'/, () => post({ grant_type: undefined })],
    ["an empty grant", 900144, /'grant_type'/, () => post({ grant_type: "" })],
    [
      "another grant",
      70003,
      /unsupported grant type 'password'/,
      () => post({ grant_type: "password" })
    ],
    ["no client", 900144, /'client_id'/, () => post({ client_id: undefined })],
    ["no scope", 900144, /'scope'/, () => post({ scope: undefined })],
    [
      "no resource, at the older endpoint",
      900144,
      /'resource'/,
      () => post({}, url(undefined, ""))
    ],
    [
      "a resource, at the newer endpoint",
      901002,
      /The 'resource' request parameter is not supported/,
      () => post({ resource: "https://graph.microsoft.com" })
    ],
    [
      "a parameter twice",
      9000411,
      /The parameter 'scope' is duplicated/,
      async () => {
        const twice = await body()
        twice.append("scope", "x")
        return fetch(url(), { method: "POST", body: twice })
      }
    ],
    [
      "a tenant that is not here",
      90002,
      new RegExp(`^Tenant '${guid}' not found\\.`),
      () => post({}, url(guid))
    ],
    ["a domain that is not here", 90002, /'contoso\.com'/, () => post({}, url("contoso.com"))],
    [
      "what is no tenant",
      900023,
      /'nonsense' is neither a valid DNS name/,
      () => post({}, url("nonsense"))
    ],
    ["common", 9001023, /isn't supported over the \/common/, () => post({}, url("common"))],
    ["consumers", 9001023, /tenant-specific endpoint/, () => post({}, url("consumers"))],
    ["organizations", 9001023, /tenant-specific endpoint/, () => post({}, url("organizations"))],
    [
      "a client that is not here",
      700016,
      new RegExp(
        `^Application with identifier '${guid}' was not found in the directory 'Federate sandbox'`
      ),
      () => post({ client_id: guid })
    ],
    [
      "a client without a service principal",
      7000229,
      /is missing service principal in the tenant/,
      async () => post({ client_id: await application({ servicePrincipal: false }) })
    ],
    [
      "a client that is disabled",
      7000112,
      /'\(one\) is disabled/,
      async () =>
        post({ client_id: await application({ servicePrincipal: { accountEnabled: false } }) })
    ],
    [
      "a public client",
      700025,
      /Client is public/,
      async () =>
        post({ client_id: await application({ properties: { isFallbackPublicClient: true } }) })
    ],
    [
      "a client that proves nothing",
      7000218,
      /'client_assertion' or 'client_secret'/,
      () => post({ client_assertion: undefined })
    ],
    [
      "a secret",
      7000215,
      /Invalid client secret provided/,
      () => post({ client_assertion: undefined, client_secret: "x" })
    ],
    [
      "an assertion without its type",
      900144,
      /'client_assertion_type'/,
      () => post({ client_assertion_type: undefined })
    ],
    [
      "an assertion of another type",
      90011,
      /Unexpected client assertion type/,
      () =>
        post({ client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" })
    ],
    [
      "a scope without a resource",
      70011,
      /The scope \/\.default is not valid/,
      () => post({ scope: "/.default" })
    ],
    [
      "a scope without /.default",
      1002012,
      /must have a scope value with \/\.default suffixed/,
      () => post({ scope: "https://graph.microsoft.com/User.Read" })
    ],
    [
      "two resources",
      28000,
      /contains more than one resource/,
      () => post({ scope: "https://graph.microsoft.com/.default https://vault.azure.net/.default" })
    ],
    [
      "a resource that is not here",
      500011,
      /^The resource principal named https:\/\/nowhere\.example was not found in the tenant named Federate sandbox/,
      () => post({ scope: "https://nowhere.example/.default" })
    ],
    [
      "a resource that is disabled",
      500014,
      /The service principal for resource 'api:\/\/off' is disabled/,
      async () => {
        await application({
          properties: { identifierUris: ["api://off"] },
          servicePrincipal: { accountEnabled: false }
        })
        return post({ scope: "api://off/.default" })
      }
    ],
    [
      "a client that is not assigned where that is demanded",
      501051,
      /is not assigned to a role for the application/,
      async () => {
        await application({
          properties: { identifierUris: ["api://closed"] },
          servicePrincipal: { appRoleAssignmentRequired: true }
        })
        return post({ scope: "api://closed/.default" })
      }
    ]
  ])("%s: AADSTS%i", async (_, code, text, call) => {
    const error = await refused(await call())
    assert.strictEqual(error.code, code)
    assert.match(error.text, text)
  })
})

describe("the endpoint refuses an assertion", () => {
  it.each<
    readonly [what: string, code: number, text: RegExp, parameters: () => Promise<Parameters>]
  >([
    ["that is no JWT", 50027, /malformed/, async () => ({ client_assertion: "opaque" })],
    [
      "that is cut",
      50027,
      /malformed/,
      async () => ({ client_assertion: (await token(sandbox())).slice(0, 40) })
    ],
    [
      "without a subject",
      50027,
      /malformed/,
      () => trusting("ci", {}, { claims: { sub: undefined } })
    ],
    [
      "without an end",
      50027,
      /malformed/,
      () => trusting("ci", {}, { claims: { exp: undefined } })
    ],
    [
      "with a critical extension",
      50027,
      /malformed/,
      () => trusting("ci", {}, { header: { crit: ["b64"], b64: true } })
    ],
    [
      "that is Entra's own token",
      700222,
      /AAD-issued tokens may not be used/,
      async () => ({ client_assertion: await sandbox().accessToken() })
    ],
    [
      "that the client signed itself",
      700027,
      /The certificate with identifier used to sign the client assertion is not registered/,
      async () => {
        const client_id = sandbox().entra.clientId ?? ""
        const client_assertion = await sandbox().issueToken("ci", {
          subject: client_id,
          audience: "x",
          claims: { iss: client_id }
        })
        return { client_assertion }
      }
    ],
    [
      "to a client that has no federated credential",
      70025,
      /^The client '[0-9a-f-]{36}'\(one\) has no configured federated identity credentials\.$/,
      async () => ({ client_id: await application() })
    ],
    [
      "by another issuer",
      700211,
      /presented assertion issuer 'https:\/\/localhost:\d+\/issuers\/ci'\. Check your/,
      async () => ({
        client_assertion: await sandbox().issueToken("ci", { subject: "x", audience: "x" })
      })
    ],
    [
      "by the same issuer with a slash more",
      700211,
      /issuer 'https:\/\/localhost:\d+\/issuers\/ci\/'/,
      () => trusting("ci", {}, { claims: { iss: `${sandbox().issuerUrl("ci")}/` } })
    ],
    [
      "for another audience",
      700212,
      /presented assertion audience 'api:\/\/azureadtokenexchange'/,
      () => trusting("ci", {}, { audience: "api://azureadtokenexchange" })
    ],
    [
      "about another subject",
      700213,
      /presented assertion subject 'someone'/,
      () => trusting("ci", {}, { subject: "someone" })
    ],
    [
      "about the subject in another case",
      7002138,
      /subject 'WORKLOAD'\. The subject matches with case-insensitive comparison/,
      () => trusting("ci", {}, { subject: "WORKLOAD" })
    ],
    [
      "by ES256",
      5002738,
      /^Invalid JWT token\. 'ES256' is not a supported signature algorithm\.$/,
      () => trusting("ci", {}, { algorithm: "ES256" })
    ],
    ["by ES384", 5002738, /'ES384'/, () => trusting("ci", {}, { algorithm: "ES384" })],
    [
      "whose issuer cannot be reached",
      50166,
      /^Request to External OIDC endpoint failed\.$/,
      async () => {
        // Port 1 answers nobody.
        const issuer = "https://localhost:1"
        const credential = { issuer, subject: "s", audiences: ["a"] }
        return {
          client_id: await application({ credential }),
          client_assertion: await sandbox().issueToken("ci", {
            subject: "s",
            audience: "a",
            claims: { iss: issuer }
          })
        }
      }
    ],
    [
      "whose key is not published",
      7000272,
      /^The certificate with identifier other used to sign the federated credential could not be found in the metadata of identity provider https:\/\/localhost:\d+\/issuers\/ci\./,
      () => trusting("ci", {}, { header: { kid: "other" } })
    ],
    [
      "whose signature is another's",
      700027,
      /^Client assertion failed signature validation\.$/,
      async () => {
        const parameters = await trusting("ci")
        const other = await sandbox().issueToken("ci", { subject: "x", audience: "x" })
        const [header, payload] = parameters.client_assertion.split(".")
        return { ...parameters, client_assertion: `${header}.${payload}.${other.split(".")[2]}` }
      }
    ],
    [
      "that has ended",
      700024,
      /^Client assertion is not within its valid time range\. Current time: [\dT:.-]{27}Z, assertion valid from [\dT:.-]{27}Z, expiry time of assertion [\dT:.-]{27}Z\. Review the documentation/,
      () => trusting("ci", {}, { lifetime: -301_000 })
    ],
    [
      "that has not begun",
      700024,
      /not within its valid time range/,
      () => trusting("ci", {}, { claims: { nbf: Math.floor(Date.now() / 1000) + 400 } })
    ],
    [
      "that ends beyond all time, and has no beginning",
      700024,
      /assertion valid from 1970-01-01T00:00:00\.0000000Z, expiry time of assertion 9999-/,
      () => trusting("ci", {}, { claims: { nbf: undefined, iat: 4_000_000_000, exp: 1e20 } })
    ]
  ])("%s: AADSTS%i", async (_, code, text, parameters) => {
    const error = await refused(await post(await parameters()))
    assert.strictEqual(error.code, code)
    assert.match(error.text, text)
  })

  it("is forgiven a clock that is four minutes off", async () => {
    assert.strictEqual((await post(await trusting("ci", {}, { lifetime: -240_000 }))).status, 200)
  })

  it("looks at the signature only of an assertion that matches", async () => {
    const before = sandbox().count("issuer.discovery")
    await post(await trusting("unasked", {}, { subject: "someone" }))
    assert.strictEqual(sandbox().count("issuer.discovery"), before)
  })
})

describe("the issuer's keys", () => {
  it("are fetched once, and again for a key that is new", async () => {
    const parameters = await trusting("rotating")
    const counts = () => [sandbox().count("issuer.discovery"), sandbox().count("issuer.keys")]
    const [discovery = 0, keys = 0] = counts()
    await post(parameters)
    await post(parameters)
    assert.deepEqual(counts(), [discovery + 1, keys + 1])
    sandbox().rotateKeys({ issuer: "rotating" })
    const client_assertion = await sandbox().issueToken("rotating", {
      subject: "workload",
      audience: "api://AzureADTokenExchange"
    })
    assert.strictEqual((await post({ ...parameters, client_assertion })).status, 200)
    assert.deepEqual(counts(), [discovery + 2, keys + 2])
  })

  it("are not enough when the new one is not published", async () => {
    const parameters = await trusting("hiding")
    await post(parameters)
    sandbox().rotateKeys({ issuer: "hiding" }, "old")
    const client_assertion = await sandbox().issueToken("hiding", {
      subject: "workload",
      audience: "api://AzureADTokenExchange"
    })
    const { code } = await refused(await post({ ...parameters, client_assertion }))
    assert.strictEqual(code, 7000272)
  })

  it.each([
    ["is down", "issuer.discovery", Fault.status(500)],
    ["is a page", "issuer.discovery", Fault.html(200)],
    ["names another", "issuer.discovery", Fault.body(`{"issuer":"https://x.example"}`)],
    ["cuts connections", "issuer.keys", Fault.reset],
    ["has no keys", "issuer.keys", Fault.body(`{}`)],
    ["is throttled", "issuer.keys", Fault.throttled(1)]
  ] as const)("cannot be had when it %s, and can be right after", async (name, endpoint, fault) => {
    const parameters = await trusting(name)
    const lift = sandbox().fault(endpoint, fault)
    assert.strictEqual((await refused(await post(parameters))).code, 50166)
    lift()
    assert.strictEqual((await post(parameters)).status, 200)
  })
})
