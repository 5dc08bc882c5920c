import { sources } from "@federate/ambient/adapter"
import type { Fetch } from "@federate/http"
import { adapterContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { azureManagedIdentityAdapter } from "../src/azureManagedIdentityAdapter.ts"
import { googleMetadataAdapter } from "../src/googleMetadataAdapter.ts"
import { kubernetesAdapter } from "../src/kubernetesAdapter.ts"
import { kubernetesTokenRequestAdapter } from "../src/kubernetesTokenRequestAdapter.ts"
import { spiffeAdapter } from "../src/spiffeAdapter.ts"
import { vaultAdapter } from "../src/vaultAdapter.ts"

const secret = "THE-TOKEN-THAT-ASKS"
const jwt = Redacted.value(assertionFor("workload").token)

adapterContract("Azure's managed identity", {
  adapter: azureManagedIdentityAdapter,
  settings: {},
  // Without its header it refuses, by which it is known.
  well: (_, { headers }) =>
    new Headers(headers).has("metadata")
      ? Response.json({ access_token: jwt })
      : new Response("", { status: 400 })
})
adapterContract("Google's metadata server", { adapter: googleMetadataAdapter, settings: {} })
adapterContract("Kubernetes", { adapter: kubernetesAdapter, settings: {} })
adapterContract("The Kubernetes API", { adapter: kubernetesTokenRequestAdapter, settings: {} })
adapterContract("SPIFFE", { adapter: spiffeAdapter, settings: {} })
adapterContract("Vault", { adapter: vaultAdapter, settings: { role: "workload" } })

describe("the sources of platforms in a config file", () => {
  it("have names of their own", () => {
    const types = sources.map(({ type }) => type)
    assert.strictEqual(new Set(types).size, types.length)
  })

  const asked: Array<string> = []
  const answering =
    (answer: () => Response): Fetch =>
    async (url) => {
      asked.push(url)
      return answer()
    }

  it.effect("are made of their settings, over the app's fetch and its environment", () =>
    Effect.gen(function* () {
      const google = yield* Effect.flatMap(
        Schema.decodeUnknownEffect(googleMetadataAdapter.config)({
          audience: "party",
          serviceAccount: "a@b.example"
        }),
        (settings) =>
          googleMetadataAdapter.make(settings, {
            environment: () => "localhost:8080",
            fetch: answering(() => new Response(jwt, { headers: { "metadata-flavor": "Google" } }))
          })
      )
      yield* google.assertion({})
      const kubernetes = yield* Effect.flatMap(
        Schema.decodeUnknownEffect(kubernetesTokenRequestAdapter.config)({
          server: "https://kubernetes.example",
          serviceAccount: "workload",
          namespace: "apps",
          token: secret,
          audience: "party",
          expiration: "10 minutes"
        }),
        (settings) =>
          kubernetesTokenRequestAdapter.make(settings, {
            fetch: answering(() => Response.json({ status: { token: jwt } }, { status: 201 }))
          })
      )
      yield* kubernetes.assertion({})
      const vault = yield* Effect.flatMap(
        Schema.decodeUnknownEffect(vaultAdapter.config)({ role: "workload", token: secret }),
        (settings) =>
          vaultAdapter.make(settings, {
            environment: (name) => (name === "VAULT_ADDR" ? "https://vault.example" : undefined),
            fetch: answering(() => Response.json({ data: { token: jwt } }))
          })
      )
      yield* vault.assertion({})
      assert.deepStrictEqual(asked, [
        "http://localhost:8080/computeMetadata/v1/instance/service-accounts/a@b.example/identity?audience=party&format=full",
        "https://kubernetes.example/api/v1/namespaces/apps/serviceaccounts/workload/token",
        "https://vault.example/v1/identity/oidc/token/workload"
      ])
    })
  )

  it.live("look where the settings and the app's environment say", () =>
    Effect.gen(function* () {
      const kubernetes = yield* kubernetesAdapter.make({ tokenFile: "/nowhere/token" }, {})
      const spiffe = yield* spiffeAdapter.make(
        { audience: "party" },
        { environment: () => "unix:///nowhere/agent.sock" }
      )
      for (const [source, place] of [
        [kubernetes, "/nowhere/token"],
        [spiffe, "/nowhere/agent.sock"]
      ] as const) {
        const { message } = yield* Effect.flip(source.assertion({}))
        assert.include(message, place)
      }
    })
  )
})
