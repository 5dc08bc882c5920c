import { assert, describe, it } from "@effect/vitest"
import { servesAzure } from "@federate/broker"
import type { BrokerConfig, ServedFlow } from "@federate/broker"
import { Effect, Redacted } from "effect"
import { assertions, keys, serving, tokens } from "./serving.ts"

const always = ["FEDERATE_BROKER_TOKEN", "FEDERATE_BROKER_URL"]

const azure = [
  "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  "IDENTITY_ENDPOINT",
  "IDENTITY_HEADER",
  "MSI_ENDPOINT",
  "MSI_SECRET"
]

const google = ["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"]

const aws = [
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT"
]

const graph = tokens("graph", { cloud: "azure" })
const storage = tokens("storage", { cloud: "google" })
const plain = assertions("plain")
const bucket = keys("bucket")

type Flows = ReadonlyArray<typeof graph | typeof bucket>

const named = Effect.fnUntraced(function* (flows: Flows, config?: BrokerConfig) {
  const served: Array<ServedFlow> = []
  for (const flow of flows) served.push((yield* flow).served)
  const { variables } = yield* serving(served, config)
  return Object.keys(variables).toSorted()
})

describe("the variables of clients", () => {
  const cases: ReadonlyArray<
    readonly [name: string, flows: Flows, config: BrokerConfig, more: ReadonlyArray<string>]
  > = [
    ["are the broker's own without a flow", [], {}, []],
    ["are the broker's own for tokens of no cloud", [tokens("any")], {}, []],
    ["are Azure's for its tokens", [graph], {}, azure],
    ["are Azure's for a flow that is named", [tokens("any")], { azure: { flow: "any" } }, azure],
    [
      "are Azure's for a flow that is mapped",
      [tokens("any")],
      { azure: { resources: { "https://x": "any" } } },
      azure
    ],
    [
      "are Azure's for an identity",
      [tokens("any")],
      { azure: { identities: { app: "any" } } },
      azure
    ],
    ["are Google's for its tokens", [storage], {}, google],
    ["are Google's for assertions", [plain], {}, google],
    ["are Google's for a flow that is named", [tokens("any")], { gce: { flow: "any" } }, google],
    [
      "tell Google's project",
      [storage],
      { gce: { projectId: "p" } },
      [...google, "GOOGLE_CLOUD_PROJECT"]
    ],
    ["are AWS's for its credentials", [bucket], {}, aws],
    [
      "tell AWS's region",
      [bucket],
      { aws: { region: "eu-central-1" } },
      [...aws, "AWS_DEFAULT_REGION", "AWS_REGION"]
    ],
    ["are all at once", [graph, storage, bucket, plain], {}, [...azure, ...google, ...aws]],
    [
      "lead to no protocol without a secret that is not spoken",
      [graph, storage, bucket, plain],
      { withoutSecret: [] },
      [...azure.slice(1), ...aws.slice(0, 2)]
    ],
    [
      "are those of token files",
      [plain],
      {
        tokenFiles: [
          {
            path: "/run/azure",
            azure: { tenantId: "t", clientId: "c", authorityHost: "https://login" }
          },
          { path: "/run/aws", aws: { roleArn: "arn", roleSessionName: "session" } },
          { path: "/run/other" }
        ]
      },
      [
        ...google,
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_AUTHORITY_HOST",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME"
      ]
    ],
    [
      "leave out of token files what is not said",
      [plain],
      {
        tokenFiles: [
          { path: "/run/azure", azure: { tenantId: "t", clientId: "c" } },
          { path: "/run/aws", aws: { roleArn: "arn" } }
        ]
      },
      [
        ...google,
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN"
      ]
    ],
    [
      "are not those of a socket's flows",
      [graph, bucket],
      { sockets: { jobs: { path: "/nowhere", flows: ["graph"] } } },
      aws
    ]
  ]
  for (const [name, flows, config, more] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepEqual(yield* named(flows, config), [...always, ...more].toSorted())
      })
    )
  }

  it.live("are as clients read them, and secrets in nobody's log", () =>
    Effect.gen(function* () {
      const served = [(yield* graph).served, (yield* storage).served, (yield* bucket).served]
      const { broker } = yield* serving(served)
      const told = broker.variables("http://[::1]:8080")
      const value = (name: string) => Redacted.value(told[name]!)
      assert.strictEqual(value("FEDERATE_BROKER_URL"), "http://[::1]:8080")
      assert.strictEqual(value("IDENTITY_ENDPOINT"), "http://[::1]:8080/msi/token")
      assert.strictEqual(value("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "http://[::1]:8080")
      assert.strictEqual(value("GCE_METADATA_HOST"), "[::1]:8080")
      assert.strictEqual(
        value("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        "http://[::1]:8080/aws/credentials"
      )
      // AWS's command line puts its paths right behind it.
      assert.strictEqual(value("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "http://[::1]:8080/")
      const secrets = [
        "FEDERATE_BROKER_TOKEN",
        "IDENTITY_HEADER",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN"
      ].map(value)
      assert.strictEqual(new Set(secrets).size, 3)
      // At least 128 bits, and nothing that a file or a header would have to quote.
      for (const secret of secrets) assert.match(secret, /^[\w-]{43}$/)
      assert.strictEqual(value("MSI_SECRET"), value("IDENTITY_HEADER"))
      for (const secret of secrets) assert.notInclude(JSON.stringify(told) + String(told), secret)
    })
  )
})

describe("who serves Azure", () => {
  it.effect("has a flow for it, or maps one", () =>
    Effect.gen(function* () {
      const any = (yield* tokens("any")).served
      assert.isTrue(servesAzure([(yield* graph).served], {}))
      assert.isFalse(servesAzure([any], {}))
      assert.isFalse(servesAzure([any], { azure: { resources: {} } }))
      assert.isTrue(servesAzure([any], { azure: { identities: { app: "any" } } }))
      assert.isFalse(servesAzure([{ ...any, issues: "Assertion", cloud: "azure" }], {}))
    })
  )
})
