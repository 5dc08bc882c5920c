import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { externalAccountSource } from "@federate/google"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { afterAll, beforeAll } from "vitest"
import { audience, serviceAccount } from "./google.ts"

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = [
  encode({ alg: "RS256", kid: "1" }),
  encode({ iss: "https://issuer.example", sub: "workload", aud: "x", iat: 0, exp: 900 }),
  "c2lnbmF0dXJl"
].join(".")

let directory = ""
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "federate google "))
})
afterAll(() => rm(directory, { recursive: true }))

let programs = 0

/** A command that runs this program. */
const commandOf = (program: string) =>
  Effect.promise(async () => {
    const file = join(directory, `program ${++programs}.mjs`)
    await writeFile(file, program)
    return `${process.execPath} "${file}" argument`
  })

interface Change {
  readonly timeout_millis?: number
  readonly output_file?: string
}

const sourceOf = (command: string, change: Change = {}) =>
  externalAccountSource({
    options: { audience, serviceAccount },
    credentialSource: { executable: { command, ...change } },
    allowExecutables: true
  })

const ask = (program: string, change: Change = {}) =>
  Effect.gen(function* () {
    const source = yield* sourceOf(yield* commandOf(program), change)
    return yield* source.assertion({})
  })

const printing = (answer: unknown) => `console.log(${JSON.stringify(JSON.stringify(answer))})`

const good = {
  version: 1,
  success: true,
  token_type: "urn:ietf:params:oauth:token-type:id_token",
  id_token: jwt,
  expiration_time: 900
}

describe("a command", () => {
  it.effect(
    "is run without a shell, with what Google's libraries tell it, and brings the token",
    () =>
      Effect.gen(function* () {
        const seen = join(directory, "seen.json")
        const { subject, token } = yield* ask(
          `import { writeFileSync } from "node:fs"
        const told = Object.entries(process.env).filter(([name]) => name.startsWith("GOOGLE_EXTERNAL"))
        writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.argv.slice(2), Object.fromEntries(told)]))
        ${printing(good)}`
        )
        assert.strictEqual(subject, "workload")
        assert.strictEqual(Redacted.value(token), jwt)
        const told = yield* Effect.promise(() => readFile(seen, "utf8"))
        assert.deepStrictEqual(JSON.parse(told), [
          ["argument"],
          {
            GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience,
            GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: "urn:ietf:params:oauth:token-type:jwt",
            GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
            GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: serviceAccount
          }
        ])
      })
  )

  it.effect("that says no is believed, and heard", () =>
    Effect.gen(function* () {
      for (const [more, code, words] of [
        [{ code: "401", message: "Sign in first." }, "401", "Sign in first."],
        [{}, "no code", "The command gave no message"]
      ] as const) {
        const { reason } = yield* Effect.flip(
          ask(printing({ version: 1, success: false, ...more }))
        )
        assert.deepInclude(reason, { _tag: "Rejected", code, description: words, remedy: "none" })
      }
    })
  )

  it.effect("that answers otherwise than the protocol says is not believed, and never quoted", () =>
    Effect.gen(function* () {
      for (const program of [
        "",
        "console.log('SECRET')",
        "console.log('\"SECRET\"')",
        "console.log('SECRET'); console.error('SECRET'); process.exit(1)",
        "console.log('SECRET'.repeat(100_000))",
        printing({ ...good, version: 2 }),
        printing({ ...good, success: "yes" }),
        printing({ ...good, token_type: "urn:ietf:params:oauth:token-type:saml2" }),
        printing({ ...good, id_token: undefined }),
        printing({ ...good, expiration_time: 0 }),
        printing({ ...good, expiration_time: "soon" })
      ]) {
        const error = yield* Effect.flip(ask(program))
        assert.strictEqual(error.reason._tag, "Malformed", program)
        assert.notInclude(visible(error), "SECRET")
        assert.notInclude(visible(error), jwt)
      }
    })
  )

  it.effect("that does not end in time is ended", () =>
    Effect.gen(function* () {
      const begun = join(directory, "begun")
      const caller = yield* Effect.forkChild(
        Effect.flip(
          ask(
            `import { writeFileSync } from "node:fs"
            writeFileSync(${JSON.stringify(begun)}, String(process.pid))
            setInterval(() => {}, 1000)`,
            { timeout_millis: 5000 }
          )
        )
      )
      let pid = ""
      while (pid === "") {
        yield* turn
        pid = yield* Effect.promise(() => readFile(begun, "utf8").catch(() => ""))
      }
      yield* TestClock.adjust("5 seconds")
      const { reason } = yield* Fiber.join(caller)
      assert.strictEqual(reason._tag, "Transient")
      while (isAlive(Number(pid))) yield* turn
    })
  )

  it.effect("is left alone while what it has kept is good", () =>
    Effect.gen(function* () {
      const file = join(directory, "kept.json")
      const keep = (answer: unknown) =>
        Effect.promise(() => writeFile(file, JSON.stringify(answer)))
      const change = { output_file: file }
      const runs = printing({ version: 1, success: false, code: "it ran" })
      const ran = Effect.map(
        Effect.flip(ask(runs, change)),
        ({ reason }) => reason._tag === "Rejected" && reason.code === "it ran"
      )
      assert.isTrue(yield* ran, "nothing is kept")
      yield* keep(good)
      assert.strictEqual((yield* ask(runs, change)).subject, "workload")
      for (const answer of [{ ...good, expiration_time: undefined }, { version: 1 }]) {
        yield* keep(answer)
        assert.isTrue(yield* ran)
      }
      yield* keep(good)
      yield* TestClock.setTime(900_000)
      assert.isTrue(yield* ran, "it has ended")
      // What is kept must say when it ends, also when it has just been given.
      const endless = yield* Effect.flip(
        ask(printing({ ...good, expiration_time: undefined }), change)
      )
      assert.match(endless.message, /expiration_time is absent/)
    })
  )

  it.effect("that cannot be is told before it is run, or when it is", () =>
    Effect.gen(function* () {
      for (const [command, change, text] of [
        ["", {}, /absolute path/],
        ["node x.js", {}, /absolute path/],
        ["/bin/true", { timeout_millis: 4999 }, /timeout_millis: is 4.999 s.*From 5 s to 120 s/],
        ["/bin/true", { timeout_millis: 120_001 }, /timeout_millis: is 120.001 s/]
      ] as const) {
        const error = yield* Effect.flip(sourceOf(command, change))
        assert.strictEqual(error.stage, "configuration")
        assert.match(error.message, text)
      }
      const source = yield* sourceOf("/no/such/program")
      const { message, reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.match(message, /\/no\/such\/program cannot be run \(ENOENT\)/)
    })
  )
})

/** Lets the rest of the process come on. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
