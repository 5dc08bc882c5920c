/** A pod and its cluster: what the kubelet writes, and what the API server makes of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kubernetesTokenRequest } from "@federate/ambient"
import { Fault } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeJwt } from "jose"
import { afterAll, afterEach, beforeAll } from "vitest"
import { running } from "../running.ts"

const sandbox = running()
const workload = { namespace: "apps", name: "workload" }
const path = "/api/v1/namespaces/apps/serviceaccounts/workload/token"

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "federate-pod-"))
  await writeFile(join(folder, "ca.crt"), sandbox().caPem)
})
afterEach(() => sandbox().clearFaults())
afterAll(() => rm(folder, { recursive: true }))

/** What the API server says to a request that is right but for these changes. */
const ask = async (
  change: {
    readonly token?: string
    readonly path?: string
    readonly spec?: unknown
    readonly kind?: string
  } = {}
) => {
  const token = change.token ?? (await sandbox().serviceAccountToken(workload))
  const response = await fetch(`${sandbox().http}${change.path ?? path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({
      apiVersion: "authentication.k8s.io/v1",
      kind: change.kind ?? "TokenRequest",
      spec: change.spec ?? { audiences: ["party"] }
    })
  })
  // The API's objects; the assertions fail on anything else.
  const body = (await response.json()) as {
    readonly reason?: string
    readonly message?: string
    readonly status?: { readonly token: string; readonly expirationTimestamp: string }
  }
  return { ...body, code: response.status }
}

describe("the API server", () => {
  it("makes a token for the audiences and the time that are asked for", async () => {
    const { code, status } = await ask({ spec: { audiences: ["a", "b"], expirationSeconds: 601 } })
    assert.strictEqual(code, 201)
    const claims = decodeJwt(status?.token ?? "")
    assert.deepInclude(claims, {
      iss: sandbox().issuerUrl("kubernetes"),
      sub: "system:serviceaccount:apps:workload",
      aud: ["a", "b"]
    })
    assert.strictEqual((claims.exp ?? 0) - (claims.iat ?? 0), 601)
    assert.strictEqual(Date.parse(status?.expirationTimestamp ?? ""), (claims.exp ?? 0) * 1000)
  })

  it("makes its own key where no audience is named, for an hour", async () => {
    const { status } = await ask({ spec: {} })
    const { aud, exp = 0, iat = 0 } = decodeJwt(status?.token ?? "")
    assert.deepStrictEqual(aud, ["https://kubernetes.default.svc.cluster.local"])
    assert.strictEqual(exp - iat, 3600)
    assert.strictEqual((await ask({ token: status?.token ?? "" })).code, 201)
  })

  const refusals: ReadonlyArray<readonly [string, Parameters<typeof ask>[0], number, string]> = [
    ["a token that is none", { token: "x" }, 401, "Unauthorized"],
    [
      "another's account",
      { path: path.replace("workload", "other") },
      403,
      'serviceaccounts "other" is forbidden: User "system:serviceaccount:apps:workload" cannot create resource "serviceaccounts/token" in API group "" in the namespace "apps"'
    ],
    [
      "too short a life",
      { spec: { audiences: ["a"], expirationSeconds: 60 } },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes'
    ],
    ["audiences that are none", { spec: { audiences: "a" } }, 422, "spec.audiences"],
    ["another kind of thing", { kind: "TokenReview" }, 400, "must be of type TokenRequest"]
  ]
  it.each(refusals)("refuses %s", async (_, change, status, message) => {
    const { code, message: said = "" } = await ask(change)
    assert.strictEqual(code, status)
    assert.include(said, message)
  })

  it("refuses a token that is for somebody else", async () => {
    const token = await sandbox().serviceAccountToken(workload, "party")
    assert.strictEqual((await ask({ token })).code, 401)
  })
})

describe("a pod", () => {
  const source = () =>
    kubernetesTokenRequest({
      tokenFile: join(folder, "token"),
      caFile: join(folder, "ca.crt"),
      environment: (name) =>
        new Map<string, string>(Object.entries(sandbox().platforms.kubernetes)).get(name)
    })

  it.effect("gets an assertion for whom it asks, by its own token", () =>
    Effect.gen(function* () {
      yield* Effect.promise(async () =>
        writeFile(join(folder, "token"), await sandbox().serviceAccountToken(workload))
      )
      const { audience, subject } = yield* (yield* source()).assertion({ audience: "party" })
      assert.deepStrictEqual(audience, ["party"])
      assert.strictEqual(subject, "system:serviceaccount:apps:workload")
    })
  )

  it.effect("is told what is wrong, and waits where the server is busy", () =>
    Effect.gen(function* () {
      yield* Effect.promise(async () =>
        writeFile(join(folder, "token"), await sandbox().serviceAccountToken(workload, "party"))
      )
      const asking = Effect.flip(
        Effect.flatMap(source(), (made) => made.assertion({ audience: "party" }))
      )
      const refused = yield* asking
      assert.propertyVal(refused.reason, "code", "Unauthorized", visible(refused))
      sandbox().fault("kubernetes.token", Fault.throttled(3))
      assert.propertyVal((yield* asking).reason, "_tag", "Transient")
    })
  )
})
