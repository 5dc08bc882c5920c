import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const token = [
  part({ alg: "RS256" }),
  part({
    iss: "https://token.actions.githubusercontent.com",
    sub: "repo:o/r:environment:prod",
    aud: "api://AzureADTokenExchange",
    exp: 600
  }),
  "AAAA"
].join(".")

const credential = JSON.stringify({
  name: "main",
  issuer: "https://token.actions.githubusercontent.com",
  subject: "repo:o/r:ref:refs/heads/main",
  audiences: ["api://AzureADTokenExchange"]
})

/** What is seen of them. */
const seen = `token  by GitHub Actions
trust  Microsoft Entra: federated credential main
✓ iss  It is what \`issuer\` wants.
    both   https://token.actions.githubusercontent.com
✓ aud  It is what \`audiences\` wants.
    both   api://AzureADTokenExchange
✗ sub  It is not what \`subject\` wants.
    token  repo:o/r:environment:prod
                    ^^^^^^^^^^^^^^^^
    trust  repo:o/r:ref:refs/heads/main
                    ^^^^^^^^^^^^^^^^^^^
    why    The job names an environment, so GitHub writes that in place of the branch or tag.
    fix    Write exactly "repo:o/r:environment:prod" in \`subject\`, if that is the workload that is meant.
✓ alg  RS256 is taken.
`

describe("federate explain", () => {
  const here = folder()
  const file = (name: string, text: string) => {
    const path = join(here, name)
    writeFileSync(path, text)
    return path
  }

  it.effect("shows token and trust side by side, the difference marked", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      const trust = file("trust.json", credential)
      const outcome = yield* federate(["explain", "--trust", trust], { stdin: `${token}\n` })
      assert.deepEqual(outcome, { code: 1, stdout: seen, stderr: "" })
      assert.deepEqual(
        yield* federate(["explain", "-"], { stdin: `${credential} ${token}` }),
        outcome
      )
      assert.deepEqual(
        yield* federate(["explain", file("token", token), "--trust", trust]),
        outcome
      )
    })
  )

  it.effect("ends with 0 when all agrees", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      const { code, stdout } = yield* federate(["explain"], {
        stdin: `${credential.replace("ref:refs/heads/main", "environment:prod")} ${token}`
      })
      assert.strictEqual(code, 0)
      assert.notInclude(stdout, "✗")
    })
  )

  it.effect("marks what cannot be seen", () =>
    Effect.gen(function* () {
      const { stdout } = yield* federate(["explain"], {
        stdin: `${credential.replace('main","issuer', 'main","issuer').replace("ref:refs/heads/main", "environment:prod\\n")} ${token}`
      })
      assert.include(stdout, "environment:prod�")
      assert.include(stdout, "cannot be seen")
    })
  )

  it.effect("prints JSON", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* federate(["explain", "--json"], { stdin: "AADSTS700213" })
      assert.strictEqual(code, 1)
      assert.strictEqual(JSON.parse(stdout).findings[0].subject, "AADSTS700213")
    })
  )

  it.effect.each([
    [
      "AADSTS700213: No matching federated identity record found for presented asser",
      /AADSTS700213/
    ],
    ["Not authorized to perform sts:AssumeRoleWithWebIdentity", /AccessDenied/],
    ["cognito: NotAuthorizedException", /NotAuthorizedException/],
    [
      "This identity pool does not support the specified developer provider",
      /InvalidParameterException/
    ],
    ["No OpenIDConnect provider found in your account for https://i", /InvalidIdentityToken/],
    [
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      /--member principal:\/\/iam.googleapis.com\/projects\/NUMBER/
    ],
    [
      "Error code unauthorized_client: The given credential is rejected by the attribute condition.",
      /condition/
    ]
  ] as const)("knows an error by its text alone: %s", ([text, told]) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* federate(["explain"], { stdin: text })
      assert.strictEqual(code, 1)
      assert.match(stdout, told)
    })
  )

  it.effect("never prints the token", () =>
    Effect.gen(function* () {
      const json = yield* federate(["explain", "--json"], { stdin: `${token} ${credential}` })
      const text = yield* federate(["explain"], { stdin: token })
      for (const { stderr, stdout } of [json, text]) {
        assert.notInclude(
          stdout + stderr,
          part({ iss: "https://token.actions.githubusercontent.com" }).slice(0, 40)
        )
      }
    })
  )

  describe("says so of", () => {
    it.effect.each([
      ["nothing that it knows", "hello", /nothing in it that can be explained/],
      ["nothing", "", /nothing in it that can be explained/],
      ["a token that is opaque", "ya29.a0AfH6SMBx", /It holds an access token of Google's/],
      ["an AWS access key", "AKIAIOSFODNN7EXAMPLE", /It holds an AWS access key's id/],
      [
        "a token that is encrypted",
        "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn",
        /It is encrypted \(JWE\)/
      ],
      ["a token that is cut", "eyJhbGciOiJSUzI1NiJ9.eyJpc3Mi.", /payload is not JSON/]
    ] as const)("%s", ([, stdin, told]) =>
      Effect.gen(function* () {
        const { code, stderr } = yield* federate(["explain"], { stdin })
        assert.strictEqual(code, 2)
        assert.match(stderr, told)
      })
    )

    it.effect("a terminal with nobody's file", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* federate(["explain"], { person: true })
        assert.strictEqual(code, 2)
        assert.match(stderr, /Name a file, or pipe something in/)
      })
    )

    it.effect("files that are not there, too large, or no record", () =>
      Effect.gen(function* () {
        const missing = yield* federate(["explain", join(here, "missing")])
        assert.match(missing.stderr, /missing cannot be read/)
        const large = yield* federate(["explain", file("large", "x".repeat(300_000))])
        assert.match(large.stderr, /over 256 KiB/)
        const words = yield* federate(["explain", "--trust", file("words", "words")], {
          stdin: token
        })
        assert.match(words.stderr, /holds no trust record/)
        assert.deepEqual([missing.code, large.code, words.code], [2, 2, 2])
      })
    )
  })
})
