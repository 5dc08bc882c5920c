import { decode } from "@federate/config"
import * as cognito from "@federate/cognito/adapter"
import { sourceSide } from "@federate/cognito/trust"
import * as entra from "@federate/entra/adapter"
import { exchangerSide } from "@federate/entra/trust"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const flows = `flows:
  graph:
    source:
      type: cognito
      identityPoolId: \${POOL}
      logins: { my.dev.provider: my_user_id }
    exchanger:
      type: entra
      tenantId: 11111111-2222-3333-4444-555555555555
      clientId: \${CLIENT}
      scopes: [https://graph.microsoft.com/.default]
  keys:
    source: { type: cognito, identityPoolId: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001", logins: { my.dev.provider: x } }
    exchanger: { type: cognito, identityPoolId: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001" }
`

const read = (trust: string, variables: Readonly<Record<string, string>> = {}) =>
  decode(`${flows}${trust}`, {
    file: "federate.yaml",
    adapters: {
      sources: [cognito.source],
      exchangers: [entra.exchanger, cognito.exchanger]
    },
    sides: {
      // Names and settings are decoded by the schemas of the same side.
      sources: [sourceSide as never],
      exchangers: [exchangerSide as never]
    },
    platform: {},
    environment: (name) => variables[name],
    learning: true
  })

describe("the trust: section", () => {
  it.effect.each<readonly [trust: string, told: string]>([
    ["trust: 5", "trust: must be a mapping of flows' names"],
    ["trust: { grahp: {} }", "trust.grahp: is no flow; known are graph, keys"],
    ["trust: { graph: 5 }", "trust.graph: must be a mapping with source, exchanger or assertion"],
    [
      "trust: { graph: { sources: {} } }",
      "trust.graph.sources: is not known; known are source, exchanger, assertion"
    ],
    [
      "trust: { graph: { source: { roles: x } } }",
      "trust.graph.source.roles: is not known; known are identityPoolName, role, policy, region"
    ],
    ["trust: { graph: { source: { role: 5 } } }", "trust.graph.source.role: must be a text"],
    [
      'trust: { graph: { source: { role: "a b" } } }',
      "trust.graph.source.role: must be letters, digits and any of _+=,.@-"
    ],
    [
      "trust: { graph: { exchanger: { appRoles: Application.Read.All } } }",
      "trust.graph.exchanger.appRoles: must be a list"
    ],
    [
      "trust: { graph: { assertion: { issuer: https://x, subject: s } } }",
      "trust.graph.assertion.audience: is missing"
    ],
    [
      'trust: { graph: { source: { policy: "${POLICY}" } } }',
      "trust.graph.source.policy: the environment variable POLICY is not set: set it, or give a default, ${POLICY:-…}"
    ],
    [
      "trust: { keys: { exchanger: {} } }",
      "trust.keys.exchanger: is not known: for cognito there is nothing that could be set up here; exchangers that have it are entra"
    ]
  ])("is told to be wrong with its path: %s", ([trust, told]) =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(read(trust))
      assert.deepEqual(
        problems.map(({ message, path }) => `${path}: ${message}`),
        [told]
      )
    })
  )

  it.effect("is not needed, and tells what setting up makes known", () =>
    Effect.gen(function* () {
      const { trust } = yield* read("")
      const graph = trust.get("graph")
      assert.deepEqual(graph?.learns, [
        { setting: "identityPoolId", variable: "POOL" },
        { setting: "clientId", variable: "CLIENT" }
      ])
      assert.deepEqual(graph?.known, { tenantId: "11111111-2222-3333-4444-555555555555" })
      assert.isFalse(graph?.isStated)
    })
  )

  it.effect("knows what is set already, and what the file states", () =>
    Effect.gen(function* () {
      const { trust } = yield* read(
        "trust: { graph: { assertion: { issuer: https://x, subject: s, audience: a } } }",
        { POOL: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001" }
      )
      const graph = trust.get("graph")
      assert.deepInclude(graph?.known, {
        identityPoolId: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
      })
      assert.isTrue(graph?.isStated)
    })
  )
})
