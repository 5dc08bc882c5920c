import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Option, Queue, Terminal } from "effect"
import { configFile, placeholders } from "../../src/template.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const here = join(folder(), "project")
const read = (name: string) => readFileSync(join(here, name), "utf8")

const before = process.cwd()
beforeEach(() => {
  mkdirSync(here)
  process.chdir(here)
})
afterEach(() => {
  process.chdir(before)
  rmSync(here, { recursive: true })
})

describe("federate init", () => {
  it.effect("writes variables where nobody answers", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* federate(["init"]), {
        code: 0,
        stdout: "",
        stderr: "Wrote federate.yaml. Next: federate token graph\n"
      })
      assert.strictEqual(read("federate.yaml"), configFile(placeholders))
    })
  )

  it.effect("takes flags, and puts the file where it is told", () =>
    Effect.gen(function* () {
      mkdirSync("my app")
      const { code, stderr } = yield* federate([
        "init",
        "--output=my app/a.yaml",
        "--flow=mail",
        "--identity-pool-id=eu-central-1:2f4e0c6a-0000-4000-8000-000000000001",
        "--developer-provider=my: provider",
        "--user-id=O'Neill #7",
        "--tenant-id=${TENANT:-example.com}",
        "--client-id=$$",
        "--scope=https://management.azure.com/.default",
        "--role=mail-function"
      ])
      assert.strictEqual(
        stderr,
        "Wrote my app/a.yaml. Next: federate token mail --config 'my app/a.yaml'\n"
      )
      assert.strictEqual(code, 0)
      assert.strictEqual(
        read("my app/a.yaml"),
        configFile({
          flow: "mail",
          identityPoolId: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001",
          developerProvider: "my: provider",
          userId: "O'Neill #7",
          tenantId: "${TENANT:-example.com}",
          clientId: "$$",
          scope: "https://management.azure.com/.default",
          role: "mail-function"
        })
      )
    })
  )

  it.effect("writes over nothing, unless it is told to", () =>
    Effect.gen(function* () {
      writeFileSync("federate.yaml", "mine")
      const { code, stderr } = yield* federate(["init"])
      assert.strictEqual(code, 2)
      assert.strictEqual(
        stderr,
        "✗ federate.yaml is there already\n  fix          Write elsewhere with --output FILE, or over it with --force.\n"
      )
      assert.strictEqual(read("federate.yaml"), "mine")
      assert.strictEqual((yield* federate(["init", "--force"])).code, 0)
      assert.strictEqual(read("federate.yaml"), configFile(placeholders))
    })
  )

  it.effect("writes nothing that would not be understood", () =>
    Effect.gen(function* () {
      for (const flow of ["a b", "", "a\nflows: {}", "x".repeat(64), "ü"]) {
        const { code, stderr } = yield* federate(["init", `--flow=${flow}`])
        assert.strictEqual(code, 2, flow)
        assert.match(stderr, /^✗ What was answered cannot be used\n {2}\S/)
      }
      assert.throws(() => statSync("federate.yaml"), /ENOENT/)
    })
  )

  it.effect("tells where it cannot write", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* federate(["init", "--output", "no/where.yaml"])
      assert.strictEqual(code, 2)
      assert.match(
        stderr,
        /^✗ \S+\/no\/where\.yaml cannot be written: there is no such file or folder\n/
      )
    })
  )

  it.effect("asks who sits at a terminal", () =>
    Effect.gen(function* () {
      const shown: Array<string> = []
      const keys = yield* Queue.unbounded<Terminal.UserInput>()
      const press = (name: string, input = name) =>
        Queue.offer(keys, {
          input: Option.some(input),
          key: { name, ctrl: false, meta: false, shift: false }
        })
      const terminal = Terminal.make({
        columns: Effect.succeed(80),
        rows: Effect.succeed(24),
        size: Effect.never,
        readInput: Effect.succeed(keys),
        readLine: Effect.never,
        display: (text) => Effect.sync(() => shown.push(text))
      })
      const type = (text: string) =>
        Effect.andThen(
          Effect.forEach(text, (character) => press(character)),
          press("return", "\r")
        )
      yield* type("my mail")
      for (let typed = 0; typed < 5; typed++) yield* press("backspace")
      yield* type("mail")
      yield* type("eu-central-1:2f4e0c6a-0000-4000-8000-000000000001")
      // The six others are as they are proposed.
      for (let question = 0; question < 6; question++) yield* type("")
      const { code, stderr } = yield* federate(["init"], { person: terminal })
      assert.strictEqual(code, 0)
      assert.include(stderr, "federate token mymail")
      assert.strictEqual(
        read("federate.yaml"),
        configFile({
          ...placeholders,
          flow: "mymail",
          identityPoolId: "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
        })
      )
      assert.include(shown.join(""), "a flow's name is of letters")
      assert.include(shown.join(""), "Microsoft Entra tenant id [${AZURE_TENANT_ID}]")
    })
  )
})
