import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, timeLimit } from "@federate/local"
import type { Program } from "@federate/local"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true }))
)

/** A shell as the program, so that these can be short; nothing else brings one in. */
const shell = (script: string, more: Partial<Program> = {}) =>
  run({ setting: "command", path: "/bin/sh", args: ["-c", script], ...more })

const output = (script: string, more: Partial<Program> = {}) =>
  Effect.map(shell(script, more), Redacted.value)

/** Lets the rest of the process come on. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))

const until = (holds: () => boolean) => Effect.repeat(turn, { until: holds })

/** The process whose id a program has written. */
const writtenIn = (file: string) =>
  Effect.gen(function* () {
    const text = () => (existsSync(file) ? readFileSync(file, "utf8") : "")
    yield* until(() => text().endsWith("\n"))
    return Number(text())
  })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("a program", () => {
  it.effect("gives what it prints, and knows the variables that it is given", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* output('printf "%s %s" "$WORD" "${PATH:+PATH}"', { env: { WORD: "word" } }),
        "word PATH"
      )
    })
  )

  it.effect("is run without a shell", () =>
    Effect.gen(function* () {
      const args = ["$HOME; echo `id` \\", '"']
      const text = yield* run({ setting: "command", path: "/bin/echo", args })
      assert.strictEqual(Redacted.value(text), args.join(" "))
    })
  )

  it.effect("has nobody to ask", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("cat; echo done"), "done")
    })
  )

  it.effect("is found by its name, or told not to be run", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        Redacted.value(yield* run({ setting: "command", path: "echo", args: ["x"] })),
        "x"
      )
      for (const path of ["/nowhere/program", "/etc/passwd", "/tmp", "a\0b"]) {
        const reason = yield* Effect.flip(run({ setting: "command", path }))
        assert.deepInclude(reason, { _tag: "Misconfigured", setting: "command" })
      }
    })
  )

  it.effect("that ends badly is told by how, never by its words", () =>
    Effect.gen(function* () {
      for (const [script, how] of [
        ["echo SECRET; echo SECRET >&2; exit 3", /ended with 3.*by hand/],
        ["echo SECRET; kill -9 $$", /ended with SIGKILL/]
      ] as const) {
        const reason = yield* Effect.flip(shell(script))
        assert.strictEqual(reason._tag, "Malformed")
        assert.match(visible(reason), how)
        assert.notInclude(visible(reason), "SECRET")
      }
    })
  )

  it.effect("that speaks to people alone has printed nothing", () =>
    Effect.gen(function* () {
      // More than any buffer between the two would take.
      assert.strictEqual(yield* output("head -c 1000000 /dev/zero >&2"), "")
    })
  )

  it.effect("that writes a gigabyte is ended at once", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "written")
      const reason = yield* Effect.flip(shell(`head -c 1000000000 /dev/zero; echo done > ${file}`))
      assert.propertyVal(reason, "_tag", "Malformed")
      assert.match(visible(reason), /printed more than 65536 bytes/)
      assert.isFalse(existsSync(file))
    })
  )

  it.effect("is ended when it has no more time, whatever it makes of SIGTERM", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "pid")
      const caller = yield* Effect.forkChild(
        Effect.flip(
          shell(`trap "" TERM; echo $$ > ${file}; while :; do sleep 1; done`, {
            timeout: "5 seconds"
          })
        )
      )
      const pid = yield* writtenIn(file)
      yield* TestClock.adjust("5 seconds")
      const reason = yield* Fiber.join(caller)
      assert.deepInclude(reason, {
        _tag: "Transient",
        detail: "/bin/sh did not answer within its time limit"
      })
      yield* until(() => !isAlive(pid))
    })
  )

  it.effect("is ended, with all that it has started, when nobody waits any more", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "pid")
      const caller = yield* Effect.forkChild(
        shell(`(trap "" TERM; echo $(exec sh -c 'echo $PPID') > ${file}; sleep 1000); echo done`)
      )
      const pid = yield* writtenIn(file)
      assert.isTrue(isAlive(pid))
      yield* Fiber.interrupt(caller)
      yield* until(() => !isAlive(pid))
    })
  )

  it.effect("that forks and ends takes its children along, and is not waited for them", () =>
    Effect.gen(function* () {
      const file = join(yield* directory, "pid")
      assert.strictEqual(yield* output(`sleep 1000 & echo $! > ${file}; echo token`), "token")
      const pid = yield* writtenIn(file)
      yield* until(() => !isAlive(pid))
    })
  )

  it("may take from 5 s to 120 s", () => {
    for (const seconds of [5, 30, 120]) {
      assert.deepStrictEqual(
        Result.map(timeLimit("timeout", `${seconds} seconds`), Duration.toSeconds),
        Result.succeed(seconds)
      )
    }
    for (const millis of [0, 4999, 120_001, Infinity]) {
      const reason = Result.getOrThrow(Result.flip(timeLimit("timeout", millis)))
      assert.propertyVal(reason, "setting", "timeout")
      assert.match(reason.hint, /From 5 s to 120 s/)
    }
  })
})
