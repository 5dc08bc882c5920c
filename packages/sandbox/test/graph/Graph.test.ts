import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { graph, running } from "../running.ts"

const sandbox = running()

const admin = () => graph(sandbox())

const graphApi = "servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"

const newApp = (properties: Record<string, unknown> = {}) =>
  admin().create("applications", { displayName: "an app", ...properties })

const newClient = async () => {
  const app = await newApp()
  return admin().create("servicePrincipals", { appId: app["appId"] })
}

const list = async (path: string) => {
  const { value } = await admin().get(path)
  assert.isArray(value)
  // Collections hold objects; the assertions below look at their properties.
  return value as ReadonlyArray<Readonly<Record<string, unknown>>>
}

describe("the bearer token", () => {
  const refused = async (bearer: string) =>
    (await graph(sandbox(), bearer).refused(401, "GET", "applications?$top=1")).message

  it("must be there, and a token of this Entra, for Graph, that still lasts", async () => {
    const response = await fetch(`${sandbox().http}/v1.0/applications`)
    assert.strictEqual(response.status, 401)
    assert.match(response.headers.get("www-authenticate") ?? "", /error="invalid_token"/)
    assert.nestedPropertyVal(await response.json(), "error.code", "InvalidAuthenticationToken")

    assert.match(await refused("x"), /IDX14100/)
    const foreign = await sandbox().issueToken("else", {
      subject: "x",
      audience: "https://graph.microsoft.com"
    })
    assert.match(await refused(foreign), /Signing key is invalid/)
    const byEs256 = await sandbox().issueToken("else", {
      subject: "x",
      audience: "x",
      algorithm: "ES256"
    })
    assert.match(await refused(byEs256), /algorithm/)
    const ended = await sandbox().accessToken({ lifetime: -120_000 })
    assert.match(await refused(ended), /token is expired/)
    const other = await sandbox().accessToken({ audience: "https://vault.azure.net" })
    assert.match(await refused(other), /Invalid audience/)
    const [header, payload, signature = ""] = sandbox().entra.adminToken.split(".")
    const flipped = signature.startsWith("A") ? "B" : "A"
    assert.match(
      await refused(`${header}.${payload}.${flipped}${signature.slice(1)}`),
      /Signature verification failed/
    )
  })

  it("is judged by Graph's own clock", async () => {
    sandbox().skew("graph", 25 * 3_600_000)
    assert.match(await refused(sandbox().entra.adminToken), /token is expired/)
    sandbox().skew("graph", 0)
  })

  it("must carry the permission that a call needs", async () => {
    const withRoles = async (...roles: ReadonlyArray<string>) =>
      graph(sandbox(), await sandbox().accessToken({ roles }))
    const none = await withRoles("User.Read.All")
    const denied = await none.refused(403, "GET", "applications")
    assert.deepInclude(denied, {
      code: "Authorization_RequestDenied",
      message: "Insufficient privileges to complete the operation."
    })
    const reader = await withRoles("Application.Read.All")
    await reader.get("applications?$top=1")
    await reader.get(`${graphApi}/appRoleAssignedTo`)
    await reader.refused(403, "POST", "applications", { displayName: "x" })
    const writer = await withRoles("Application.ReadWrite.All")
    await writer.create("applications", { displayName: "x" })
    await writer.refused(403, "POST", `${graphApi}/appRoleAssignedTo`, {})
  })
})

describe("applications", () => {
  it("are created, read by either id, changed and deleted", async () => {
    const app = await newApp({ description: "d", tags: ["t"], requiredResourceAccess: [] })
    assert.deepInclude(app, {
      displayName: "an app",
      signInAudience: "AzureADMyOrg",
      uniqueName: null,
      description: "d",
      tags: ["t"]
    })
    assert.match(`${app["@odata.context"]}`, /\/v1\.0\/\$metadata#applications\/\$entity$/)
    assert.match(`${app["createdDateTime"]}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const byClientId = `applications(appId='${app["appId"]}')`
    assert.strictEqual((await admin().get(byClientId))["id"], app["id"])
    await admin().patch(`applications/${app["id"]}`, { displayName: "renamed" })
    assert.strictEqual((await admin().get(byClientId))["displayName"], "renamed")
    await admin().refused(404, "GET", `applications(appId='${app["id"]}')`)
    await admin().remove(byClientId)
    const gone = await admin().refused(404, "GET", `applications/${app["id"]}`)
    assert.strictEqual(gone.code, "Request_ResourceNotFound")
    assert.include(gone.message, `Resource '${app["id"]}' does not exist`)
  })

  it("are not found by a client id that stands where the object's id belongs", async () => {
    const app = await newApp()
    const { code } = await admin().refused(404, "GET", `applications/${app["appId"]}`)
    assert.strictEqual(code, "Request_ResourceNotFound")
  })

  it("are created if missing, by their unique name", async () => {
    const path = "applications(uniqueName='it''s mine')"
    const prefer = { prefer: "create-if-missing" }
    await admin().refused(404, "PATCH", path, { displayName: "first" })
    const created = await admin().send("PATCH", path, { displayName: "first" }, prefer)
    assert.strictEqual(created.status, 201)
    const again = await admin().send("PATCH", path, { displayName: "second" }, prefer)
    assert.strictEqual(again.status, 204)
    assert.deepInclude(await admin().get(path), { displayName: "second", uniqueName: "it's mine" })
    const twice = await admin().refused(409, "POST", "applications", {
      displayName: "x",
      uniqueName: "it's mine"
    })
    assert.strictEqual(twice.code, "Request_MultipleObjectsWithSameKeyValue")
  })

  it("share no identifier URI", async () => {
    await newApp({ identifierUris: ["api://mine"] })
    const error = await admin().refused(409, "POST", "applications", {
      displayName: "x",
      identifierUris: ["api://mine"]
    })
    assert.match(error.message, /identifierUris already exists: api:\/\/mine/)
  })

  it.each<readonly [what: string, body: unknown, message: RegExp]>([
    ["no name", {}, /A value is required for property 'displayName'/],
    ["an empty name", { displayName: "" }, /Invalid value specified for property 'displayName'/],
    ["an unknown property", { displayName: "x", colour: "red" }, /Invalid property 'colour'/],
    ["a wrong audience", { displayName: "x", signInAudience: "All" }, /'signInAudience'/],
    ["a role that is none", { displayName: "x", appRoles: [{ id: "x" }] }, /'appRoles'/]
  ])("are not created with %s", async (_, body, message) => {
    const error = await admin().refused(400, "POST", "applications", body)
    assert.strictEqual(error.code, "Request_BadRequest")
    assert.match(error.message, message)
  })

  it("are not created from what is no JSON object", async () => {
    const error = await admin().refused(400, "POST", "applications", [])
    assert.match(error.message, /Unable to read JSON request payload/)
  })
})

describe("lists", () => {
  it("are filtered, cut to properties, and given page by page", async () => {
    const apps = await Promise.all(
      [1, 2, 3].map((n) => newApp({ displayName: "paged", notes: `n${n}` }))
    )
    const filter = "$filter=displayName eq 'paged'"
    assert.lengthOf(await list(`applications?${filter}`), 3)
    const one = await list(`applications?${filter} and notes eq 'n2'&$select=id,notes`)
    assert.lengthOf(one, 1)
    assert.hasAllKeys(one[0] ?? {}, ["id", "notes"])
    assert.lengthOf(await list(`applications?${filter} and description eq null`), 3)

    const first = await admin().get(`applications?${filter}&$top=2`)
    assert.lengthOf(Array.isArray(first["value"]) ? first["value"] : [], 2)
    const next = `${first["@odata.nextLink"]}`
    assert.isTrue(next.startsWith(`${sandbox().https}/v1.0/applications?`))
    const rest = await list(next.slice(`${sandbox().https}/v1.0/`.length))
    assert.lengthOf(rest, 1)
    assert.include(
      apps.map((app) => app["id"]),
      rest[0]?.["id"]
    )
  })

  it.each([
    "$top=0",
    "$top=1000",
    "$top=x",
    "$skiptoken=x",
    "$expand=owners",
    "$filter=startswith(displayName,'x')",
    "$filter=",
    "$filter=a eq 'b' or c eq 'd'"
  ])("refuse what they do not know: %s", async (query) => {
    const { code } = await admin().refused(400, "GET", `applications?${query}`)
    assert.strictEqual(code, "Request_UnsupportedQuery")
  })
})

describe("service principals", () => {
  it("are created for an application, once, and changed", async () => {
    const { appId } = await newApp({
      identifierUris: ["api://named"],
      appRoles: [
        {
          id: "11111111-1111-4111-8111-111111111111",
          value: "Read",
          displayName: "Read",
          description: "Read",
          allowedMemberTypes: ["Application"],
          isEnabled: true
        }
      ]
    })
    const principal = await admin().create("servicePrincipals", { appId })
    assert.deepInclude(principal, {
      appId,
      accountEnabled: true,
      servicePrincipalNames: [appId, "api://named"]
    })
    const again = await admin().refused(409, "POST", "servicePrincipals", { appId })
    assert.match(again.message, /is already in use/)
    const path = `servicePrincipals(appId='${appId}')`
    await admin().patch(path, { accountEnabled: false })
    await admin().patch(`applications(appId='${appId}')`, { displayName: "new", appRoles: [] })
    assert.deepInclude(await admin().get(path), {
      accountEnabled: false,
      displayName: "new",
      appRoles: []
    })
    await admin().refused(400, "PATCH", path, { appId })
    await admin().remove(path)
    await admin().refused(404, "GET", path)
  })

  it("need an application", async () => {
    const appId = "99999999-9999-4999-8999-999999999999"
    const unknown = await admin().refused(400, "POST", "servicePrincipals", { appId })
    assert.match(unknown.message, /does not reference a valid application object/)
    const missing = await admin().refused(400, "POST", "servicePrincipals", {})
    assert.match(missing.message, /A value is required for property 'appId'/)
  })

  it("include Microsoft Graph with its permissions", async () => {
    const { appRoles, ...rest } = await admin().get(`${graphApi}?$select=id,appRoles`)
    assert.hasAllKeys(rest, ["@odata.context", "id"])
    assert.deepInclude(
      (Array.isArray(appRoles) ? appRoles : []).find(
        (role) => role.value === "Application.Read.All"
      ),
      { id: "9a5d68dd-52b0-4cc2-bd40-abcbac3a270c", isEnabled: true }
    )
  })
})

describe("federated identity credentials", () => {
  const credential = (n: number | string = 1) => ({
    name: `credential-${n}`,
    issuer: "https://issuer.example",
    subject: `subject-${n}`,
    audiences: ["api://AzureADTokenExchange"]
  })

  const ofNewApp = async () => `applications/${(await newApp())["id"]}/federatedIdentityCredentials`

  it("are created, listed, read by id or name, changed and deleted", async () => {
    const path = await ofNewApp()
    const created = await admin().create(path, { ...credential(), description: "why" })
    assert.deepInclude(created, { ...credential(), description: "why" })
    assert.lengthOf(await list(path), 1)
    assert.lengthOf(await list(`${path}?$filter=subject eq 'subject-1'`), 1)
    assert.lengthOf(await list(`${path}?$filter=name eq 'none'`), 0)
    assert.strictEqual((await admin().get(`${path}/${created["id"]}`))["name"], "credential-1")
    assert.strictEqual((await admin().get(`${path}/credential-1`))["id"], created["id"])
    await admin().patch(`${path}/credential-1`, { subject: "other", description: null })
    assert.deepInclude(await admin().get(`${path}/credential-1`), {
      subject: "other",
      description: null
    })
    await admin().remove(`${path}(name='credential-1')`)
    assert.lengthOf(await list(path), 0)
  })

  it("are created if missing, by their name", async () => {
    const path = `${await ofNewApp()}(name='credential-1')`
    const { name: _, ...rest } = credential()
    const upsert = () => admin().send("PATCH", path, rest, { prefer: "create-if-missing" })
    assert.strictEqual((await upsert()).status, 201)
    assert.strictEqual((await upsert()).status, 204)
    assert.strictEqual((await admin().get(path))["subject"], "subject-1")
  })

  it("are twenty at most", async () => {
    const path = await ofNewApp()
    await Promise.all(Array.from({ length: 20 }, (_, n) => admin().create(path, credential(n))))
    const error = await admin().refused(403, "POST", path, credential("more"))
    assert.strictEqual(error.code, "Directory_QuotaExceeded")
    assert.lengthOf(await list(path), 20)
  })

  it("share neither a name, nor issuer and subject", async () => {
    const path = await ofNewApp()
    await admin().create(path, credential(1))
    const other = await admin().create(path, credential(2))
    const sameName = await admin().refused(409, "POST", path, {
      ...credential(1),
      subject: "another"
    })
    assert.deepInclude(sameName, {
      code: "Request_MultipleObjectsWithSameKeyValue",
      message: "FederatedIdentityCredential with name credential-1 already exists."
    })
    const sameSubject = { ...credential(1), name: "another" }
    assert.match(
      (await admin().refused(409, "POST", path, sameSubject)).message,
      /issuer and subject/
    )
    await admin().refused(409, "PATCH", `${path}/${other["id"]}`, { subject: "subject-1" })
    // What it has already is no duplicate of itself.
    await admin().patch(`${path}/${other["id"]}`, { subject: "subject-2" })
  })

  it.each<readonly [what: string, change: Record<string, unknown>, message: RegExp]>([
    ["no audience", { audiences: [] }, /must have exactly one audience/],
    ["two audiences", { audiences: ["a", "b"] }, /must have exactly one audience/],
    ["a short name", { name: "ab" }, /name 'ab' is invalid/],
    ["a long name", { name: "x".repeat(121) }, /is invalid/],
    ["a name with a blank", { name: "a name" }, /name 'a name' is invalid/],
    ["a name that begins with a dash", { name: "-name" }, /is invalid/],
    ["a long issuer", { issuer: "x".repeat(601) }, /property 'issuer'/],
    ["an empty subject", { subject: "" }, /property 'subject'/],
    ["no subject", { subject: undefined }, /A value is required for property 'subject'/],
    ["a long description", { description: "x".repeat(601) }, /property 'description'/],
    [
      "a flexible expression",
      { claimsMatchingExpression: {} },
      /Invalid property 'claimsMatchingExpression'/
    ]
  ])("are not created with %s", async (_, change, message) => {
    const body = { ...credential(), ...change }
    const error = await admin().refused(400, "POST", await ofNewApp(), body)
    assert.strictEqual(error.code, "Request_BadRequest")
    assert.match(error.message, message)
  })

  it("keep their name", async () => {
    const path = await ofNewApp()
    await admin().create(path, credential())
    const error = await admin().refused(400, "PATCH", `${path}/credential-1`, { name: "another" })
    assert.match(error.message, /name .* cannot be changed/)
  })

  it("take any issuer as it is, wrong or not", async () => {
    const issuer = " not a URL "
    const created = await admin().create(await ofNewApp(), { ...credential(), issuer })
    assert.strictEqual(created["issuer"], issuer)
  })
})

describe("app role assignments", () => {
  const applicationReadAll = "9a5d68dd-52b0-4cc2-bd40-abcbac3a270c"

  it("are granted from either side, shown on both, and revoked", async () => {
    const [client, resource] = [await newClient(), await admin().get(graphApi)]
    const grant = {
      principalId: client["id"],
      resourceId: resource["id"],
      appRoleId: applicationReadAll
    }
    const granted = await admin().create(
      `servicePrincipals/${resource["id"]}/appRoleAssignedTo`,
      grant
    )
    assert.deepInclude(granted, {
      ...grant,
      principalType: "ServicePrincipal",
      principalDisplayName: "an app",
      resourceDisplayName: "Microsoft Graph"
    })
    const held = await list(`servicePrincipals/${client["id"]}/appRoleAssignments`)
    assert.deepEqual(
      held.map(({ id }) => id),
      [granted["id"]]
    )
    const twice = await admin().refused(
      400,
      "POST",
      `servicePrincipals/${client["id"]}/appRoleAssignments`,
      grant
    )
    assert.match(twice.message, /already exists on the object/)
    await admin().remove(`${graphApi}/appRoleAssignedTo/${granted["id"]}`)
    const other = { ...grant, appRoleId: "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9" }
    const path = `servicePrincipals/${client["id"]}/appRoleAssignments`
    await admin().create(path, other)
    assert.lengthOf(await list(path), 1)
    await admin().refused(405, "PATCH", path, {})
    await admin().refused(405, "PATCH", `${path}/${granted["id"]}`, {})
  })

  it("go with the service principal, and that with its application", async () => {
    const client = await newClient()
    const resource = await admin().get(graphApi)
    await admin().create(`servicePrincipals/${client["id"]}/appRoleAssignments`, {
      principalId: client["id"],
      resourceId: resource["id"],
      appRoleId: "00000000-0000-0000-0000-000000000000"
    })
    await admin().remove(`applications(appId='${client["appId"]}')`)
    await admin().refused(404, "GET", `servicePrincipals/${client["id"]}`)
    const left = await list(`${graphApi}/appRoleAssignedTo`)
    assert.notInclude(
      left.map(({ principalId }) => principalId),
      client["id"]
    )
  })

  it("are refused for what is not there", async () => {
    const [client, resource] = [await newClient(), await admin().get(graphApi)]
    const path = `servicePrincipals/${client["id"]}/appRoleAssignments`
    const nobody = "99999999-9999-4999-8999-999999999999"
    const grant = {
      principalId: client["id"],
      resourceId: resource["id"],
      appRoleId: applicationReadAll
    }
    const message = async (status: number, body: unknown) =>
      (await admin().refused(status, "POST", path, body)).message
    assert.match(await message(400, {}), /A value is required for property 'principalId'/)
    assert.match(await message(400, { ...grant, principalId: nobody }), /principal in the path/)
    assert.match(await message(404, { ...grant, resourceId: nobody }), /does not exist/)
    assert.match(
      await message(400, { ...grant, appRoleId: nobody }),
      /Permission being assigned was not found/
    )
    const assigned = await admin().refused(404, "POST", `${graphApi}/appRoleAssignedTo`, {
      ...grant,
      principalId: nobody
    })
    assert.match(assigned.message, /does not exist/)
  })
})

describe("paths", () => {
  it.each([
    "users",
    "applications/x/owners",
    "applications/x/federatedIdentityCredentials",
    "servicePrincipals/x/y/z/a",
    "applications(appId='x')/a/b/c/d"
  ])("that lead nowhere are refused: %s", async (path) => {
    const response = await admin().send("GET", path)
    assert.include([400, 404], response.status)
    assert.nestedProperty(await response.json(), "error.code")
  })

  it("take only the methods that they have", async () => {
    const { message } = await admin().refused(405, "DELETE", "applications")
    assert.match(message, /method is not allowed/)
    await admin().refused(405, "POST", "applications/x", {})
  })
})

describe("faults", () => {
  it.each([
    [Fault.throttled(3), 429, "TooManyRequests"],
    [Fault.status(503), 503, "serviceNotAvailable"],
    [Fault.status(500), 500, "InternalServerError"]
  ] as const)("are in Graph's own words: %o", async (fault, status, code) => {
    const lift = sandbox().fault("graph.applications", fault)
    assert.strictEqual((await admin().refused(status, "GET", "applications")).code, code)
    lift()
  })

  it("leave the rest alone", async () => {
    const lift = sandbox().fault("graph.federatedIdentityCredentials", Fault.status(500))
    const { id } = await newApp()
    await admin().refused(500, "GET", `applications/${id}/federatedIdentityCredentials`)
    assert.strictEqual((await admin().get(`applications/${id}`))["id"], id)
    lift()
  })
})
