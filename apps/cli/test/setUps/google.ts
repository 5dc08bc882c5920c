/** Flows to Google Cloud. */
import type { TokenOptions } from "@federate/sandbox"
import { google as api } from "./apis.ts"
import type { Built, Place, SetUp, WellSetUp } from "./SetUp.ts"

const main = "repo:o/r:ref:refs/heads/main"

interface Changes {
  /** What the token says. */
  readonly token?: Partial<TokenOptions>
  /** Of the provider. */
  readonly provider?: object
  readonly oidc?: object
  /** Whom the service account may be used by: subjects. Default: the token's. */
  readonly members?: ReadonlyArray<string>
  /** Of the exchanger's settings. */
  readonly settings?: (names: Names) => Readonly<Record<string, unknown>>
  readonly undo?: Built["undo"]
}

interface Names {
  readonly pool: string
  /** The provider's. */
  readonly audience: string
  readonly serviceAccount: string
}

/** A job's token in a file, and a pool with a provider that trusts it. */
const job = async (
  place: Place,
  changes: Changes = {}
): Promise<Built & { readonly pool: string }> => {
  const { name, sandbox, write } = place
  const call = api(sandbox)
  const project = `projects/${sandbox.google.projectNumber}`
  const pools = `${project}/locations/global/workloadIdentityPools`
  const pool = `${pools}/${name}`
  await call("POST", `${pools}?workloadIdentityPoolId=${name}`, {})
  await call("POST", `${pool}/providers?workloadIdentityPoolProviderId=jobs`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: "assertion.sub.startsWith('repo:o/')",
    oidc: { issuerUri: sandbox.issuerUrl(name), ...changes.oidc },
    ...changes.provider
  })
  const { email: serviceAccount } = await call("POST", `${project}/serviceAccounts`, {
    accountId: name
  })
  await call("POST", `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`, {
    policy: {
      bindings: [
        {
          role: "roles/iam.workloadIdentityUser",
          members: (changes.members ?? [main]).map(
            (subject) => `principal://iam.googleapis.com/${pool}/subject/${subject}`
          )
        }
      ]
    }
  })
  const audience = `//iam.googleapis.com/${pool}/providers/jobs`
  const token = { subject: main, audience: `https:${audience}`, ...changes.token }
  return {
    pool,
    source: { type: "kubernetes", tokenFile: write(await sandbox.issueToken(name, token)) },
    exchanger: {
      type: "google",
      audience,
      stsEndpoint: `${sandbox.http}/v1/token`,
      iamCredentialsEndpoint: sandbox.http,
      ...changes.settings?.({ pool, audience, serviceAccount })
    },
    env: { GOOGLE_ADMIN: sandbox.google.adminToken },
    args: ["--admin-token-command", "printenv GOOGLE_ADMIN"],
    ...(changes.undo && { undo: changes.undo })
  }
}

const acting = ({ serviceAccount }: Names) => ({ serviceAccount })

const minutes = 60_000

export const well: ReadonlyArray<WellSetUp> = [
  { name: "a job to Google", build: job },
  {
    name: "a job to a service account",
    build: (place) => job(place, { settings: acting })
  }
]

export const google: ReadonlyArray<SetUp> = [
  {
    name: "the project's id in the place of its number",
    build: (place) =>
      job(place, {
        settings: ({ audience }) => ({
          audience: audience.replace(/projects\/\d+/, `projects/${place.sandbox.google.projectId}`)
        })
      }),
    found: "flow",
    what: /^`audience` names the project ".*", and Google wants its number/,
    fix: /`gcloud projects describe/
  },
  {
    name: "a pool without its provider",
    build: (place) =>
      job(place, { settings: ({ pool }) => ({ audience: `//iam.googleapis.com/${pool}` }) }),
    found: "flow",
    what: /names a pool and no provider of it/,
    fix: /providers\/PROVIDER/
  },
  {
    name: "the audience begins with https",
    build: (place) =>
      job(place, { settings: ({ audience }) => ({ audience: `https:${audience}` }) }),
    found: "flow",
    what: /does not begin with \/\/iam.googleapis.com/,
    fix: /^Write \/\/iam.googleapis.com\/projects/
  },
  {
    name: "there is no such provider",
    build: (place) =>
      job(place, {
        settings: ({ pool }) => ({ audience: `//iam.googleapis.com/${pool}/providers/nobody` })
      }),
    found: "trust",
    what: /^There is no provider \/\/iam.googleapis.com\/projects/,
    fix: /`gcloud iam workload-identity-pools providers create-oidc \w+ --project \d+ .* --issuer-uri https:.*--attribute-condition 'assertion.sub == "repo:o\/r:ref:refs\/heads\/main"'`/,
    code: "invalid_target"
  },
  {
    name: "the provider is disabled",
    build: (place) => job(place, { provider: { disabled: true } }),
    found: "trust",
    what: /^the provider is disabled/,
    fix: /`gcloud iam workload-identity-pools providers update-oidc .* --no-disabled`/,
    code: "invalid_target"
  },
  {
    name: "the pool is disabled",
    build: async (place) => {
      const built = await job(place)
      await api(place.sandbox)("PATCH", `${built.pool}?updateMask=disabled`, { disabled: true })
      return built
    },
    found: "trust",
    what: /^the pool is disabled/,
    fix: /`gcloud iam workload-identity-pools update .* --no-disabled`/,
    code: "invalid_target"
  },
  {
    name: "the provider was deleted",
    build: async (place) => {
      const built = await job(place)
      await api(place.sandbox)("DELETE", `${built.pool}/providers/jobs`)
      return built
    },
    found: "trust",
    what: /^the provider is deleted/,
    fix: /30 days: `gcloud iam workload-identity-pools providers undelete projects\//,
    code: "invalid_target"
  },
  {
    name: "the token is for another audience",
    build: (place) => job(place, { token: { audience: "sts.amazonaws.com" } }),
    found: "aud",
    what: /is not what `oidc.allowedAudiences` wants/,
    fix: /^Write "sts.amazonaws.com" in|ask for the audience "https:\/\/iam.googleapis.com/,
    code: "invalid_grant"
  },
  {
    name: "the provider lists another audience",
    build: (place) => job(place, { oidc: { allowedAudiences: ["federate"] } }),
    found: "aud",
    what: /is not what `oidc.allowedAudiences` wants/,
    fix: /ask for the audience "federate"/,
    code: "invalid_grant"
  },
  {
    name: "the provider's issuer has a slash at its end",
    build: (place) =>
      job(place, { oidc: { issuerUri: `${place.sandbox.issuerUrl(place.name)}/` } }),
    found: "iss",
    what: /is not what `oidc.issuerUri` wants/,
    why: /a slash at the end/,
    fix: /^Write exactly "https:/,
    code: "invalid_grant"
  },
  {
    name: "the issuer does not answer Google",
    build: async (place) => {
      const issuer = `${place.sandbox.https}/issuers/nobody`
      return job(place, { token: { claims: { iss: issuer } }, oidc: { issuerUri: issuer } })
    },
    found: "issuer",
    what: /keys cannot be had: .* answered 404/,
    fix: /must answer 200 from anywhere on the internet/,
    code: "invalid_grant"
  },
  {
    name: "the issuer's key was rotated away",
    build: async (place) => {
      const built = await job(place)
      place.sandbox.rotateKeys({ issuer: place.name }, "new")
      return built
    },
    found: "issuer",
    what: /publishes no key/,
    fix: /^Publish the key that signs/,
    code: "invalid_grant"
  },
  {
    name: "the keys that were uploaded are not the issuer's",
    build: (place) => job(place, { oidc: { jwksJson: JSON.stringify({ keys: [] }) } }),
    found: "exchange",
    what: /Invalid JWT Signature/,
    fix: /or that was uploaded to the provider/,
    code: "invalid_grant"
  },
  {
    name: "the token is signed with RS512",
    build: (place) => job(place, { token: { algorithm: "RS512" } }),
    found: "alg",
    what: /signed with RS512, and only RS256, ES256/,
    fix: /sign with/,
    code: "invalid_grant"
  },
  {
    name: "Google's clock is ahead: the token is stale there",
    build: async (place) => {
      const built = await job(place, { undo: () => place.sandbox.skew("google", 0) })
      place.sandbox.skew("google", 20 * minutes)
      return built
    },
    found: "clock",
    what: /20 min ahead of this machine's/,
    fix: /timedatectl set-ntp true/,
    code: "invalid_grant"
  },
  {
    name: "the token lives longer than a day",
    build: (place) => job(place, { token: { lifetime: 48 * 60 * minutes } }),
    found: "exchange",
    what: /^`source` its assertion lives 48 hours, and Google takes 24/,
    fix: /ask for a shorter one/
  },
  {
    name: "the attribute condition refuses the token",
    build: (place) =>
      job(place, { provider: { attributeCondition: "assertion.sub.startsWith('repo:other/')" } }),
    found: "exchange",
    what: /rejected by the attribute condition/,
    fix: /compare the condition .*its subject is repo:o\/r:ref:refs\/heads\/main/,
    code: "unauthorized_client"
  },
  {
    name: "the mapping wants a claim that is no text",
    build: (place) =>
      job(place, {
        provider: {
          attributeMapping: {
            "google.subject": "assertion.sub",
            "attribute.run": "assertion.run"
          }
        },
        token: { claims: { run: 7 } }
      }),
    found: "exchange",
    what: /mapped attribute 'attribute.run' must be of type STRING/,
    fix: /every expression must give a text, from a claim that the token has/,
    code: "unauthorized_client"
  },
  {
    name: "the subject is longer than 127 bytes",
    build: (place) =>
      job(place, { token: { subject: `repo:o/${"r".repeat(100)}:environment:production-eu` } }),
    found: "sub",
    what: /longer than the 127 bytes that are taken/,
    fix: /Map something shorter/,
    code: "invalid_request"
  },
  {
    name: "the service account lets another branch act as it",
    build: (place) =>
      job(place, { members: ["repo:o/r:ref:refs/heads/release"], settings: acting }),
    found: "exchange",
    what: /Permission 'iam.serviceAccounts.getAccessToken' denied/,
    fix: /`gcloud iam service-accounts add-iam-policy-binding .* --role roles\/iam.workloadIdentityUser --member principal:\/\/iam.googleapis.com\/.*\/subject\/repo:o\/r:ref:refs\/heads\/main`/,
    code: "IAM_PERMISSION_DENIED"
  },
  {
    name: "there is no such service account",
    build: (place) =>
      job(place, {
        settings: ({ serviceAccount }) => ({
          serviceAccount: serviceAccount.replace(/^[^@]*/, "nobody")
        })
      }),
    found: "exchange",
    what: /Not found/,
    fix: /^There is no service account nobody@/,
    code: "NOT_FOUND"
  },
  {
    name: "a service account's token for two hours",
    build: (place) =>
      job(place, { settings: (names) => ({ ...acting(names), lifetime: "2 hours" }) }),
    found: "exchange",
    what: /cannot exceed 3600 seconds/,
    fix: /iam.allowServiceAccountCredentialLifetimeExtension must allow/,
    code: "INVALID_ARGUMENT"
  },
  {
    name: "a service account's name in the place of its e-mail",
    build: (place) => job(place, { settings: () => ({ serviceAccount: "my-account" }) }),
    found: "flow",
    what: /^`serviceAccount` "my-account" is no service account's e-mail/,
    fix: /`gcloud iam service-accounts list`/
  },
  {
    name: "nobody answers in the place of Google's STS",
    build: (place) =>
      job(place, { settings: () => ({ stsEndpoint: "http://localhost:1/v1/token" }) }),
    found: "exchange",
    what: /^No answer from localhost:1/,
    fix: /look at the network, the proxy and the firewall/
  }
]
