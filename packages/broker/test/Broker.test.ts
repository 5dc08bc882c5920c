import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertions, keys, serving, tokens } from "./serving.ts"

describe("one broker over flows of every kind", () => {
  const kinds = Effect.gen(function* () {
    const azure = yield* tokens("graph", { cloud: "azure", client: "app" })
    const google = yield* tokens("storage", { cloud: "google" })
    const aws = yield* keys("bucket")
    const plain = yield* assertions("plain")
    return yield* serving([azure, google, aws, plain].map(({ served }) => served))
  })

  it.live("answers each cloud's SDKs in their own protocol", () =>
    Effect.gen(function* () {
      const { ask, handed, variables } = yield* kinds
      const resource = "https://graph.microsoft.com"
      const appService = yield* ask(`/msi/token?api-version=2019-08-01&resource=${resource}`, {
        headers: { "X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]! }
      })
      assert.deepInclude(appService.json(), {
        access_token: "graph-1",
        client_id: "app",
        resource,
        token_type: "Bearer"
      })
      const imds = yield* ask(
        `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`,
        { headers: { Metadata: "true" } }
      )
      assert.strictEqual(imds.json()["access_token"], "graph-1")
      const gce = yield* ask("/computeMetadata/v1/instance/service-accounts/default/token", {
        headers: { "Metadata-Flavor": "Google" }
      })
      assert.strictEqual(gce.headers["metadata-flavor"], "Google")
      assert.strictEqual(gce.json()["access_token"], "storage-1")
      const container = yield* ask("/aws/credentials", {
        headers: { Authorization: variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]! }
      })
      assert.deepInclude(container.json(), {
        AccessKeyId: "AKIA1",
        SecretAccessKey: "secret-1",
        Token: "session-1"
      })
      const plain = yield* ask("/subject-token/plain?audience=whoever", {
        headers: { Authorization: `Bearer ${variables["FEDERATE_BROKER_TOKEN"]}` }
      })
      assert.strictEqual(plain.text.split(".").length, 3)
      assert.deepEqual(
        handed.map(({ flow, protocol }) => [protocol, flow]),
        [
          ["azure-app-service", "graph"],
          ["azure-imds", "graph"],
          ["gce-token", "storage"],
          ["aws-container", "bucket"],
          ["subject-token", "plain"]
        ]
      )
    })
  )

  it.live("is ready once every flow has produced a credential", () =>
    Effect.gen(function* () {
      const { ask } = yield* kinds
      assert.strictEqual((yield* ask("/livez")).status, 200)
      const { json, status } = yield* ask("/readyz")
      assert.strictEqual(status, 200)
      assert.strictEqual(json()["ready"], true)
    })
  )
})
