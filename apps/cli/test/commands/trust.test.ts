import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Fault } from "@federate/sandbox"
import { Effect } from "effect"
import { configFile, placeholders } from "../../src/template.ts"
import { needs } from "../../../../scripts/debian.ts"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"
import { awsCli, scripted } from "../scripted.ts"
import { stopped } from "../stopped.ts"

const here = folder()
const file = join(here, "federate.yaml")

const sandbox = cloud({ setup: "empty" })

const variables = ["COGNITO_IDENTITY_POOL_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"]

beforeEach(() => {
  writeFileSync(file, configFile(placeholders))
  vi.stubEnv("FEDERATE_CONFIG", file)
  for (const variable of variables) vi.stubEnv(variable, "")
  const { admin } = sandbox().aws
  vi.stubEnv("AWS_ACCESS_KEY_ID", admin.accessKeyId)
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", admin.secretAccessKey)
})

const asAdministrator = ["--admin-token-command", "printenv FEDERATE_SANDBOX_ADMIN_TOKEN"]

const trust = (command: string, ...args: ReadonlyArray<string>) =>
  federate(["trust", command, "graph", ...asAdministrator, ...args])

/** Whatever the test has left. */
const cleared = Effect.gen(function* () {
  sandbox().clearFaults()
  yield* trust("destroy", "--yes")
})

/** Sets the variables that were printed. */
const learn = (stdout: string) => {
  for (const line of stdout.trim().split("\n")) {
    const [name = "", value = ""] = line.split("=")
    vi.stubEnv(name, value)
  }
}

const planned = Effect.gen(function* () {
  const { code, stdout } = yield* trust("plan", "--json")
  const { changes, settled } = JSON.parse(stdout)
  return {
    code,
    settled,
    actions: Object.fromEntries(
      changes.map(({ action, kind }: { readonly action: string; readonly kind: string }) => [
        kind,
        action
      ])
    )
  }
})

const graph = Effect.fnUntraced(function* (method: string, path: string, body?: object) {
  const { env } = sandbox()
  const answer = yield* Effect.promise(() =>
    fetch(`${env["GRAPH_BASE_URL"]}/v1.0/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${env["FEDERATE_SANDBOX_ADMIN_TOKEN"]}`,
        "content-type": "application/json"
      },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
  )
  return answer.status === 204 ? undefined : yield* Effect.promise(() => answer.json())
})

describe("federate trust", () => {
  it.live("goes from nothing to a Graph token, and back to nothing", () =>
    Effect.gen(function* () {
      const before = yield* planned
      assert.deepInclude(before, { code: 0, settled: false })
      assert.deepEqual(before.actions, {
        "workload role": "none",
        "identity pool": "create",
        "role policy": "create",
        tenant: "none",
        "app role": "none",
        application: "create",
        "service principal": "create",
        assertion: "later",
        "federated credential": "create",
        "app role assignment": "create"
      })

      const envFile = join(here, "learnt.env")
      writeFileSync(envFile, "OTHER=1\nexport AZURE_CLIENT_ID=old\n")
      const applied = yield* trust("apply", "--yes", "--env-file", envFile)
      assert.strictEqual(applied.code, 0, applied.stderr)
      assert.match(
        applied.stdout,
        /^COGNITO_IDENTITY_POOL_ID=us-east-1:[0-9a-f-]{36}\nAZURE_TENANT_ID=[0-9a-f-]{36}\nAZURE_CLIENT_ID=[0-9a-f-]{36}\n$/
      )
      assert.include(applied.stderr, "✓ A real exchange succeeded")
      assert.strictEqual(readFileSync(envFile, "utf8"), `OTHER=1\n${applied.stdout}`)

      // Found by name, and by the ids that are known now.
      assert.isTrue((yield* planned).settled)
      learn(applied.stdout)
      assert.isTrue((yield* planned).settled)
      const { env } = sandbox()
      vi.stubEnv("AWS_ACCESS_KEY_ID", env["AWS_ACCESS_KEY_ID"])
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", env["AWS_SECRET_ACCESS_KEY"])
      const { code, stdout: token } = yield* federate(["token", "graph"])
      assert.strictEqual(code, 0)
      const { value } = yield* Effect.promise(async () =>
        (
          await fetch(`${env["GRAPH_BASE_URL"]}/v1.0/applications`, {
            headers: { authorization: `Bearer ${token.trim()}` }
          })
        ).json()
      )
      assert.deepEqual(
        value.map(({ displayName }: { readonly displayName: string }) => displayName),
        ["federate-graph"]
      )

      const { admin } = sandbox().aws
      vi.stubEnv("AWS_ACCESS_KEY_ID", admin.accessKeyId)
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", admin.secretAccessKey)
      const verified = yield* trust("verify")
      assert.strictEqual(verified.code, 0, verified.stderr)
      assert.include(verified.stdout, "A real exchange succeeded")
      const removed = yield* trust("destroy", "--yes")
      assert.strictEqual(removed.code, 0, removed.stderr)
      for (const variable of variables) vi.stubEnv(variable, "")
      assert.deepEqual((yield* planned).actions, before.actions)
      assert.include((yield* trust("destroy", "--yes")).stderr, "There is nothing to remove.")
    })
  )

  it.live.skipIf(!needs("/usr/bin/aws", "awscli"))(
    "finds AWS's half made by what is emitted for the AWS CLI",
    () =>
      Effect.gen(function* () {
        const { aws, http } = sandbox()
        const { stdout: script } = yield* federate(["trust", "emit", "graph", "--as", "aws-cli"])
        const told = yield* scripted(awsCli(http, aws.region, aws.admin), script)
        assert.match(told.join(), /identityPoolId: us-east-1:.*iss: https:.*aud: us-east-1:/)
        assert.deepInclude((yield* planned).actions, {
          "identity pool": "none",
          "role policy": "none",
          application: "create"
        })
        yield* cleared
        assert.deepInclude((yield* planned).actions, { "identity pool": "create" })
      })
  )

  it.live("changes nothing when it is applied again", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* trust("apply", "--yes")).code, 0)
      const writes = [
        "cognito.CreateIdentityPool",
        "cognito.UpdateIdentityPool",
        "iam.PutRolePolicy",
        "graph.appRoleAssignedTo"
      ] as const
      const counts = () => writes.map((endpoint) => sandbox().count(endpoint))
      const before = counts()
      const again = yield* trust("apply")
      assert.strictEqual(again.code, 0, again.stderr)
      assert.include(again.stderr, "there is nothing to do")
      assert.deepEqual(counts(), before)
      yield* cleared
    })
  )

  it.live("asks before it writes, and does not where nobody can be asked", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* trust("apply")
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "+ identity pool")
      assert.include(stderr, "There is no terminal to ask on, and nothing was changed")
      assert.strictEqual((yield* planned).actions["identity pool"], "create")
    })
  )

  it.live("tells what it needs when there is no token, and what AWS lacks all the same", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* federate(["trust", "plan", "graph"])
      assert.strictEqual(code, 1)
      assert.include(stdout, "+ identity pool")
      assert.include(stdout, "✗ application")
      assert.include(stdout, "--admin-token-command")
    })
  )

  it.live("tells which right is missing, on either side, and changes nothing then", () =>
    Effect.gen(function* () {
      const reader = yield* Effect.promise(() =>
        sandbox().accessToken({ roles: ["Application.Read.All"] })
      )
      const denied = yield* federate([
        "trust",
        "apply",
        "graph",
        "--yes",
        "--admin-token-command",
        `echo ${reader}`
      ])
      assert.strictEqual(denied.code, 1)
      // AWS's half is done by then: what is true on each side is told.
      assert.include(denied.stderr, "AWS: identity pool federate-graph: as it should be")
      assert.include(denied.stderr, "Microsoft Entra: application federate-graph: failed")
      assert.include(
        denied.stderr,
        "Microsoft Entra: service principal federate-graph: not touched"
      )
      assert.include(denied.stderr, "Authorization_RequestDenied")
      assert.notInclude(denied.stderr, reader)

      vi.stubEnv("AWS_ACCESS_KEY_ID", sandbox().env["AWS_ACCESS_KEY_ID"])
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", sandbox().env["AWS_SECRET_ACCESS_KEY"])
      const workload = yield* trust("apply", "--yes")
      assert.strictEqual(workload.code, 1)
      assert.include(workload.stderr, "Nothing was changed on either side.")
      assert.include(workload.stderr, "is not authorized to perform")
      const { admin } = sandbox().aws
      vi.stubEnv("AWS_ACCESS_KEY_ID", admin.accessKeyId)
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", admin.secretAccessKey)
      yield* cleared
    })
  )

  it.live("takes over what is there already, and leaves it there in the end", () =>
    Effect.gen(function* () {
      const app = yield* graph("POST", "applications", { displayName: "mine" })
      vi.stubEnv("AZURE_CLIENT_ID", app.appId)
      assert.deepInclude((yield* planned).actions, {
        application: "none",
        "service principal": "create"
      })
      const { code, stderr } = yield* trust("apply", "--yes")
      assert.strictEqual(code, 0, stderr)
      const removed = yield* trust("destroy", "--yes")
      assert.match(removed.stderr, /= application mine|= application federate-graph: kept/)
      const { value } = yield* graph("GET", `applications/${app.id}/federatedIdentityCredentials`)
      assert.deepEqual(value, [])
      yield* graph("DELETE", `applications/${app.id}`)
    })
  )

  it.live("does not choose between two apps of the same name", () =>
    Effect.gen(function* () {
      const apps = yield* Effect.forEach([1, 2], () =>
        graph("POST", "applications", { displayName: "federate-graph" })
      )
      const { code, stdout } = yield* trust("plan")
      assert.strictEqual(code, 1)
      for (const { appId } of apps) assert.include(stdout, appId)
      assert.include(stdout, "`clientId`")
      for (const { id } of apps) yield* graph("DELETE", `applications/${id}`)
    })
  )

  it.live("mends a credential that was edited by hand, and tells what it was", () =>
    Effect.gen(function* () {
      const { stdout } = yield* trust("apply", "--yes")
      const [, clientId] = /AZURE_CLIENT_ID=(\S+)/.exec(stdout) ?? []
      const path = `applications(appId='${clientId}')/federatedIdentityCredentials`
      yield* graph("PATCH", `${path}/federate-graph`, { subject: "edited" })
      const plan = yield* trust("plan")
      assert.match(plan.stdout, /subject {2}edited → us-east-1:[0-9a-f-]{36}/)
      assert.strictEqual((yield* trust("verify")).code, 1)
      assert.strictEqual((yield* trust("apply", "--yes")).code, 0)
      assert.strictEqual((yield* trust("verify")).code, 0)
      yield* cleared
    })
  )

  it.live("tells of a 21st credential, and of one with the same subject under another name", () =>
    Effect.gen(function* () {
      const app = yield* graph("POST", "applications", { displayName: "full" })
      const path = `applications/${app.id}/federatedIdentityCredentials`
      for (let count = 0; count < 20; count++) {
        yield* graph("POST", path, {
          name: `credential-${count}`,
          issuer: "https://issuer.example",
          subject: `${count}`,
          audiences: ["a"]
        })
      }
      vi.stubEnv("AZURE_CLIENT_ID", app.appId)
      const full = yield* trust("apply", "--yes")
      assert.strictEqual(full.code, 2)
      assert.include(full.stderr, "20 federated credentials already")
      assert.include(full.stderr, "credential-7")

      const { stdout } = yield* trust("plan", "--json")
      const known = Object.assign(
        {},
        ...JSON.parse(stdout).changes.map((change: { readonly known: object }) => change.known)
      )
      yield* graph("PATCH", `${path}/credential-7`, { issuer: known.iss, subject: known.sub })
      const other = yield* trust("plan")
      assert.strictEqual(other.code, 1)
      assert.include(other.stdout, "was not made by this flow, and differs in audiences")
      yield* graph("PATCH", `${path}/credential-7`, { audiences: [known.aud] })
      const same = yield* trust("apply", "--yes")
      assert.strictEqual(same.code, 0, same.stderr)
      yield* cleared
      assert.lengthOf((yield* graph("GET", path)).value, 20)
      yield* graph("DELETE", `applications/${app.id}`)
    })
  )

  it.live("refuses an administrator's token of another tenant", () =>
    Effect.gen(function* () {
      vi.stubEnv("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555")
      const { code, stdout } = yield* trust("plan")
      assert.strictEqual(code, 1)
      assert.include(stdout, "is of the tenant")
    })
  )

  it.live("waits for a throttled Graph, a concurrent writer, and what has not spread yet", () =>
    Effect.gen(function* () {
      sandbox().fault("graph.applications", Fault.throttled(1), { first: 2 })
      const conflict = { error: { code: "ConcurrencyViolation", message: "Somebody else writes" } }
      sandbox().fault(
        "graph.federatedIdentityCredentials",
        Fault.body(JSON.stringify(conflict), { status: 409 }),
        { call: 3 }
      )
      const unheard = { error: { code: "Request_ResourceNotFound", message: "Not there" } }
      sandbox().fault(
        "graph.appRoleAssignedTo",
        Fault.body(JSON.stringify(unheard), { status: 404 }),
        { first: 1 }
      )
      sandbox().propagation("2 seconds")
      const { code, stderr } = yield* trust("apply", "--yes")
      sandbox().propagation(0)
      assert.strictEqual(code, 0, stderr)
      assert.include(stderr, "… waiting for Microsoft Entra: federated credential")
      assert.include(stderr, "… waiting for Microsoft Entra: app role assignment")
      yield* cleared
    })
  )
})

/** Whether a request changes anything on either side. */
const isWrite = (url: string, { body, headers, method }: RequestInit): boolean =>
  url.includes("/v1.0/")
    ? method !== "GET"
    : /[.](Create|Update|Delete)/.test(new Headers(headers).get("x-amz-target") ?? "") ||
      /Action=(Put|Delete)/.test(String(body))

/** The pool, the role's policy, the app, its service principal, its credential, and its app role. */
const writes = [1, 2, 3, 4, 5, 6]

describe("an apply that is stopped", () => {
  it.live.each(
    writes.flatMap((at) => [
      { at, leaves: false },
      { at, leaves: true }
    ])
  )("at write $at, done: $leaves, is finished by running it again", (stop) =>
    Effect.gen(function* () {
      assert.isTrue(yield* stopped(trust("apply", "--yes"), { ...stop, isWrite }))
      const again = yield* trust("apply", "--yes")
      assert.strictEqual(again.code, 0, again.stderr)
      assert.isTrue((yield* planned).settled)
      assert.lengthOf((yield* graph("GET", "applications")).value, 1)
      yield* cleared
      assert.lengthOf((yield* graph("GET", "applications")).value, 0)
    })
  )

  it.live("is stopped there at each of its writes", () =>
    Effect.gen(function* () {
      const stop = { at: writes.length + 1, leaves: false, isWrite }
      assert.isFalse(yield* stopped(trust("apply", "--yes"), stop))
      yield* cleared
    })
  )
})
