import { execFileSync } from "node:child_process"
import { chmod, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readAssertionFile, readTokenFile } from "@federate/local"
import { assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true }))
)

const read = (path: string) =>
  Effect.map(readTokenFile({ setting: "tokenFile", path }), Redacted.value)

describe("a token in a file", () => {
  it.live("is read without what stands around it, and anew each time", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      yield* Effect.promise(() => writeFile(file, "\n first \r\n"))
      assert.strictEqual(yield* read(file), "first")
      yield* Effect.promise(async () => {
        await writeFile(`${file}.new`, "second")
        await rename(`${file}.new`, file)
      })
      assert.strictEqual(yield* read(file), "second")
    })
  )

  it.live("is followed through links, as Kubernetes swaps them", () =>
    Effect.gen(function* () {
      const made = yield* directory
      const link = join(made, "token")
      const swap = (name: string) =>
        Effect.promise(async () => {
          await writeFile(join(made, name), name)
          await symlink(name, `${link}.new`)
          await rename(`${link}.new`, link)
        })
      yield* swap("one")
      assert.strictEqual(yield* read(link), "one")
      yield* swap("two")
      assert.strictEqual(yield* read(link), "two")
    })
  )

  it.live("that is not there is Unavailable", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      yield* Effect.promise(() => writeFile(file, "token"))
      for (const path of [`${file}.absent`, join(file, "below")]) {
        const reason = yield* Effect.flip(read(path))
        assert.strictEqual(reason._tag, "Unavailable")
      }
    })
  )

  it.live("that is empty may be filled yet", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      for (const text of ["", " \n"]) {
        yield* Effect.promise(() => writeFile(file, text))
        const reason = yield* Effect.flip(read(file))
        assert.strictEqual(reason._tag, "Transient")
      }
    })
  )

  it.live("that somebody is putting in place is waited for, a little", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      const begun = yield* Effect.forkChild(read(file))
      // It is not there; then it is empty; then it is whole.
      for (const text of ["", "whole"]) {
        yield* Effect.sleep("150 millis")
        yield* Effect.promise(() => writeFile(file, text))
      }
      assert.strictEqual(yield* Fiber.join(begun), "whole")
    })
  )

  it.live("whose words still come is read to their end", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      const { token } = assertionFor("workload")
      const whole = Redacted.value(token)
      // Cut within the signature, where it still looks like a token.
      yield* Effect.promise(() => writeFile(file, whole.slice(0, -4)))
      const reading = yield* Effect.forkChild(
        readAssertionFile({ setting: "tokenFile", path: file }),
        { startImmediately: true }
      )
      yield* Effect.sleep("20 millis")
      yield* Effect.promise(() => writeFile(file, whole))
      assert.strictEqual(Redacted.value((yield* Fiber.join(reading)).token), whole)
    })
  )

  it.live("is read at once or refused at once, whatever it is", () =>
    Effect.gen(function* () {
      const made = yield* directory
      const pipe = join(made, "pipe")
      execFileSync("/usr/bin/mkfifo", [pipe])
      const large = join(made, "large")
      yield* Effect.promise(() => writeFile(large, "SECRET".repeat(20_000)))
      for (const [path, problem] of [
        [made, /is a directory/],
        [pipe, /is no ordinary file/],
        ["/dev/zero", /is no ordinary file/],
        [large, /has 120000 bytes/]
      ] as const) {
        const reason = yield* Effect.flip(read(path))
        assert.propertyVal(reason, "setting", "tokenFile")
        assert.match(JSON.stringify(reason), problem)
        assert.notInclude(JSON.stringify(reason), "SECRET")
      }
    })
  )

  it.live.skipIf(process.getuid?.() === 0)("that this process may not read is told", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "token")
      yield* Effect.promise(async () => {
        await writeFile(file, "token")
        await chmod(file, 0o000)
      })
      const reason = yield* Effect.flip(read(file))
      assert.propertyVal(reason, "problem", `${file} cannot be read (EACCES)`)
    })
  )

  it.live("is an assertion, or no token, or may become one while it is new", () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "token")
      const written = (text: string) => Effect.promise(() => writeFile(path, text))
      const assertion = readAssertionFile({ setting: "tokenFile", path })
      const { token } = assertionFor("workload")
      yield* written(Redacted.value(token))
      assert.strictEqual((yield* assertion).subject, "workload")
      yield* written(Redacted.value(token).slice(0, 60))
      assert.strictEqual((yield* Effect.flip(assertion))._tag, "Transient")
      yield* Effect.promise(() => utimes(path, 0, 0))
      assert.strictEqual((yield* Effect.flip(assertion))._tag, "Malformed")
    })
  )
})
