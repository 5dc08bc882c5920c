import { sources } from "@federate/ambient/adapter"
import type { Fetch, Platform } from "@federate/http"
import { adapterContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { azureManagedIdentityAdapter } from "../src/azureManagedIdentityAdapter.ts"
import { azurePipelinesAdapter } from "../src/azurePipelinesAdapter.ts"
import { buildkiteAdapter } from "../src/buildkiteAdapter.ts"
import { circleciAdapter } from "../src/circleciAdapter.ts"
import { environmentAdapter } from "../src/environmentAdapter.ts"
import { executableAdapter } from "../src/executableAdapter.ts"
import { fileAdapter } from "../src/fileAdapter.ts"
import { flyAdapter } from "../src/flyAdapter.ts"
import { githubActionsAdapter } from "../src/githubActionsAdapter.ts"
import { gitlabAdapter } from "../src/gitlabAdapter.ts"
import { hcpTerraformAdapter } from "../src/hcpTerraformAdapter.ts"
import { vercelAdapter } from "../src/vercelAdapter.ts"
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
adapterContract("Azure Pipelines", { adapter: azurePipelinesAdapter, settings: {} })
adapterContract("Buildkite", { adapter: buildkiteAdapter, settings: {} })
adapterContract("CircleCI", { adapter: circleciAdapter, settings: {} })
adapterContract("The environment", {
  adapter: environmentAdapter,
  settings: { variable: "MY_TOKEN" }
})
adapterContract("The program", { adapter: executableAdapter, settings: { command: ["/bin/echo"] } })
adapterContract("The file", { adapter: fileAdapter, settings: { path: "/nowhere/token" } })
adapterContract("Fly.io", { adapter: flyAdapter, settings: {} })
adapterContract("GitHub Actions", { adapter: githubActionsAdapter, settings: {} })
adapterContract("GitLab", { adapter: gitlabAdapter, settings: { variable: "ENTRA_TOKEN" } })
adapterContract("HCP Terraform", { adapter: hcpTerraformAdapter, settings: {} })
adapterContract("Vercel", { adapter: vercelAdapter, settings: {} })
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

  it.effect("ask over the app's fetch, as the app's environment says", () =>
    Effect.gen(function* () {
      const id = "0f0e0d0c-0b0a-4908-8706-050403020100"
      const variables: Readonly<Record<string, string>> = {
        ACTIONS_ID_TOKEN_REQUEST_URL: "https://github.example/token?api-version=2.0",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
        SYSTEM_OIDCREQUESTURI: "https://azure.example/oidctoken",
        SYSTEM_ACCESSTOKEN: secret,
        BUILDKITE_JOB_ID: "job",
        BUILDKITE_AGENT_ACCESS_TOKEN: secret,
        VERCEL_OIDC_TOKEN: Redacted.value(assertionFor("x", 0, { aud: "own" }).token)
      }
      const seen: Array<string> = []
      const platform: Platform = {
        environment: (name) => variables[name],
        fetch: async (url) => {
          seen.push(url)
          return Response.json({ value: jwt, oidcToken: jwt, token: jwt })
        }
      }
      const made = [
        githubActionsAdapter.make({ audience: "party" }, platform),
        azurePipelinesAdapter.make({ serviceConnectionId: id }, platform),
        buildkiteAdapter.make({ audience: "party" }, platform),
        vercelAdapter.make({ audience: "party" }, platform)
      ]
      for (const source of yield* Effect.all(made)) yield* source.assertion({})
      assert.deepStrictEqual(seen, [
        "https://github.example/token?api-version=2.0&audience=party",
        `https://azure.example/oidctoken?api-version=7.1&serviceConnectionId=${id}`,
        "https://agent.buildkite.com/v3/jobs/job/oidc/tokens",
        "https://oidc.vercel.com/~token"
      ])
    })
  )

  it.effect("find tokens that lie there where the app's environment says", () =>
    Effect.gen(function* () {
      const platform: Platform = {
        environment: (name) => (name === "CIRCLE_OIDC_TOKEN_V2" ? undefined : jwt)
      }
      const made = [
        environmentAdapter.make({ variable: "MY_TOKEN" }, platform),
        gitlabAdapter.make({ variable: "ENTRA_TOKEN" }, platform),
        hcpTerraformAdapter.make({ tag: "AWS" }, platform),
        circleciAdapter.make({}, platform)
      ]
      for (const source of yield* Effect.all(made))
        assert.strictEqual((yield* source.assertion({})).subject, "workload")
    })
  )

  it.effect("run no program of a config file's unless the environment lets them", () =>
    Effect.gen(function* () {
      const settings = { command: ["/bin/echo", jwt] }
      for (const value of [undefined, "0", "true"]) {
        const { message, stage } = yield* Effect.flip(
          executableAdapter.make(settings, { environment: () => value })
        )
        assert.strictEqual(stage, "configuration")
        assert.match(message, /command: is a program.*FEDERATE_ALLOW_EXECUTABLES=1/)
      }
      const source = yield* executableAdapter.make(settings, {
        environment: (name) => (name === "FEDERATE_ALLOW_EXECUTABLES" ? "1" : undefined)
      })
      assert.strictEqual((yield* source.assertion({})).subject, "workload")
    })
  )

  it.live("look where the settings and the app's environment say", () =>
    Effect.gen(function* () {
      const kubernetes = yield* kubernetesAdapter.make({ tokenFile: "/nowhere/token" }, {})
      const spiffe = yield* spiffeAdapter.make(
        { audience: "party" },
        { environment: () => "unix:///nowhere/agent.sock" }
      )
      const file = yield* fileAdapter.make({ path: "/nowhere/file" }, {})
      const fly = yield* flyAdapter.make({ socket: "/nowhere/fly" }, {})
      for (const [source, place] of [
        [file, "/nowhere/file"],
        [fly, "/nowhere/fly"],
        [kubernetes, "/nowhere/token"],
        [spiffe, "/nowhere/agent.sock"]
      ] as const) {
        const { message } = yield* Effect.flip(source.assertion({}))
        assert.include(message, place)
      }
    })
  )
})
