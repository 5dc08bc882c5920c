import { environment, gitlab, hcpTerraform } from "@federate/ambient"
import type { AssertionSource } from "@federate/core"
import type { Environment } from "@federate/http"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"

const jwt = Redacted.value(assertionFor("workload").token)

const variables =
  (set: Readonly<Record<string, string>>): Environment =>
  (name) =>
    set[name] || undefined

/** What they say of a variable, in their own ways. */
const sources = [
  {
    title: "The environment",
    variable: "MY_TOKEN",
    make: (set: Environment) => environment({ variable: "MY_TOKEN", environment: set }),
    absent: /sets MY_TOKEN/,
    audience: /the platform make the token for "other"/,
    ended: /set once/
  },
  {
    title: "GitLab",
    variable: "ENTRA_TOKEN",
    make: (set: Environment) => gitlab({ variable: "ENTRA_TOKEN", environment: set }),
    absent: /`id_tokens: \{ ENTRA_TOKEN: \{ aud: … \} \}` in \.gitlab-ci\.yml/,
    audience: /`aud: other` under id_tokens, ENTRA_TOKEN/,
    ended: /once, when the job starts.*`timeout`/
  },
  {
    title: "HCP Terraform",
    variable: "TFC_WORKLOAD_IDENTITY_TOKEN",
    make: (set: Environment) => hcpTerraform({ environment: set }),
    absent: /variable TFC_WORKLOAD_IDENTITY_AUDIENCE;/,
    audience: /TFC_WORKLOAD_IDENTITY_AUDIENCE to "other"/,
    ended: /in each phase/
  },
  {
    title: "HCP Terraform with several tokens",
    variable: "TFC_WORKLOAD_IDENTITY_TOKEN_AWS",
    make: (set: Environment) => hcpTerraform({ tag: "AWS", environment: set }),
    absent: /variable TFC_WORKLOAD_IDENTITY_AUDIENCE_AWS;/,
    audience: /TFC_WORKLOAD_IDENTITY_AUDIENCE_AWS to "other"/,
    ended: /in each phase/
  }
]

for (const { absent, audience, ended, make, title, variable } of sources) {
  const set = (text: string) => make(variables({ [variable]: text }))
  ambientSourceContract(title, {
    make: set(`${jwt}\n`),
    assertion: jwt,
    life: 900,
    refused: [
      { name: "no variable", make: make(variables({})), becomes: "Unavailable", hint: absent },
      { name: "an empty variable", make: set(""), becomes: "Unavailable", hint: absent },
      { name: "something else", make: set("SECRET"), becomes: "Malformed" },
      {
        name: "a token that has ended",
        make: set(Redacted.value(assertionFor("workload", 0, { exp: 0 }).token)),
        becomes: "Misconfigured",
        hint: ended
      }
    ]
  })

  describe(`${title}`, () => {
    it.effect("tells where its audience is set, where another is demanded", () =>
      Effect.gen(function* () {
        const source = yield* set(jwt)
        yield* source.assertion({ audience: "party", preferredAudience: "other" })
        const { message } = yield* Effect.flip(source.assertion({ audience: "other" }))
        assert.match(message, audience)
      })
    )

    it.effect("is read each time", () =>
      Effect.gen(function* () {
        const now: Record<string, string> = { [variable]: jwt }
        const source: AssertionSource.AssertionSource = yield* make((name) => now[name])
        assert.strictEqual((yield* source.assertion({})).subject, "workload")
        now[variable] = Redacted.value(assertionFor("another").token)
        assert.strictEqual((yield* source.assertion({})).subject, "another")
        yield* TestClock.setTime(900_000)
        const { message } = yield* Effect.flip(source.assertion({}))
        assert.include(message, `the token in ${variable} ended at 1970-01-01T00:15:00.000Z`)
      })
    )
  })
}

describe("the name of a variable", () => {
  it.effect("is told apart from its value before any call", () =>
    Effect.gen(function* () {
      for (const [made, setting] of [
        [environment({ variable: "$MY_TOKEN" }), "variable"],
        [environment({ variable: jwt }), "variable"],
        [gitlab({ variable: "" }), "variable"],
        [hcpTerraform({ tag: "a-b" }), "tag"]
      ] as const) {
        const { message, stage } = yield* Effect.flip(made)
        assert.strictEqual(stage, "configuration")
        assert.include(message, `${setting}: is no name of an environment variable`)
        assert.notInclude(message, jwt)
      }
    })
  )
})
