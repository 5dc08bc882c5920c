import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { createRemoteJWKSet, jwtVerify } from "jose"
import { read, running } from "../running.ts"
import { exchange, federated, google, trust } from "./google.ts"
import type { Trust } from "./google.ts"

const sandbox = running()

const scope = ["https://www.googleapis.com/auth/cloud-platform"]

const method = ({ serviceAccount }: Pick<Trust, "serviceAccount">, name: string) =>
  `projects/-/serviceAccounts/${serviceAccount}:${name}`

describe("a service account's access token", () => {
  it("is had by a principal that may act as it, and opens what the account may", async () => {
    const trusted = await trust(sandbox())
    const principal = google(sandbox(), await federated(sandbox(), trusted))
    const { accessToken, expireTime } = await principal.call(
      "POST",
      method(trusted, "generateAccessToken"),
      { scope, lifetime: "600s" }
    )
    assert.match(String(expireTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.closeTo(Date.parse(String(expireTime)) - Date.now(), 600_000, 3000)
    const account = google(sandbox(), String(accessToken))
    const path = `projects/${sandbox().google.projectId}`
    assert.strictEqual((await account.refused(403, "GET", path)).status, "PERMISSION_DENIED")
    const { call } = google(sandbox())
    const policy = await call("POST", `${path}:getIamPolicy`)
    const bindings: ReadonlyArray<unknown> = Array.isArray(policy["bindings"])
      ? policy["bindings"]
      : []
    const browser = {
      role: "roles/browser",
      members: [`serviceAccount:${trusted.serviceAccount}`]
    }
    await call("POST", `${path}:setIamPolicy`, {
      policy: { ...policy, bindings: [...bindings, browser] }
    })
    assert.deepInclude(await account.call("GET", path), {
      projectId: sandbox().google.projectId,
      projectNumber: sandbox().google.projectNumber
    })
    await call("POST", `${path}:setIamPolicy`, { policy: { bindings } })
  })

  for (const [how, member, claims] of [
    ["its subject", "principal://{principal}/subject/workload", {}],
    ["all of the pool", "principalSet://{principal}/*", {}],
    ["an attribute", "principalSet://{principal}/attribute.repository/org/app", { r: "org/app" }],
    ["a group", "principalSet://{principal}/group/admins", { g: ["users", "admins"] }]
  ] as const) {
    it(`is given to a principal by ${how}, and to no other`, async () => {
      const trusted = await trust(sandbox(), {
        members: [member],
        provider: {
          attributeMapping: {
            "google.subject": "assertion.sub",
            "google.groups": "has(assertion.g) ? assertion.g : []",
            "attribute.repository": "has(assertion.r) ? assertion.r : ''"
          }
        }
      })
      const ask = async (token: string) =>
        google(sandbox(), await federated(sandbox(), trusted, { subject_token: token })).send(
          "POST",
          method(trusted, "generateAccessToken"),
          { scope }
        )
      assert.strictEqual((await ask(await trusted.token({ claims }))).status, 200)
      const other = await ask(await trusted.token({ subject: "another" }))
      assert.strictEqual(other.status, how === "all of the pool" ? 200 : 403)
    })
  }

  it("is refused with the permission that is missing", async () => {
    const trusted = await trust(sandbox(), { role: "roles/browser" })
    const principal = google(sandbox(), await federated(sandbox(), trusted))
    await Promise.all(
      (
        [
          ["generateAccessToken", { scope }, "iam.serviceAccounts.getAccessToken"],
          ["generateIdToken", { audience: "x" }, "iam.serviceAccounts.getOpenIdToken"]
        ] as const
      ).map(async ([name, body, permission]) => {
        const error = await principal.refused(403, "POST", method(trusted, name), body)
        assert.strictEqual(error.status, "PERMISSION_DENIED")
        assert.strictEqual(
          error.message,
          `Permission '${permission}' denied on resource (or it may not exist).`
        )
        assert.deepInclude(error.details?.[0], {
          reason: "IAM_PERMISSION_DENIED",
          metadata: { permission }
        })
      })
    )
  })

  it("is refused for an account that is not there, and for what is no request", async () => {
    const trusted = await trust(sandbox())
    const { refused } = google(sandbox(), await federated(sandbox(), trusted))
    const absent = { serviceAccount: "nobody@federate-sandbox.iam.gserviceaccount.com" }
    const missing = await refused(404, "POST", method(absent, "generateAccessToken"), { scope })
    assert.match(missing.message, /Gaia id not found for email nobody@/)
    await Promise.all(
      [
        {},
        { scope: [] },
        { scope: "openid" },
        { scope, lifetime: "3601s" },
        { scope, lifetime: "0s" },
        { scope, lifetime: 600 },
        { scope, delegates: "x" }
      ].map(async (body) => {
        const { status } = await refused(400, "POST", method(trusted, "generateAccessToken"), body)
        assert.strictEqual(status, "INVALID_ARGUMENT")
      })
    )
    const noAudience = await refused(400, "POST", method(trusted, "generateIdToken"), {})
    assert.match(noAudience.message, /audience/)
  })

  it("goes by way of delegates, each of whom must let the one before act", async () => {
    const first = await trust(sandbox(), { role: "roles/iam.serviceAccountTokenCreator" })
    const last = await trust(sandbox(), { members: [`serviceAccount:${first.serviceAccount}`] })
    const { call, refused } = google(sandbox(), await federated(sandbox(), first))
    const path = method(last, "generateAccessToken")
    await refused(403, "POST", path, { scope })
    await call("POST", path, {
      scope,
      delegates: [`projects/-/serviceAccounts/${first.serviceAccount}`]
    })
    const plain = await trust(sandbox())
    const error = await google(sandbox(), await federated(sandbox(), plain)).refused(
      403,
      "POST",
      path,
      { scope, delegates: [`projects/-/serviceAccounts/${plain.serviceAccount}`] }
    )
    assert.match(error.message, /implicitDelegation/)
  })
})

describe("a service account's ID token", () => {
  it("is verified by the keys that the sandbox's Google publishes, new ones included", async () => {
    const trusted = await trust(sandbox())
    const { call } = google(sandbox(), await federated(sandbox(), trusted))
    const verified = async (body: object) => {
      const { token } = await call("POST", method(trusted, "generateIdToken"), {
        audience: "https://service.run.app",
        ...body
      })
      const { jwks_uri: keys, issuer } = await read<Record<string, string>>(
        `${sandbox().http}/google/.well-known/openid-configuration`
      )
      const local = (keys ?? "").replace(sandbox().https, sandbox().http)
      return jwtVerify(String(token), createRemoteJWKSet(new URL(local)), {
        issuer: issuer ?? "",
        audience: "https://service.run.app"
      })
    }
    const { payload } = await verified({ includeEmail: true })
    assert.strictEqual(payload.iss, sandbox().google.issuer)
    assert.deepInclude(payload, { email: trusted.serviceAccount, email_verified: true })
    assert.match(payload.sub ?? "", /^\d{21}$/)
    sandbox().rotateKeys("google", "new")
    assert.notProperty((await verified({})).payload, "email")
  })
})

describe("a token", () => {
  it("is needed, must be known, and must be for the cloud platform", async () => {
    const trusted = await trust(sandbox())
    const path = trusted.project
    const none = await fetch(`${sandbox().http}/v1/${path}`)
    assert.strictEqual(none.status, 401)
    const unknown = await google(sandbox(), "ya29.x").refused(401, "GET", path)
    assert.strictEqual(unknown.status, "UNAUTHENTICATED")
    const narrow = await federated(sandbox(), trusted, { scope: "openid" })
    const error = await google(sandbox(), narrow).refused(403, "GET", path)
    assert.deepInclude(error.details?.[0], { reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT" })
    assert.strictEqual(
      (await google(sandbox()).refused(403, "GET", "projects/another")).status,
      "PERMISSION_DENIED"
    )
  })

  it("ends", async () => {
    const trusted = await trust(sandbox())
    const token = await federated(sandbox(), trusted)
    sandbox().skew("google", 301_000)
    const { status } = await google(sandbox(), token).refused(
      401,
      "POST",
      method(trusted, "generateAccessToken"),
      { scope }
    )
    sandbox().skew("google", 0)
    assert.strictEqual(status, "UNAUTHENTICATED")
  })
})

describe("the IAM API", () => {
  it("creates, reads, changes and deletes pools and providers", async () => {
    const { call, refused } = google(sandbox())
    const { pool, pools, provider } = await trust(sandbox(), {
      provider: { displayName: "Tests", description: "For tests", attributeCondition: "true" }
    })
    const { workloadIdentityPools } = await call("GET", pools)
    assert.isTrue(
      Array.isArray(workloadIdentityPools) &&
        workloadIdentityPools.some((each: { readonly name: string }) => each.name === pool)
    )
    assert.deepInclude(await call("GET", pool), { name: pool, displayName: "A pool" })
    const described = await call("GET", provider)
    assert.deepInclude(described, {
      name: provider,
      displayName: "Tests",
      description: "For tests",
      state: "ACTIVE",
      attributeCondition: "true",
      attributeMapping: { "google.subject": "assertion.sub" }
    })
    const { workloadIdentityPoolProviders } = await call("GET", `${pool}/providers`)
    assert.deepEqual(workloadIdentityPoolProviders, [described])
    const changed = await call("PATCH", `${provider}?updateMask=attributeCondition`, {
      attributeCondition: "false",
      displayName: "Not in the mask"
    })
    assert.isFalse(changed["done"])
    const done = await call("GET", String(changed["name"]))
    assert.isTrue(done["done"])
    assert.deepInclude(done["response"], { attributeCondition: "false", displayName: "Tests" })
    await call("PATCH", `${pool}?updateMask=displayName`, { displayName: "Another" })
    assert.deepInclude(await call("GET", pool), { displayName: "Another", disabled: false })
    for (const [one, list, member, id] of [
      [
        provider,
        `${pool}/providers`,
        "workloadIdentityPoolProviders",
        "workloadIdentityPoolProviderId"
      ],
      [pool, pools, "workloadIdentityPools", "workloadIdentityPoolId"]
    ] as const) {
      // What is deleted can be restored, and until then its name is taken.
      await call("DELETE", one)
      assert.deepInclude(await call("GET", one), { state: "DELETED" })
      assert.notInclude(JSON.stringify(await call("GET", list)), one)
      assert.include(JSON.stringify((await call("GET", `${list}?showDeleted=true`))[member]), one)
      const again = await refused(409, "POST", `${list}?${id}=${one.split("/").at(-1)}`, {})
      assert.strictEqual(again.status, "ALREADY_EXISTS")
      for (const wrong of ["DELETE", "PATCH"]) {
        const path = wrong === "PATCH" ? `${one}?updateMask=disabled` : one
        const body = wrong === "PATCH" ? { disabled: true } : undefined
        assert.strictEqual((await refused(400, wrong, path, body)).status, "FAILED_PRECONDITION")
      }
      await call("POST", `${one}:undelete`, {})
      assert.deepInclude(await call("GET", one), { state: "ACTIVE" })
      const { status } = await refused(400, "POST", `${one}:undelete`, {})
      assert.strictEqual(status, "FAILED_PRECONDITION")
    }
    assert.strictEqual((await refused(404, "GET", `${pool}s`)).status, "NOT_FOUND")
  })

  it("refuses what Google would not take", async () => {
    const { refused } = google(sandbox())
    const { pool, pools, project, serviceAccount } = await trust(sandbox())
    const provider = `${pool}/providers?workloadIdentityPoolProviderId`
    const oidc = { issuerUri: "https://issuer.example" }
    const attributeMapping = { "google.subject": "assertion.sub" }
    await Promise.all(
      (
        [
          [`${pools}?workloadIdentityPoolId=No`, {}],
          [`${pools}?workloadIdentityPoolId=gcp-mine`, {}],
          [pools, {}],
          [`${provider}=x`, { oidc, attributeMapping }],
          [`${provider}=wrong`, { oidc }],
          [`${provider}=wrong`, { oidc, attributeMapping: [1] }],
          [`${provider}=wrong`, { oidc, attributeMapping: { ...attributeMapping, sub: "'x'" } }],
          [
            `${provider}=wrong`,
            { oidc, attributeMapping: { "google.subject": "assertion.sub ==" } }
          ],
          [
            `${provider}=wrong`,
            { oidc, attributeMapping: { "google.subject": `'${"x".repeat(2048)}'` } }
          ],
          [
            `${provider}=wrong`,
            {
              oidc,
              attributeMapping: {
                ...attributeMapping,
                ...Object.fromEntries(
                  Array.from({ length: 51 }, (_, index) => [`attribute.a${index}`, "'x'"])
                )
              }
            }
          ],
          [`${provider}=wrong`, { oidc, attributeMapping, attributeCondition: 1 }],
          [`${provider}=wrong`, { oidc, attributeMapping, attributeCondition: "==" }],
          [`${provider}=wrong`, { attributeMapping }],
          [`${provider}=wrong`, { attributeMapping, oidc: { issuerUri: "http://issuer.example" } }],
          [`${provider}=wrong`, { attributeMapping, oidc: { ...oidc, allowedAudiences: "x" } }],
          [`${provider}=wrong`, { attributeMapping, oidc: { ...oidc, jwksJson: "{}" } }],
          [`${project}/serviceAccounts`, { accountId: "x" }],
          [`${project}/serviceAccounts/${serviceAccount}:setIamPolicy`, {}],
          [
            `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`,
            { policy: { bindings: [1] } }
          ],
          [
            `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`,
            { policy: { bindings: [{ role: "roles/unheard.of", members: [] }] } }
          ],
          [
            `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`,
            {
              policy: {
                bindings: [{ role: "roles/browser", members: ["principal://elsewhere/subject/x"] }]
              }
            }
          ]
        ] as const
      ).map(async ([path, body]) => {
        const error = await refused(400, "POST", path, body)
        assert.strictEqual(error.status, "INVALID_ARGUMENT", path)
      })
    )
    await Promise.all(
      ["", "?updateMask=name"].map((mask) => refused(400, "PATCH", `${pool}${mask}`, {}))
    )
    await Promise.all(
      (
        [
          [`${pools}?workloadIdentityPoolId=${pool.replace(/.*\//, "")}`, {}],
          [`${provider}=tests`, { oidc, attributeMapping }],
          [`${project}/serviceAccounts`, { accountId: serviceAccount.replace(/@.*/, "") }]
        ] as const
      ).map(async ([path, body]) => {
        assert.strictEqual((await refused(409, "POST", path, body)).status, "ALREADY_EXISTS")
      })
    )
    const text = await fetch(`${sandbox().http}/v1/${pools}`, {
      method: "POST",
      headers: { authorization: `Bearer ${sandbox().google.adminToken}` },
      body: "nonsense"
    })
    assert.strictEqual(text.status, 400)
  })

  it("creates, reads and deletes service accounts, by e-mail and by unique id", async () => {
    const { call, refused } = google(sandbox())
    const { project } = await trust(sandbox())
    const made = await call("POST", `${project}/serviceAccounts`, {
      accountId: "by-itself",
      serviceAccount: { displayName: "By itself" }
    })
    const { accounts } = await call("GET", `${project}/serviceAccounts`)
    assert.isTrue(Array.isArray(accounts) && accounts.length > 1)
    const byId = await call("GET", `projects/-/serviceAccounts/${String(made["uniqueId"])}`)
    assert.deepEqual(byId, made)
    await call("DELETE", `${project}/serviceAccounts/${String(made["email"])}`)
    await refused(404, "GET", `${project}/serviceAccounts/${String(made["email"])}`)
  })

  it("sets a policy only over the one that was read", async () => {
    const { call, refused } = google(sandbox())
    const { project, serviceAccount } = await trust(sandbox())
    const account = `${project}/serviceAccounts/${serviceAccount}`
    const policy = await call("POST", `${account}:getIamPolicy`)
    // As gcloud writes what it has read: in the other alphabet.
    const etag = Buffer.from(String(policy["etag"]), "base64").toString("base64url")
    await call("POST", `${account}:setIamPolicy`, { policy: { ...policy, etag } })
    const error = await refused(409, "POST", `${account}:setIamPolicy`, { policy })
    assert.strictEqual(error.status, "ABORTED")
  })

  it("is closed to who has no role", async () => {
    const trusted = await trust(sandbox())
    const { refused } = google(sandbox(), await federated(sandbox(), trusted))
    const account = `${trusted.project}/serviceAccounts/${trusted.serviceAccount}`
    await Promise.all(
      (
        [
          ["GET", trusted.pools],
          ["POST", trusted.pools],
          ["GET", trusted.provider],
          ["DELETE", trusted.provider],
          ["PATCH", trusted.pool],
          ["GET", `${trusted.project}/serviceAccounts`],
          ["POST", `${account}:setIamPolicy`],
          ["DELETE", account],
          ["POST", `${trusted.project}:getIamPolicy`]
        ] as const
      ).map(async ([verb, path]) => {
        assert.strictEqual((await refused(403, verb, path)).status, "PERMISSION_DENIED", path)
      })
    )
  })
})

describe("what was just set up", () => {
  it("is not seen until it has spread", async () => {
    sandbox().propagation("1 hour")
    const trusted = await trust(sandbox())
    assert.strictEqual((await exchange(sandbox(), trusted)).error, "invalid_target")
    sandbox().skew("google", 3_601_000)
    const late = await trusted.token({
      lifetime: 7_200_000,
      claims: { iat: Math.floor(Date.now() / 1000) + 3600 }
    })
    assert.strictEqual((await exchange(sandbox(), trusted, { subject_token: late })).status, 200)
    sandbox().skew("google", 0)
    sandbox().propagation(0)
  })

  it("holds for policies as well: the one before holds until then", async () => {
    const trusted = await trust(sandbox())
    const principal = google(sandbox(), await federated(sandbox(), trusted))
    const path = method(trusted, "generateAccessToken")
    sandbox().propagation("1 hour")
    assert.strictEqual((await principal.refused(403, "POST", path, { scope })).code, 403)
    sandbox().propagation(0)
    await principal.call("POST", path, { scope })
  })
})

describe("faults", () => {
  it.each([
    [Fault.throttled(7), 429, "RESOURCE_EXHAUSTED", "7"],
    [Fault.status(503), 503, "UNAVAILABLE", null],
    [Fault.status(500), 500, "INTERNAL", null]
  ] as const)("are in the words of Google's APIs: %o", async (fault, code, status, after) => {
    const lift = sandbox().fault("google.token", fault)
    const before = sandbox().count("google.token")
    const response = await fetch(`${sandbox().http}/v1/token`, { method: "POST" })
    assert.strictEqual(response.status, code)
    assert.strictEqual(response.headers.get("retry-after"), after)
    const { error } = (await response.json()) as { readonly error: { readonly status: string } } // fails below otherwise
    assert.strictEqual(error.status, status)
    assert.strictEqual(sandbox().count("google.token"), before + 1)
    lift()
  })
})
