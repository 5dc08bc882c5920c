/** Flows to Microsoft Entra. */
import { Buffer } from "node:buffer"
import type { TokenOptions } from "@federate/sandbox"
import { claims } from "../flows.ts"
import { graph } from "./apis.ts"
import type { Built, Place, SetUp, WellSetUp } from "./SetUp.ts"

const exchange = "api://AzureADTokenExchange"
const graphScope = "https://graph.microsoft.com/.default"
const main = "repo:o/r:ref:refs/heads/main"

interface Trusted {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
}

interface Changes {
  /** What the token says. */
  readonly token?: Partial<TokenOptions>
  /** What the federated credential says, where it is not what the token does. */
  readonly trust?: Partial<Trusted>
  /** Of the exchanger's settings. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly args?: ReadonlyArray<string>
  readonly undo?: Built["undo"]
}

/** An application with a federated credential, or none. */
export const application = async (
  { name, sandbox }: Place,
  trusted?: Trusted,
  more: object = {}
) => {
  const api = graph(sandbox)
  const { appId, id } = await api("POST", "applications", { displayName: name, ...more })
  const principal = await api("POST", "servicePrincipals", { appId })
  if (trusted !== undefined) await trust({ name, sandbox }, id, trusted)
  return { clientId: appId, objectId: id, principalId: principal["id"] ?? "" }
}

const trust = (
  { name, sandbox }: Pick<Place, "name" | "sandbox">,
  objectId: string,
  { audience, issuer, subject }: Trusted
) =>
  graph(sandbox)("POST", `applications/${objectId}/federatedIdentityCredentials`, {
    name,
    issuer,
    subject,
    audiences: [audience]
  })

const readsTrust = ["--admin-token-command", "printenv FEDERATE_SANDBOX_ADMIN_TOKEN"]

export const exchanger = (
  { sandbox }: Pick<Place, "sandbox">,
  clientId: string,
  settings: Changes["settings"] = {}
) => ({
  type: "entra",
  tenantId: sandbox.entra.tenantId,
  clientId,
  authorityHost: sandbox.https,
  scopes: [graphScope],
  ...settings
})

/** A job's token in a file, and an application that trusts it. */
const job = async (place: Place, changes: Changes = {}): Promise<Built> => {
  const { name, sandbox, write } = place
  const token = { subject: main, audience: exchange, ...changes.token }
  const issuer = sandbox.issuerUrl(name)
  const { clientId } = await application(place, {
    issuer,
    subject: token.subject,
    audience: `${token.audience}`,
    ...changes.trust
  })
  return {
    source: { type: "kubernetes", tokenFile: write(await sandbox.issueToken(name, token)) },
    exchanger: exchanger(place, clientId, changes.settings),
    args: [...readsTrust, ...(changes.args ?? [])],
    ...(changes.undo && { undo: changes.undo })
  }
}

/** A token that is at hand, and an application that trusts what is said of it. */
const given = async (place: Place, token: string, trusted: Trusted): Promise<Built> => {
  const { clientId } = await application(place, trusted)
  return {
    source: { type: "kubernetes", tokenFile: place.write(token) },
    exchanger: exchanger(place, clientId),
    args: readsTrust
  }
}

/** The same, with a trust in exactly what the token says. */
const asItSays = (place: Place, token: string): Promise<Built> => {
  const { aud, iss, sub } = claims(token)
  return given(place, token, { issuer: `${iss}`, subject: `${sub}`, audience: `${aud}` })
}

/** The first journey's pool and workload, and an application of its own. */
const cognito = async (place: Place, trusted: (pool: string) => Partial<Trusted> = () => ({})) => {
  const { sandbox } = place
  const pool = sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? ""
  const subject = await firstSubject(place)
  const { clientId } = await application(place, {
    issuer: sandbox.issuer,
    subject,
    audience: pool,
    ...trusted(pool)
  })
  return {
    source: {
      type: "cognito",
      identityPoolId: pool,
      logins: { "my.dev.provider": "my_user_id" }
    },
    exchanger: exchanger(place, clientId),
    args: readsTrust
  }
}

/** Whom the first journey's federated credential names. */
const firstSubject = async ({ sandbox }: Place): Promise<string> => {
  const { value } = await graph(sandbox)(
    "GET",
    `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
  )
  // Graph's list of them.
  const [first] = value as unknown as ReadonlyArray<{ readonly subject: string }>
  return first?.subject ?? ""
}

/** A managed identity of this machine, until the set-up is gone through. */
const managedIdentity = async (
  place: Place,
  trusted: (identity: {
    readonly clientId: string
    readonly principalId: string
  }) => Partial<Trusted>,
  tenantId?: string
): Promise<Built> => {
  const { sandbox } = place
  const identity = sandbox.assignManagedIdentity(tenantId)
  const { clientId } = await application(place, {
    issuer: identity.issuer,
    subject: identity.principalId,
    audience: exchange,
    ...trusted(identity)
  })
  return {
    source: { type: "azure-managed-identity", objectId: identity.principalId },
    exchanger: exchanger(place, clientId),
    env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: sandbox.http },
    args: readsTrust
  }
}

/** Entra's clock, until the set-up is gone through. */
const entraIsAhead = async (place: Place, millis: number): Promise<Built> => {
  const built = await job(place, { undo: () => place.sandbox.skew("entra", 0) })
  place.sandbox.skew("entra", millis)
  return built
}

/** An API whose service principal is as told. */
const resource = async (place: Place, principal: object): Promise<string> => {
  const { sandbox } = place
  const uri = `api://${place.name}`
  const { principalId } = await application({ ...place, name: `${place.name}-api` }, undefined, {
    identifierUris: [uri]
  })
  await graph(sandbox)("PATCH", `servicePrincipals/${principalId}`, principal)
  return `${uri}/.default`
}

const minutes = 60_000

export const well: ReadonlyArray<WellSetUp> = [
  { name: "a job to Entra", build: job },
  { name: "a Cognito identity to Entra", build: cognito },
  { name: "a managed identity to Entra", build: (place) => managedIdentity(place, () => ({})) }
]

export const entra: ReadonlyArray<SetUp> = [
  // The subject.
  {
    name: "the trust names another branch",
    build: (place) => job(place, { trust: { subject: "repo:o/r:ref:refs/heads/release" } }),
    found: "sub",
    what: /is not what `subject` wants/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main" in `subject`/,
    code: "AADSTS700213"
  },
  {
    name: "the job names an environment, the trust a branch",
    build: (place) =>
      job(place, { token: { subject: "repo:o/r:environment:prod" }, trust: { subject: main } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /names an environment/,
    fix: /^Write exactly "repo:o\/r:environment:prod" in `subject`/,
    code: "AADSTS700213"
  },
  {
    name: "the trust is for an environment, and the job names none",
    build: (place) => job(place, { trust: { subject: "repo:o/r:environment:prod" } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /the job names none \(`environment:` in the job\)/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main"/,
    code: "AADSTS700213"
  },
  {
    name: "the job runs for a pull request",
    build: (place) =>
      job(place, { token: { subject: "repo:o/r:pull_request" }, trust: { subject: main } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /pull request has a subject of its own/,
    fix: /^Write exactly "repo:o\/r:pull_request"/,
    code: "AADSTS700213"
  },
  {
    name: "GitHub writes ids into the subject, the trust has none",
    build: (place) =>
      job(place, {
        token: { subject: "repo:o@11/r@22:ref:refs/heads/main" },
        trust: { subject: main }
      }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /GitHub now writes the ids/,
    fix: /^Write exactly "repo:o@11\/r@22:ref:refs\/heads\/main"/,
    code: "AADSTS700213"
  },
  {
    name: "the repository was made anew, under the same name",
    build: (place) =>
      job(place, {
        token: { subject: "repo:o@11/r@23:ref:refs/heads/main" },
        trust: { subject: "repo:o@11/r@22:ref:refs/heads/main" }
      }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /The names are the same, and the ids are not/,
    fix: /^Write exactly "repo:o@11\/r@23:/,
    code: "AADSTS700213"
  },
  {
    name: "the subject differs in case",
    build: (place) => job(place, { trust: { subject: main.replace("o/r", "O/R") } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /upper and lower case alone/,
    fix: /^Write exactly "repo:o\/r:/,
    code: "AADSTS7002138"
  },
  {
    name: "the subject was copied with a line's end",
    build: (place) => job(place, { trust: { subject: `${main}\n` } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /cannot be seen: it was copied along/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main" in/,
    code: "AADSTS700213"
  },
  {
    name: "the trust's subject has a wildcard",
    build: (place) => job(place, { trust: { subject: "repo:o/r:*" } }),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /its \* stands for nothing but itself/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main"/,
    code: "AADSTS700213"
  },
  {
    name: "the trust names the identity pool as its subject",
    build: (place) => cognito(place, (pool) => ({ subject: pool })),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /the token's `aud` there/,
    fix: /^Write exactly "us-east-1:/,
    code: "AADSTS700213"
  },
  {
    name: "the trust names a managed identity's client id",
    build: (place) => managedIdentity(place, ({ clientId }) => ({ subject: clientId })),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /the token's `appid` there/,
    fix: /^Write exactly "[0-9a-f-]{36}" in `subject`/,
    code: "AADSTS700213"
  },
  {
    name: "20 federated credentials, and none of them fits",
    build: async (place) => {
      const built = await job(place, { trust: { subject: "repo:o/r:ref:refs/heads/release-0" } })
      // Where its own settings say.
      const { clientId } = built.exchanger as { readonly clientId: string }
      for (let count = 1; count < 20; count++) {
        await trust(
          { ...place, name: `${place.name}-${count}` },
          `${(await graph(place.sandbox)("GET", `applications(appId='${clientId}')`))["id"]}`,
          {
            issuer: place.sandbox.issuerUrl(place.name),
            subject: `repo:o/other-${count}:ref:refs/heads/main`,
            audience: exchange
          }
        )
      }
      return built
    },
    found: "sub",
    what: /is not what `subject` wants/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main"/,
    code: "AADSTS700213"
  },
  // Issuer and audience.
  {
    name: "the trust's issuer has a slash at its end",
    build: (place) => job(place, { trust: { issuer: `${place.sandbox.issuerUrl(place.name)}/` } }),
    found: "iss",
    what: /is not what `issuer` wants/,
    why: /a slash at the end/,
    fix: /^Write exactly "https:\/\/localhost:\d+\/issuers\/[\w-]+" in `issuer`/,
    code: "AADSTS700211"
  },
  {
    name: "the trust's issuer is another",
    build: (place) =>
      job(place, { trust: { issuer: place.sandbox.issuerUrl(`${place.name}-other`) } }),
    found: "iss",
    what: /is not what `issuer` wants/,
    fix: /^Write exactly "https:\/\/localhost:\d+\/issuers\/[\w-]+" in `issuer`/,
    code: "AADSTS700211"
  },
  {
    name: "the trust has Entra's audience, the token Cognito's",
    build: (place) => cognito(place, () => ({ audience: exchange })),
    found: "aud",
    what: /is not what `audiences` wants/,
    why: /always for their identity pool/,
    fix: /^Write "us-east-1:[0-9a-f-]+" in `audiences`/,
    code: "AADSTS700212"
  },
  {
    name: "the token is for the platform's own audience",
    build: (place) =>
      job(place, { token: { audience: "https://github.com/o" }, trust: { audience: exchange } }),
    found: "aud",
    what: /is not what `audiences` wants/,
    fix: /ask for the audience "api:\/\/AzureADTokenExchange"/,
    code: "AADSTS700212"
  },
  {
    name: "the application has no federated credential at all",
    build: async (place) => {
      const built = await job(place)
      const { clientId } = await application({ ...place, name: `${place.name}-bare` })
      return { ...built, exchanger: exchanger(place, clientId) }
    },
    found: "trust",
    what: /^The app [0-9a-f-]{36} has no federated credential at all/,
    fix: /`az ad app federated-credential create --id [0-9a-f-]{36} --parameters '\{.*"subject":"repo:o\/r:ref:refs\/heads\/main","audiences":\["api:\/\/AzureADTokenExchange"\]\}'`/,
    code: "AADSTS70025"
  },
  {
    name: "the trust was set up just now, and has not spread",
    build: async (place) => {
      const built = await job(place, { undo: () => place.sandbox.propagation(0) })
      place.sandbox.propagation("1 hour")
      return built
    },
    found: "exchange",
    what: /was not found in the directory/,
    fix: /just set up takes minutes to spread/,
    code: "AADSTS700016"
  },
  // Tokens that are none of the workload's own.
  {
    name: "a managed identity of another tenant",
    build: (place) => managedIdentity(place, () => ({}), "11111111-2222-4333-8444-555555555555"),
    found: "exchange",
    what: /may not be used for federated identity credential flows/,
    fix: /must live in the same tenant as the app/,
    code: "AADSTS700236"
  },
  {
    name: "the trust lists Entra's exchange by its id",
    build: (place) =>
      managedIdentity(place, () => ({ audience: "fb60f99c-7a34-4190-8149-302f77469936" })),
    found: "trust",
    what: /^`audiences` names the exchange by its id/,
    fix: /^Write "api:\/\/AzureADTokenExchange" in `audiences`/,
    code: "AADSTS700214"
  },
  {
    name: "an application's access token as the assertion",
    build: async (place) => asItSays(place, await place.sandbox.accessToken()),
    found: "exchange",
    what: /Only MSI tokens may be used/,
    fix: /only a managed identity's can be an assertion/,
    code: "AADSTS700226"
  },
  {
    name: "a user's token as the assertion",
    build: async (place) => asItSays(place, await place.sandbox.userToken()),
    found: "exchange",
    what: /Only app-only tokens may be used/,
    fix: /^A user's token cannot be an assertion: use the workload's own/,
    code: "AADSTS700229"
  },
  {
    name: "a token of Entra's own that the trust says nothing of",
    build: async (place) => ({
      ...(await job(place)),
      source: { type: "kubernetes", tokenFile: place.write(await place.sandbox.accessToken()) }
    }),
    found: "iss",
    what: /is not what `issuer` wants/,
    fix: /^Write exactly "https:\/\/localhost:\d+\/[0-9a-f-]{36}\/v2.0" in `issuer`/,
    code: "AADSTS700222"
  },
  // Keys, signatures and clocks.
  {
    name: "the token is signed with ES384",
    build: (place) => job(place, { token: { algorithm: "ES384" } }),
    found: "alg",
    what: /signed with ES384, and only RS256/,
    fix: /sign with RS256/,
    code: "AADSTS5002738"
  },
  {
    name: "the key was rotated away",
    build: async (place) => {
      const built = await job(place)
      place.sandbox.rotateKeys({ issuer: place.name }, "new")
      return built
    },
    found: "issuer",
    what: /publishes no key ".*-RS256-1"/,
    fix: /^Publish the key that signs in the key set/,
    code: "AADSTS7000272"
  },
  {
    name: "the issuer cannot be reached",
    build: async (place) => {
      const issuer = `${place.sandbox.https}/issuers/nobody`
      return job(place, { token: { claims: { iss: issuer } }, trust: { issuer } })
    },
    found: "issuer",
    what: /keys cannot be had: .* answered 404/,
    fix: /^`curl -i https:\/\/localhost:\d+\/issuers\/nobody\/.well-known\/openid-configuration` must answer 200/,
    code: "AADSTS50166"
  },
  {
    name: "the issuer spells itself without the slash that its tokens have",
    build: async (place) => {
      const issuer = `${place.sandbox.issuerUrl(place.name)}/`
      return job(place, { token: { claims: { iss: issuer } }, trust: { issuer } })
    },
    found: "issuer",
    what: /names another issuer/,
    fix: /with "issuer": "https:.*\/" to the letter/,
    code: "AADSTS50166"
  },
  {
    name: "the token was changed on the way",
    build: async (place) => {
      const token = await place.sandbox.issueToken(place.name, {
        subject: main,
        audience: exchange
      })
      const [header, , signature] = token.split(".")
      const changed = Buffer.from(JSON.stringify({ ...claims(token), sub: `${main}-2` }))
      return given(place, [header, changed.toString("base64url"), signature].join("."), {
        issuer: place.sandbox.issuerUrl(place.name),
        subject: `${main}-2`,
        audience: exchange
      })
    },
    found: "issuer",
    what: /signature is not by the issuer's key/,
    fix: /nothing may change or cut it on the way/,
    code: "AADSTS700027"
  },
  {
    name: "half a token in the file",
    build: async (place) => {
      const built = await job(place)
      const token = await place.sandbox.issueToken(place.name, {
        subject: main,
        audience: exchange
      })
      return {
        ...built,
        source: { type: "kubernetes", tokenFile: place.write(token.slice(0, token.length / 2)) }
      }
    },
    found: "issuer",
    what: /^The assertion is no whole token/,
    fix: /nothing may change or cut it on the way/,
    code: "AADSTS50027"
  },
  {
    name: "the token in the file has ended",
    build: (place) => job(place, { token: { lifetime: -10 * minutes } }),
    found: "source",
    what: /ended at/,
    fix: /never renewed\. Or mend this machine's clock/
  },
  {
    name: "no token in the place of the file",
    build: async (place) => ({
      ...(await job(place)),
      source: { type: "kubernetes", tokenFile: `${place.write("x")}-missing` }
    }),
    found: "source",
    what: /There is no file/,
    fix: /mount a projected volume/
  },
  {
    name: "Entra's clock is ahead of the issuer's: the token has ended there",
    build: (place) => entraIsAhead(place, 20 * minutes),
    found: "clock",
    what: /20 min ahead of this machine's, which agrees with/,
    fix: /`timedatectl set-ntp true`/,
    code: "AADSTS700024"
  },
  {
    name: "the issuer's clock is ahead: the token is not valid yet",
    build: async (place) => {
      place.sandbox.skew("issuer", 20 * minutes)
      return job(place, { undo: () => place.sandbox.skew("issuer", 0) })
    },
    found: "clock",
    what: /20 min ahead of this machine's/,
    fix: /`timedatectl set-ntp true`/,
    code: "AADSTS700024"
  },
  // The application and the tenant.
  {
    name: "the client id is nobody's",
    build: (place) =>
      job(place, { settings: { clientId: "00000000-1111-4222-8333-444444444444" } }),
    found: "exchange",
    what: /was not found in the directory/,
    fix: /^There is no app "00000000-1111-4222-8333-444444444444" in the tenant/,
    code: "AADSTS700016"
  },
  {
    name: "the object id in the place of the client id",
    build: async (place) => {
      const built = await job(place)
      const { objectId } = await application({ ...place, name: `${place.name}-2` })
      return { ...built, exchanger: exchanger(place, objectId) }
    },
    found: "exchange",
    what: /was not found in the directory/,
    fix: /the application id, not the object id/,
    code: "AADSTS700016"
  },
  {
    name: "the application's name in the place of the client id",
    build: (place) => job(place, { settings: { clientId: "my-app" } }),
    found: "flow",
    what: /^`clientId` "my-app" is not a GUID/,
    fix: /application \(client\) id/
  },
  {
    name: "the tenant is nobody's",
    build: (place) =>
      job(place, { settings: { tenantId: "00000000-1111-4222-8333-444444444444" } }),
    found: "exchange",
    what: /Tenant '.*' not found/,
    fix: /^There is no tenant "00000000-1111-4222-8333-444444444444"/,
    code: "AADSTS90002"
  },
  {
    name: "the tenant is `common`",
    build: (place) => job(place, { settings: { tenantId: "common" } }),
    found: "flow",
    what: /^`tenantId` "common" is no tenant/,
    fix: /Name the tenant that trusts the workload, by its id/
  },
  {
    name: "the tenant is neither an id nor a domain",
    build: (place) => job(place, { settings: { tenantId: "contoso" } }),
    found: "flow",
    what: /^`tenantId` "contoso" is neither a GUID nor a domain/,
    fix: /directory \(tenant\) id/
  },
  {
    name: "the application has no service principal",
    build: async (place) => {
      const built = await job(place)
      const { appId, id } = await graph(place.sandbox)("POST", "applications", {
        displayName: `${place.name}-bare`
      })
      await trust(place, id, {
        issuer: place.sandbox.issuerUrl(place.name),
        subject: main,
        audience: exchange
      })
      return { ...built, exchanger: exchanger(place, appId) }
    },
    found: "exchange",
    what: /is missing service principal/,
    fix: /`az ad sp create --id "[0-9a-f-]{36}"`/,
    code: "AADSTS7000229"
  },
  {
    name: "the service principal is disabled",
    build: async (place) => {
      const built = await job(place)
      const { clientId } = built.exchanger as { readonly clientId: string }
      await graph(place.sandbox)("PATCH", `servicePrincipals(appId='${clientId}')`, {
        accountEnabled: false
      })
      return built
    },
    found: "exchange",
    what: /is disabled/,
    fix: /`az ad sp update --id ".*" --set accountEnabled=true`/,
    code: "AADSTS7000112"
  },
  {
    name: "the application is a public client",
    build: async (place) => {
      const built = await job(place)
      const { clientId } = built.exchanger as { readonly clientId: string }
      await graph(place.sandbox)("PATCH", `applications(appId='${clientId}')`, {
        isFallbackPublicClient: true
      })
      return built
    },
    found: "exchange",
    what: /Client is public/,
    fix: /`az ad app update --id ".*" --set isFallbackPublicClient=false`/,
    code: "AADSTS700025"
  },
  // What is asked for.
  {
    name: "the scope's resource is nobody's",
    build: (place) => job(place, { settings: { scopes: ["https://nothing.example/.default"] } }),
    found: "exchange",
    what: /resource principal named https:\/\/nothing.example was not found/,
    fix: /scope "https:\/\/nothing.example\/.default" has no service principal/,
    code: "AADSTS500011"
  },
  {
    name: "the scope's resource is disabled",
    build: async (place) =>
      job(place, {
        settings: { scopes: [await resource(place, { accountEnabled: false })] }
      }),
    found: "exchange",
    what: /service principal for resource '.*' is disabled/,
    fix: /enable its service principal/,
    code: "AADSTS500014"
  },
  {
    name: "the scope has no `/.default`",
    build: (place) =>
      job(place, { settings: { scopes: ["https://graph.microsoft.com/Application.Read.All"] } }),
    found: "flow",
    what: /^`scopes` .* is not of the form <resource>\/.default/,
    fix: /write https:\/\/graph.microsoft.com\/.default; single permissions are granted to the app/
  },
  {
    name: "two resources in one request",
    build: (place) =>
      job(place, { settings: { scopes: [graphScope, "https://management.azure.com/.default"] } }),
    found: "flow",
    what: /^`scopes` one token is for one resource/,
    fix: /Ask for each <resource>\/.default by itself/
  },
  {
    name: "the resource demands an assignment",
    build: async (place) =>
      job(place, {
        settings: { scopes: [await resource(place, { appRoleAssignmentRequired: true })] }
      }),
    found: "exchange",
    what: /is not assigned to a role for the application/,
    fix: /assign one to the app/,
    code: "AADSTS501051"
  },
  {
    name: "the application was granted no role",
    build: (place) => job(place, { args: ["--permission", "Application.Read.All"] }),
    found: "roles",
    what: /^The token has no role at all, and not Application.Read.All/,
    fix: /^Assign the role to the app/
  },
  {
    name: "the call takes a role that the token has not",
    build: (place) => job(place, { args: ["--call", `${place.sandbox.https}/v1.0/applications`] }),
    found: "call",
    what: /answered 403 \(Authorization_RequestDenied/,
    fix: /names the permission that this call takes/
  },
  {
    name: "the token is for another API than the one that is called",
    build: async (place) =>
      job(place, {
        settings: { scopes: [await resource(place, { accountEnabled: true })] },
        args: ["--call", `${place.sandbox.https}/v1.0/applications`]
      }),
    found: "call",
    what: /answered 401 \(InvalidAuthenticationToken.*which is for "api:\/\//,
    fix: /its own resource in `scopes`/
  }
]
