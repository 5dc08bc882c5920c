import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { TokenOptions } from "@federate/sandbox"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"
import { google } from "../setUps/apis.ts"
import { scripted } from "../scripted.ts"
import { stopped } from "../stopped.ts"
import { trustOf } from "../trusting.ts"

const sandbox = cloud({ setup: "empty" })
const subject = "repo:o/r:ref:refs/heads/main"
const tokenFile = join(folder(), "token")
const file = join(folder(), "federate.yaml")

/** Each test has a flow and an issuer of its own, and with them names that nobody has taken yet. */
let tests = 0
const flow = () => `deploy-${tests}`
const issuer = () => `ci-${tests}`
const mine = () => `federate-${flow()}`
const email = () => `${mine()}@${sandbox().google.projectId}.iam.gserviceaccount.com`
const pools = () =>
  `projects/${sandbox().google.projectNumber}/locations/global/workloadIdentityPools`
const pool = () => `${pools()}/${mine()}`
const provider = () => `${pool()}/providers/${mine()}`
const bindingsOf = ({
  bindings
}: object & { readonly bindings?: unknown }): ReadonlyArray<unknown> =>
  Array.isArray(bindings) ? bindings : []
const policy = () => `projects/${sandbox().google.projectId}:getIamPolicy`

const call = (...[method, path, body]: Parameters<ReturnType<typeof google>>) =>
  Effect.promise(() => google(sandbox())(method, path, body))

const unset = "audience: ${GOOGLE_AUDIENCE}"
const acting = "serviceAccount: ${GOOGLE_SERVICE_ACCOUNT}"

const write = (trust: string, settings: ReadonlyArray<string> = [unset], type = "google") =>
  writeFileSync(
    file,
    `flows:
  ${flow()}:
    source: { type: kubernetes, tokenFile: ${tokenFile} }
    exchanger:
      type: ${type}
      stsEndpoint: ${sandbox().http}/v1/token
      iamCredentialsEndpoint: ${sandbox().http}
      ${settings.join("\n      ")}
trust:
  ${flow()}: ${trust}
`
  )

/** Its token. */
const job = Effect.fnUntraced(function* (says: Partial<TokenOptions> = {}) {
  const usual = { subject, audience: `https://iam.googleapis.com/${provider()}` }
  const token = yield* Effect.promise(() => sandbox().issueToken(issuer(), { ...usual, ...says }))
  writeFileSync(tokenFile, token)
})

const named = (more = "") => `{ exchanger: { project: ${sandbox().google.projectId}${more} } }`
const role = "roles/viewer"

beforeEach(async () => {
  tests++
  vi.stubEnv("FEDERATE_CONFIG", file)
  vi.stubEnv("GOOGLE_ADMIN", sandbox().google.adminToken)
  await Effect.runPromise(job())
  write(named(`, roles: [${role}]`), [unset, acting])
})

/** A token of somebody who may look, and nothing else. */
const reader = Effect.gen(function* () {
  const { email: viewer } = yield* call(
    "POST",
    `projects/${sandbox().google.projectId}/serviceAccounts`,
    {
      accountId: "reader"
    }
  )
  const before = yield* call("POST", policy(), {})
  yield* call("POST", policy().replace("get", "set"), {
    policy: {
      ...before,
      bindings: [
        ...bindingsOf(before),
        ...["roles/viewer", "roles/browser"].map((each) => ({
          role: each,
          members: [`serviceAccount:${viewer}`]
        }))
      ]
    }
  })
  const { accessToken = "" } = yield* call(
    "POST",
    `projects/-/serviceAccounts/${viewer}:generateAccessToken`,
    { scope: ["https://www.googleapis.com/auth/cloud-platform"] }
  )
  return accessToken
})

const { actions, ends, trusting, well } = trustOf(flow, [
  "--admin-token-command",
  "printenv GOOGLE_ADMIN"
])

const settled = [
  "none project",
  "none pool",
  "none assertion",
  "none provider",
  "none service account",
  "none policy binding",
  "none policy binding"
]
const fromNothing = [
  "none project",
  "create pool",
  "none assertion",
  "create provider",
  "create service account",
  "create policy binding",
  "create policy binding"
]

/** The pool, the provider, the service account, who may be it, and what it may do. */
const writes = [1, 2, 3, 4, 5]
const isWrite = (url: string, { method }: RequestInit): boolean =>
  method !== "GET" &&
  /\/(workloadIdentityPools|serviceAccounts|projects)\b/.test(url) &&
  !/:get|:generate/.test(url)

describe("the trust of an outside issuer in Google Cloud", () => {
  // There is no package of Debian's.
  it.live.skipIf(!existsSync("/usr/bin/gcloud"))(
    "is made just so by what is emitted for gcloud",
    () =>
      Effect.gen(function* () {
        const {
          google: { adminToken },
          http,
          issuerUrl
        } = sandbox()
        const { stdout: script } = yield* federate(["trust", "emit", flow(), "--as", "gcloud"])
        const token = join(folder(), "token")
        writeFileSync(token, adminToken)
        const gcloud = {
          name: "gcloud",
          runs: 'exec /usr/bin/gcloud --quiet "$@"',
          variables: {
            CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: token,
            CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: `${http}/`,
            CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: `${http}/`
          }
        }
        const told = yield* scripted(gcloud, script, {
          ISS: issuerUrl(issuer()),
          AUD: `https://iam.googleapis.com/${provider()}`,
          SUB: subject
        })
        assert.deepEqual(told.slice(-2), [
          `audience: //iam.googleapis.com/${provider()}`,
          `serviceAccount: ${email()}`
        ])
        assert.isTrue((yield* actions()).every((each: string) => each.startsWith("none ")))
        yield* ends
      })
  )

  it.live("is made from nothing, proved, left alone when it is there, and removed", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* actions(), fromNothing)
      const { stderr, stdout } = yield* well("apply", "--yes")
      assert.match(stderr, /A real exchange succeeded/)
      assert.deepEqual(stdout.trim().split("\n"), [
        `GOOGLE_AUDIENCE=//iam.googleapis.com/${provider()}`,
        `GOOGLE_SERVICE_ACCOUNT=${email()}`
      ])
      const made: Readonly<Record<string, unknown>> = yield* call("GET", provider())
      assert.deepInclude(made, {
        description: `federate:${flow()}`,
        attributeMapping: { "google.subject": "assertion.sub" },
        attributeCondition: `assertion.sub == "${subject}"`,
        oidc: {
          issuerUri: sandbox().issuerUrl(issuer()),
          allowedAudiences: [`https://iam.googleapis.com/${provider()}`]
        }
      })
      assert.deepEqual(yield* actions(), settled)
      yield* well("apply", "--yes")

      // With the names in their places it is the same.
      vi.stubEnv("GOOGLE_AUDIENCE", `//iam.googleapis.com/${provider()}`)
      vi.stubEnv("GOOGLE_SERVICE_ACCOUNT", email())
      assert.deepEqual(yield* actions(), settled)
      yield* well("verify")
      const { code, stdout: token } = yield* federate(["token", flow()])
      assert.strictEqual(code, 0)
      assert.match(token, /^\S{20,}\s$/)

      yield* ends
      assert.match((yield* ends).stderr, /nothing to remove/)
      const { bindings = [] } = yield* call("POST", policy(), {})
      assert.notInclude(JSON.stringify(bindings), mine())
    })
  )

  it.live("is made again under the names that are kept for what was deleted", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      yield* ends
      assert.deepEqual(
        yield* actions(),
        fromNothing.map((each) => each.replace(/^create (pool|provider)/, "update $1"))
      )
      // It is mended as well: by now the workload is another.
      yield* job({ subject: "repo:o/r:environment:prod" })
      const { stdout } = yield* well("plan")
      assert.match(stdout, /~ pool[^+]*state {2}DELETED → ACTIVE/)
      assert.match(stdout, /~ provider[^+]*state {2}DELETED → ACTIVE[^+]*environment:prod/)
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), settled)
      yield* ends
    })
  )

  it.live("leaves what another deleted under that name, and tells of it", () =>
    Effect.gen(function* () {
      const unlike = (kind: string) =>
        new RegExp(`the ${kind} .* was not made by this flow, and differs in state`)
      yield* call("POST", `${pools()}?workloadIdentityPoolId=${mine()}`, {})
      yield* call("POST", `${pool()}/providers?workloadIdentityPoolProviderId=${mine()}`, {
        attributeMapping: { "google.subject": "assertion.sub" },
        oidc: { issuerUri: sandbox().issuerUrl(issuer()) }
      })
      yield* call("DELETE", provider())
      const applied = yield* trusting("apply", "--yes")
      assert.strictEqual(applied.code, 1)
      assert.match(applied.stderr, unlike("provider"))
      assert.match((yield* ends).stderr, /= pool .*kept/)

      yield* call("DELETE", pool())
      const planned = yield* trusting("plan")
      assert.strictEqual(planned.code, 1)
      assert.match(planned.stdout, unlike("pool"))
      assert.match((yield* ends).stderr, /nothing to remove/)
      assert.strictEqual((yield* call("GET", pool()))["state"], "DELETED")
    })
  )

  it.live("adopts a pool, adds its provider, and leaves the pool", () =>
    Effect.gen(function* () {
      yield* call("POST", `${pools()}?workloadIdentityPoolId=${mine()}`, {})
      assert.deepEqual((yield* actions()).slice(1, 4), [
        "none pool",
        "none assertion",
        "create provider"
      ])
      yield* well("apply", "--yes")
      assert.match((yield* ends).stderr, /= pool .*kept/)
      assert.strictEqual((yield* call("GET", pool()))["state"], "ACTIVE")
      assert.strictEqual((yield* call("GET", provider()))["state"], "DELETED")
    })
  )

  it.live("does not take its pool from providers of another's", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      const another = `${pool()}/providers/another`
      yield* call("POST", `${pool()}/providers?workloadIdentityPoolProviderId=another`, {
        attributeMapping: { "google.subject": "assertion.sub" },
        oidc: { issuerUri: sandbox().issuerUrl("another") }
      })
      const { code, stderr } = yield* trusting("destroy", "--yes")
      assert.strictEqual(code, 2)
      assert.match(stderr, /has 1 more provider, which others need/)
      yield* call("DELETE", another)
      yield* ends
    })
  )

  it.live("leaves a provider of that name alone, and tells that it differs", () =>
    Effect.gen(function* () {
      yield* call("POST", `${pools()}?workloadIdentityPoolId=${mine()}`, {})
      yield* call("POST", `${pool()}/providers?workloadIdentityPoolProviderId=${mine()}`, {
        attributeMapping: { "google.subject": "assertion.sub" },
        oidc: { issuerUri: sandbox().issuerUrl("another") }
      })
      const { code, stdout } = yield* trusting("plan")
      assert.strictEqual(code, 1)
      assert.match(stdout, /was not made by this flow, and differs in .*oidc/)
      assert.strictEqual((yield* trusting("apply", "--yes")).code, 1)
      assert.notProperty(yield* call("GET", provider()), "attributeCondition")
    })
  )

  it.live.each(
    writes.flatMap((at) => [
      { at, leaves: false },
      { at, leaves: true }
    ])
  )("that was stopped at write $at, done: $leaves, is finished by running it again", (stop) =>
    Effect.gen(function* () {
      assert.isTrue(yield* stopped(trusting("apply", "--yes"), { ...stop, isWrite }))
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), settled)
      assert.isTrue(yield* stopped(trusting("destroy", "--yes"), { ...stop, isWrite }))
      yield* ends
      assert.match((yield* ends).stderr, /nothing to remove/)
    })
  )

  it.live("is stopped there at each of its writes", () =>
    Effect.gen(function* () {
      const stop = { at: writes.length + 1, leaves: false, isWrite }
      assert.isFalse(yield* stopped(trusting("apply", "--yes"), stop))
      assert.isFalse(yield* stopped(trusting("destroy", "--yes"), stop))
    })
  )

  it.live("keeps what others wrote into the policies", () =>
    Effect.gen(function* () {
      const before = yield* call("POST", policy(), {})
      const theirs = { role, members: ["user:somebody@example.com"] }
      const restricted = {
        role,
        members: ["user:else@example.com"],
        condition: {
          title: "sometimes",
          expression: "request.time < timestamp('2030-01-01T00:00:00Z')"
        }
      }
      yield* call("POST", policy().replace("get", "set"), {
        policy: {
          ...before,
          version: 3,
          bindings: [...bindingsOf(before), theirs, restricted]
        }
      })
      const held = Effect.map(
        call("POST", policy(), { options: { requestedPolicyVersion: 3 } }),
        ({ bindings }) => bindings
      )
      const whole = yield* held
      yield* well("apply", "--yes")
      assert.include(JSON.stringify(yield* held), `serviceAccount:${email()}`)
      yield* ends
      assert.deepEqual(yield* held, whole)
    })
  )

  it.live("lets the principal itself have the roles where there is no service account", () =>
    Effect.gen(function* () {
      write(named(`, roles: [${role}]`))
      yield* well("apply", "--yes")
      const { bindings } = yield* call("POST", policy(), {})
      assert.include(
        JSON.stringify(bindings),
        `principal://iam.googleapis.com/${pool()}/subject/${subject}`
      )
      assert.deepEqual((yield* actions()).slice(3), ["none provider", "none policy binding"])
      yield* ends
    })
  )

  it.live("is put right when it was changed by hand", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      yield* call("PATCH", `${provider()}?updateMask=disabled,attributeCondition`, {
        disabled: true,
        attributeCondition: "true"
      })
      const { stdout } = yield* well("plan")
      assert.match(stdout, /~ provider[^]*attributeCondition +true → assertion.sub == /)
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), settled)
      yield* ends
    })
  )

  it.live("keeps an uploaded key set, as long as it is there", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      const jwksJson = yield* Effect.promise(async () => {
        const at = `${sandbox().issuerUrl(issuer())}/.well-known/openid-configuration`
        const { jwks_uri } = await (await fetch(at)).json()
        return (await fetch(jwks_uri)).text()
      })
      yield* call("PATCH", `${provider()}?updateMask=oidc`, {
        oidc: { issuerUri: sandbox().issuerUrl("another"), jwksJson }
      })
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), settled)
      assert.propertyVal((yield* call("GET", provider()))["oidc"], "jwksJson", jwksJson)
      yield* ends
    })
  )

  it.live("calls a subject that is too long by the flow's name, and lets in nobody else", () =>
    Effect.gen(function* () {
      const long = `repo:o/${"r".repeat(130)}:ref:refs/heads/main`
      yield* job({ subject: long })
      yield* well("apply", "--yes")
      const made: Readonly<Record<string, unknown>> = yield* call("GET", provider())
      assert.deepInclude(made, {
        attributeMapping: { "google.subject": `"${flow()}"` },
        attributeCondition: `assertion.sub == "${long}"`
      })
      yield* ends
    })
  )

  it.live("writes nothing without the rights, with half the rights, or elsewhere", () =>
    Effect.gen(function* () {
      vi.stubEnv("GOOGLE_ADMIN", "nobody")
      const denied = yield* trusting("plan")
      assert.strictEqual(denied.code, 1)
      assert.match(denied.stdout, /ACCESS_TOKEN_INVALID.*`gcloud auth print-access-token`/)
      const blind = yield* trusting("destroy", "--yes")
      assert.strictEqual(blind.code, 1)
      assert.match(blind.stderr, /ACCESS_TOKEN_INVALID/)

      vi.stubEnv("GOOGLE_ADMIN", yield* reader)
      assert.deepEqual(yield* actions(), fromNothing)
      const half = yield* trusting("apply", "--yes")
      assert.strictEqual(half.code, 1)
      assert.match(
        half.stderr,
        /pool federate-deploy-\d+: failed[^]*iam.workloadIdentityPools.create/
      )

      vi.stubEnv("GOOGLE_ADMIN", sandbox().google.adminToken)
      write("{ exchanger: { project: elsewhere-1 } }")
      const elsewhere = yield* trusting("apply", "--yes")
      assert.strictEqual(elsewhere.code, 1)
      assert.match(elsewhere.stdout + elsewhere.stderr, /resourcemanager.projects.get/)
      write("{}")
      const unnamed = yield* trusting("plan")
      assert.strictEqual(unnamed.code, 2)
      assert.match(
        unnamed.stderr,
        /exchanger.project[^]*is absent, and `audience` does not name one/
      )
    })
  )

  it.live.each([
    {
      what: "a service account is named that nobody acts as",
      trust: () => named(", account: deployer"),
      settings: [unset],
      told: /exchanger.account[^]*acts as no service account[^]*GOOGLE_SERVICE_ACCOUNT/
    },
    {
      what: "the provider is a credentials file's",
      trust: () => named(),
      settings: ["credentialsFile: google.json"],
      told: /names a provider that somebody has set up/
    },
    {
      what: "the pool is a workforce's",
      trust: () => "{}",
      settings: [
        "audience: //iam.googleapis.com/locations/global/workforcePools/our-people/providers/our-login"
      ],
      told: /workforce pool[^]*by hand/
    }
  ])("is refused before any call where $what", ({ settings, told, trust }) =>
    Effect.gen(function* () {
      write(trust(), settings)
      const before = sandbox().count("google.*")
      const { code, stderr } = yield* trusting("plan")
      assert.strictEqual(code, 2)
      assert.match(stderr.replaceAll(/\s+/g, " "), told)
      assert.strictEqual(sandbox().count("google.*"), before)
    })
  )

  it.live("is made for ID tokens as well", () =>
    Effect.gen(function* () {
      write(named(), [unset, acting, "idTokenAudience: https://service.example"], "google-id-token")
      yield* well("apply", "--yes")
      vi.stubEnv("GOOGLE_AUDIENCE", `//iam.googleapis.com/${provider()}`)
      vi.stubEnv("GOOGLE_SERVICE_ACCOUNT", email())
      yield* well("verify")
      yield* ends
    })
  )
})
