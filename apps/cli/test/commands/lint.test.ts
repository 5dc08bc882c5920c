import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const pool = "eu-central-1:0f5add88-3d5a-43c8-bffb-b13b50202d7a"
const identity = "eu-central-1:c0ffee00-3d5a-43c8-bffb-b13b50202d7a"

const config = ({
  broker = "",
  duration = "2 minutes",
  pinned = true,
  scope = "https://graph.microsoft.com/.default"
} = {}) => `flows:
  graph:
    source:
      type: cognito
      identityPoolId: ${pool}
      logins: { my.dev.provider: my_user_id }
      tokenDuration: ${duration}
${pinned ? `      identityId: ${identity}\n` : ""}    exchanger:
      type: entra
      tenantId: 00000000-0000-0000-0000-000000000000
      clientId: 00000000-0000-0000-0000-000000000001
      scopes: ["${scope}"]
${broker}`

const credential = {
  name: "main",
  issuer: "https://cognito-identity.amazonaws.com",
  subject: identity,
  audiences: [pool]
}

/** What is seen of one who has the wrong audience. */
const seen = `✗ flows.graph.aud  It is not what \`audiences\` wants.
    token  ${pool}
           ${"^".repeat(pool.length)}
    trust  api://AzureADTokenExchange
           ^^^^^^^^^^^^^^^^^^^^^^^^^^
    why    Cognito's tokens are always for their identity pool: that id is their audience, and the trust must list it.
    fix    Write "${pool}" in \`audiences\`; or, where the source can choose, ask for the audience "api://AzureADTokenExchange".
`

describe("federate lint", () => {
  const here = folder()
  const file = (name: string, text: unknown) => {
    const path = join(here, name)
    writeFileSync(path, typeof text === "string" ? text : JSON.stringify(text))
    return path
  }
  const lint = (text: string, ...args: ReadonlyArray<string>) =>
    federate(["lint", "--config", file("federate.yaml", text), ...args])

  it.effect("says nothing where nothing is wrong", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* lint(config(), "--strict"), { code: 0, stdout: "", stderr: "" })
      assert.deepEqual(yield* lint(config(), "--strict", "--trust", file("fic.json", credential)), {
        code: 0,
        stdout: "",
        stderr: ""
      })
    })
  )

  it.effect("ends with 1 for what is bound to fail, and tells where it is", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* lint(config({ scope: "User.Read" }))
      assert.strictEqual(code, 1)
      assert.match(stdout, /^✗ flows\.graph\.exchanger\.scopes {2}/)
      assert.strictEqual((yield* lint(config({ duration: "10s" }))).code, 1)
    })
  )

  it.effect("ends with 0 for what is only worth knowing, unless it is strict", () =>
    Effect.gen(function* () {
      const found = yield* lint(config({ pinned: false }))
      assert.strictEqual(found.code, 0)
      assert.match(found.stdout, /^· flows\.graph\.source\.identityId {2}/)
      assert.strictEqual((yield* lint(config({ pinned: false }), "--strict")).code, 1)
    })
  )

  it.effect("looks at what stands on the other side", () =>
    Effect.gen(function* () {
      const trust = file("fic.json", [{ ...credential, audiences: ["api://AzureADTokenExchange"] }])
      assert.deepEqual(yield* lint(config(), "--trust", trust), {
        code: 1,
        stdout: seen,
        stderr: ""
      })
      const policy = file("policy.json", {
        Statement: { Effect: "Allow", Action: "cognito-identity:*", Resource: "*" }
      })
      const found = yield* lint(config(), "--trust", trust, "--trust", policy)
      assert.match(found.stdout, /! IAM policy {2}/)
    })
  )

  it.effect.each([
    ["repo:*", /! broker\.tokenExchange\.policies\.ci {2}.*leaves open whose/],
    ["**", /✗ broker\.tokenExchange\.policies\.ci\.subject {2}.*wildcards alone/]
  ] as const)("looks at whom the broker trusts: %s", ([subject, told]) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* lint(
        config({
          broker: `broker: { tokenExchange: { policies: { ci: { issuer: https://token.actions.githubusercontent.com, audience: x, subject: "${subject}", flows: [graph] } } } }`
        })
      )
      assert.strictEqual(code, 1)
      assert.match(stdout, told)
    })
  )

  it.effect("prints JSON", () =>
    Effect.gen(function* () {
      const { stdout } = yield* lint(config({ duration: "10s" }), "--json")
      const { clean, findings } = JSON.parse(stdout)
      assert.strictEqual(clean, false)
      assert.deepEqual(
        [findings[0].verdict, findings[0].subject],
        ["wrong", "flows.graph.source.tokenDuration"]
      )
      assert.deepEqual(JSON.parse((yield* lint(config(), "--json")).stdout), {
        clean: true,
        findings: []
      })
    })
  )

  it.effect("ends with 2 when it is called wrong, or the file cannot be read", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* lint("flows: {}")).code, 2)
      const none = yield* lint(config(), "--trust", file("words", "no record"))
      assert.deepEqual([none.code, none.stdout], [2, ""])
      assert.match(none.stderr, /holds no trust record/)
    })
  )
})
