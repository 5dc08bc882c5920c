import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../../cloud.ts"
import { federate } from "../../command.ts"
import { claims, flows } from "../../flows.ts"
import { folder } from "../../folder.ts"

const here = folder()
const config = join(here, "federate.yaml")
writeFileSync(config, flows)

const sandbox = cloud()
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))

const call = (...args: ReadonlyArray<string>) => federate(["credential", "kubectl", ...args])

const answer = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* call(...args)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
  const { status, ...rest } = JSON.parse(stdout)
  return { rest, status, claims: claims(status.token) }
})

const info = (apiVersion: string) =>
  JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } })

describe("federate credential kubectl", () => {
  it.live("prints a token as client-go reads it", () =>
    Effect.gen(function* () {
      const found = yield* answer("graph")
      assert.deepEqual(found.rest, {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential"
      })
      assert.hasAllKeys(found.status, ["token", "expirationTimestamp"])
      const { expirationTimestamp } = found.status
      assert.match(expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.approximately(Date.parse(expirationTimestamp) - Date.now(), 3_599_000, 60_000)
      assert.strictEqual(found.claims["aud"], "https://graph.microsoft.com")
    })
  )

  it.live("asks for another scope, when one is named", () =>
    Effect.gen(function* () {
      const resource = "00000003-0000-0000-c000-000000000000"
      const found = yield* answer("graph", "--scope", `${resource}/.default`)
      assert.strictEqual(found.claims["aud"], resource)
    })
  )

  it.live("prints an assertion, for a demanded audience", () =>
    Effect.gen(function* () {
      const pool = sandbox().env["COGNITO_IDENTITY_POOL_ID"] ?? ""
      const found = yield* answer("workload", "--audience", pool)
      assert.strictEqual(found.claims["aud"], pool)
      const { code, stderr, stdout } = yield* call("workload", "--audience", "kubernetes")
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" })
      assert.include(stderr, `"kubernetes" is demanded`)
    })
  )

  it.live.each(["v1", "v1beta1"])("answers in the version that is asked for: %s", (version) =>
    Effect.gen(function* () {
      vi.stubEnv("KUBERNETES_EXEC_INFO", info(`client.authentication.k8s.io/${version}`))
      const { rest } = yield* answer("graph")
      assert.strictEqual(rest.apiVersion, `client.authentication.k8s.io/${version}`)
    })
  )

  it.live.each([
    info("client.authentication.k8s.io/v1alpha1"),
    info("v1"),
    `{ "apiVersion": "client.authentication.k8s.io/v1", "kind": "Pod" }`,
    "{",
    "null"
  ])("says what it cannot answer: %s", (asked) =>
    Effect.gen(function* () {
      vi.stubEnv("KUBERNETES_EXEC_INFO", asked)
      assert.deepEqual(yield* call("graph"), {
        code: 2,
        stdout: "",
        stderr: `✗ $KUBERNETES_EXEC_INFO is not an ExecCredential of client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1\n  fix          Write "apiVersion: client.authentication.k8s.io/v1" beside the command in the kubeconfig.\n`
      })
    })
  )

  it.effect("names the flows that would do, where this one does not", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* call("keys")
      assert.strictEqual(code, 2)
      assert.strictEqual(
        stderr,
        `✗ The flow "keys" brings AWS credentials; access tokens or assertions are needed\n  fix          Flows that do: graph, workload.\n`
      )
    })
  )
})
