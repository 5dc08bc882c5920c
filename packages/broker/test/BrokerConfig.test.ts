import { assert, describe, it } from "@effect/vitest"
import { make, restricted } from "@federate/broker"
import type { BrokerConfig } from "@federate/broker"
import { Effect } from "effect"
import { assertions, keys, serving, tokens } from "./serving.ts"

const every = Effect.gen(function* () {
  const flows = [
    yield* tokens("graph", { cloud: "azure" }),
    yield* tokens("storage", { cloud: "google" }),
    yield* keys("bucket"),
    yield* assertions("plain")
  ]
  return flows.map(({ served }) => served)
})

const socket = { path: "/nowhere/socket", flows: ["graph"] }

/** What cannot work: a name that no flow has, or a flow that issues something else than the route hands out. */
const wrong: ReadonlyArray<readonly [setting: string, config: BrokerConfig, problem: RegExp]> = [
  ["flows", { flows: ["graph", "nobody"] }, /broker\.flows: names no flow: "nobody"/],
  ["azure.flow", { azure: { flow: "nobody" } }, /names no flow: "nobody"/],
  ["azure.flow", { azure: { flow: "bucket" } }, /issues AWS credentials; access tokens are needed/],
  ["azure.flow", { azure: { flow: "plain" } }, /issues assertions; access tokens are needed/],
  [
    "azure.resources.https://x",
    { azure: { resources: { "https://x": "plain" } } },
    /issues assertions; access tokens/
  ],
  [
    "azure.resources.https://x",
    { azure: { resources: { "https://x": "__proto__" } } },
    /names no flow: "__proto__"/
  ],
  [
    "azure.identities.app",
    { azure: { identities: { app: "bucket" } } },
    /issues AWS credentials; access tokens/
  ],
  ["gce.flow", { gce: { flow: "bucket" } }, /issues AWS credentials; access tokens/],
  ["gce.flow", { gce: { flow: "plain" } }, /issues assertions; access tokens/],
  ["gce.identityFlow", { gce: { identityFlow: "graph" } }, /issues access tokens; assertions/],
  ["gce.identityFlow", { gce: { identityFlow: "" } }, /names no flow: ""/],
  ["aws.flow", { aws: { flow: "graph" } }, /issues access tokens; AWS credentials are needed/],
  ["aws.flow", { aws: { flow: "nobody" } }, /names no flow: "nobody"/],
  [
    "tokenFiles[1].flow",
    { tokenFiles: [{ path: "/x" }, { path: "/y", flow: "bucket" }] },
    /issues AWS credentials; assertions/
  ],
  [
    "sockets.jobs.flows",
    { sockets: { jobs: { ...socket, flows: ["nobody"] } } },
    /names no flow: "nobody"/
  ],
  ["sockets.loopback", { sockets: { loopback: socket } }, /a name that the audit gives to another/],
  ["sockets.token-file", { sockets: { "token-file": socket } }, /a name that the audit gives/]
]

describe("a setting that cannot work", () => {
  for (const [setting, config, problem] of wrong) {
    it.effect(`is told at the start: ${setting} ${JSON.stringify(config).slice(0, 60)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(make({ flows: yield* every, config }))
        assert.strictEqual(error.stage, "configuration")
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(error.message, `broker.${setting}`)
        assert.match(error.message, problem)
        // What to do: which flows there are, or what to look for.
        assert.match(
          error.message,
          /The flows here are graph, storage, bucket, plain\.|Name a flow that does\.|name of its own/
        )
      })
    )
  }

  it.effect("is one on a socket too, though loopback does not have that flow", () =>
    Effect.gen(function* () {
      const config = { sockets: { jobs: socket }, aws: { flow: "graph" } }
      const error = yield* Effect.flip(make({ flows: yield* every, config }))
      assert.match(error.message, /broker\.aws\.flow.*issues access tokens/)
    })
  )

  it.effect("is two flows of one name", () =>
    Effect.gen(function* () {
      const flows = [yield* tokens("graph"), yield* keys("graph")]
      const error = yield* Effect.flip(make({ flows: flows.map(({ served }) => served) }))
      assert.match(error.message, /flows: two are called "graph"\. Give each/)
    })
  )
})

describe("a config for some of the flows", () => {
  const config: BrokerConfig = {
    hosts: ["broker:1"],
    azure: {
      flow: "graph",
      resources: { "https://graph": "graph", "https://storage": "storage" },
      identities: { app: "graph" }
    },
    gce: { flow: "storage", identityFlow: "plain", email: "a@b" },
    aws: { flow: "bucket", region: "eu-central-1" }
  }

  it("keeps what is about them, and what is about none", () => {
    assert.deepEqual(restricted(config, new Set(["storage"])), {
      hosts: ["broker:1"],
      azure: { flow: undefined, resources: { "https://storage": "storage" }, identities: {} },
      gce: { flow: "storage", identityFlow: undefined, email: "a@b" },
      aws: { flow: undefined, region: "eu-central-1" }
    })
    assert.deepEqual(restricted({}, new Set()), {
      azure: undefined,
      gce: undefined,
      aws: undefined
    })
  })

  it.live("stays an allow-list where nothing of it is left", () =>
    Effect.gen(function* () {
      const azure = { resources: { "https://graph": "graph" } }
      const { ask } = yield* serving(yield* every, {
        azure,
        flows: ["storage"],
        sockets: { jobs: socket }
      })
      const got = yield* ask(
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph",
        { headers: { Metadata: "true" } }
      )
      assert.strictEqual(got.status, 400)
      assert.match(got.text, /It serves none/)
    })
  )
})

describe("ways in", () => {
  it.live("serve each flow where the config says, and loopback what no socket has", () =>
    Effect.gen(function* () {
      const names = (config: BrokerConfig) =>
        Effect.gen(function* () {
          const { ask } = yield* serving(yield* every, config)
          const { flows } = (yield* ask("/v1/flows")).json() as {
            flows: ReadonlyArray<{ name: string }>
          } // as the API documents
          return flows.map(({ name }) => name)
        })
      assert.deepEqual(yield* names({}), ["graph", "storage", "bucket", "plain"])
      assert.deepEqual(yield* names({ flows: ["plain", "graph", "plain"] }), ["plain", "graph"])
      assert.deepEqual(yield* names({ flows: [] }), [])
      assert.deepEqual(yield* names({ sockets: { jobs: socket } }), ["storage", "bucket", "plain"])
      assert.deepEqual(yield* names({ flows: ["graph"], sockets: { jobs: socket } }), ["graph"])
    })
  )

  it.live("do not speak a protocol without a secret that is not listed, and say so", () =>
    Effect.gen(function* () {
      const { ask, refused } = yield* serving(yield* every, { withoutSecret: [] })
      const asked = [
        [
          "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://x",
          "azure-imds",
          "GET"
        ],
        ["/msi/cloud-shell/token", "azure-cloud-shell", "POST"],
        ["/latest/api/token", "aws-imds", "PUT"],
        ["/latest/meta-data/iam/security-credentials/", "aws-imds", "GET"]
      ] as const
      for (const [path, name, method] of asked) {
        const got = yield* ask(path, { method, headers: { Metadata: "true" } })
        assert.strictEqual(got.status, 400, path)
        assert.include(got.text, `does not speak ${name}; list it under broker.withoutSecret`)
      }
      assert.lengthOf(refused, asked.length)
    })
  )
})
