import { execFileSync } from "node:child_process"
import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { file } from "@federate/ambient"
import { AssertionSource } from "@federate/core"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"

const jwt = Redacted.value(assertionFor("workload").token)

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true }))
)

/** A file that has been there for a while. */
const left = (text: string) =>
  Effect.gen(function* () {
    const path = join(yield* directory, "token")
    yield* Effect.promise(async () => {
      await writeFile(path, text)
      await utimes(path, 0, 0)
    })
    return yield* file({ path })
  })

ambientSourceContract("The file", {
  make: left(`${jwt}\r\n`),
  assertion: jwt,
  life: 900,
  refused: [
    { name: "no file", make: file({ path: "/nowhere/token" }), becomes: "Unavailable" },
    { name: "an empty file", make: left("\n"), becomes: "Transient" },
    { name: "something else", make: left("SECRET"), becomes: "Malformed" },
    {
      name: "a directory",
      make: Effect.flatMap(directory, (path) => file({ path })),
      becomes: "Misconfigured"
    },
    {
      name: "a pipe",
      make: Effect.flatMap(directory, (made) => {
        const path = join(made, "pipe")
        execFileSync("/usr/bin/mkfifo", [path])
        return file({ path })
      }),
      becomes: "Misconfigured"
    },
    {
      name: "a token that nobody renews",
      make: left(Redacted.value(assertionFor("workload", 0, { exp: 0 }).token)),
      becomes: "Misconfigured",
      hint: /renews the file/
    }
  ]
})

describe("the file", () => {
  it.live("may vanish while another is put in its place, and is read anew each time", () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "token")
      const source = yield* file({ path })
      const exp = Date.now() / 1000 + 3600
      const write = (name: string, subject: string) =>
        Effect.promise(() =>
          writeFile(`${path}${name}`, Redacted.value(assertionFor(subject, 0, { exp }).token))
        )
      yield* write("", "one")
      assert.strictEqual((yield* source.assertion({})).subject, "one")
      yield* Effect.promise(() => rm(path))
      const reading = yield* Effect.forkChild(source.assertion({}), { startImmediately: true })
      yield* Effect.sleep("100 millis")
      yield* write(".new", "two")
      yield* Effect.promise(() => rename(`${path}.new`, path))
      assert.strictEqual((yield* Fiber.join(reading)).subject, "two")
    })
  )

  it.live("that is broken lets no other source take its place", () =>
    Effect.gen(function* () {
      const other = AssertionSource.fixed(assertionFor("elsewhere"))
      const broken = AssertionSource.firstAvailable(yield* left(""), other)
      assert.strictEqual((yield* Effect.flip(broken.assertion({}))).reason._tag, "Transient")
      const absent = AssertionSource.firstAvailable(yield* file({ path: "/nowhere/token" }), other)
      assert.strictEqual((yield* absent.assertion({})).subject, "elsewhere")
    })
  )

  it.effect("is for whom it says, and the hint is who can change that", () =>
    Effect.gen(function* () {
      const source = yield* left(jwt)
      yield* source.assertion({ audience: "party" })
      const { message } = yield* Effect.flip(source.assertion({ audience: "other" }))
      assert.match(
        message,
        /"other" is demanded, and the token is for "party".*who writes the file/
      )
    })
  )
})
