import { assert, describe, it } from "@effect/vitest"
import { decode } from "@federate/config"
import type { Adapters } from "@federate/config"
import { TokenExchanger } from "@federate/core"
import { Effect, Schema } from "effect"
import { adapters, sides } from "@federate/server/adapters"
import { configFile, placeholders } from "../src/template.ts"
import type { Answers } from "../src/template.ts"

/** Reads a file with these answers, and gives back what the adapters would be given. */
const readBack = Effect.fnUntraced(function* (answers: Answers) {
  const given: Record<string, unknown> = {}
  const keep = (settings: object) => Effect.sync(() => Object.assign(given, settings))
  const spies: Adapters<object> = {
    sources: [
      {
        type: "cognito",
        description: "",
        metered: false,
        config: Schema.Struct({
          identityPoolId: Schema.String,
          logins: Schema.Record(Schema.String, Schema.String),
          tokenDuration: Schema.String
        }),
        make: (settings: object) =>
          Effect.as(keep(settings), { name: "spy", offers: {}, assertion: () => Effect.never })
      }
    ],
    exchangers: [
      {
        type: "entra",
        description: "",
        issues: "AccessToken",
        config: Schema.Struct({
          tenantId: Schema.String,
          clientId: Schema.String,
          authorityHost: Schema.String,
          scopes: Schema.Array(Schema.String)
        }),
        make: (settings: object) => Effect.as(keep(settings), TokenExchanger.passThrough)
      }
    ]
  }
  const { flows } = yield* decode(configFile(answers), {
    file: "federate.yaml",
    adapters: spies,
    platform: {},
    environment: (name) => `value of ${name}`
  })
  for (const flow of flows.values()) yield* Effect.scoped(flow.make())
  return { flows: [...flows.keys()], given }
})

/** A provider's name is a key of the file, where what looks like a variable is refused. */
const inKey = (text: string) => text.replaceAll("${", "")

/** The answers, as the adapters are to be given them. */
const expected = (answers: Answers) => ({
  identityPoolId: answers.identityPoolId,
  logins: { [answers.developerProvider]: answers.userId },
  tokenDuration: "2 minutes",
  tenantId: answers.tenantId,
  clientId: answers.clientId,
  authorityHost: "value of AZURE_AUTHORITY_HOST",
  scopes: [answers.scope]
})

describe("the file that is written", () => {
  it.effect("is one that the adapters understand", () =>
    Effect.gen(function* () {
      const { flows, trust } = yield* decode(configFile(placeholders), {
        file: "federate.yaml",
        adapters,
        sides,
        platform: {},
        environment: (name) => name
      })
      assert.deepInclude(flows.get("graph"), { source: "cognito", exchanger: "entra" })
      assert.deepEqual(trust.get("graph")?.learns, [
        { setting: "identityPoolId", variable: "COGNITO_IDENTITY_POOL_ID" },
        { setting: "tenantId", variable: "AZURE_TENANT_ID" },
        { setting: "clientId", variable: "AZURE_CLIENT_ID" }
      ])
    })
  )

  it.effect("puts variables where nothing was answered", () =>
    Effect.gen(function* () {
      const { flows, given } = yield* readBack(placeholders)
      assert.deepEqual(flows, ["graph"])
      assert.deepEqual(
        given,
        expected({
          ...placeholders,
          identityPoolId: "value of COGNITO_IDENTITY_POOL_ID",
          tenantId: "value of AZURE_TENANT_ID",
          clientId: "value of AZURE_CLIENT_ID"
        })
      )
    })
  )

  it.effect.each([
    ..."#:-?[]{},&*!|>'\"%@`~=<$\\",
    "",
    " ",
    " a ",
    "a: b",
    "a #b",
    "- a",
    "a\nb",
    "a\r\n\tb",
    "true",
    "No",
    "null",
    "12",
    "1e3",
    "0x1F",
    ".inf",
    "2026-11-23",
    "...",
    "---",
    "*alias",
    "!!str a",
    "<<",
    `it's "so"`,
    "ünï 東京 🙂",
    "\u0000\u0007\u0085\u00a0\u2028\ufeff",
    "$$",
    "$$$",
    "a$b",
    "${",
    "${1}",
    "$${A}",
    "${A-b}",
    "#{a}"
  ])("keeps what was answered: %j", (answer) =>
    Effect.gen(function* () {
      const answers: Answers = {
        flow: "graph",
        identityPoolId: answer,
        developerProvider: inKey(answer),
        userId: answer,
        tenantId: answer,
        clientId: answer,
        scope: answer,
        role: answer
      }
      const { given } = yield* readBack(answers)
      assert.deepEqual(given, expected(answers))
    })
  )

  it.effect.prop("keeps any answer", [Schema.String, Schema.String], ([one, other]) =>
    Effect.gen(function* () {
      const answers: Answers = {
        flow: "graph",
        identityPoolId: one,
        developerProvider: inKey(`p${other}`),
        userId: other,
        tenantId: `${one}${other}`,
        clientId: `${other} ${one}`,
        scope: `${one}: ${other}`,
        role: other
      }
      const { given } = yield* readBack(answers)
      assert.deepEqual(given, expected(answers))
    })
  )

  it.effect.each(["graph", "1e3", "0", "null", "true", "a.b-c_d", "No"])(
    "keeps the flow's name: %s",
    (flow) =>
      Effect.gen(function* () {
        const { flows } = yield* readBack({ ...placeholders, flow })
        assert.deepEqual(flows, [flow])
      })
  )
})
