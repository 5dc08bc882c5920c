import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { make } from "@federate/broker"
import type { BrokerConfig } from "@federate/broker"
import { RefreshPolicy, Transient } from "@federate/core"
import { Clock, Effect, Exit, Fiber, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { assertions, remembering, tokens } from "./serving.ts"

/** A folder that is gone afterwards. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "token-file-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const steady = RefreshPolicy.make({ freshPart: 0.5, jitter: 0 })

/** Lets time pass, and files be written in between. */
const pass = Effect.fnUntraced(function* (seconds: number) {
  for (let passed = 0; passed < seconds; passed += 5) {
    yield* TestClock.adjust("5 seconds")
    yield* settle
  }
})

const settle = Effect.gen(function* () {
  for (let round = 0; round < 10; round++) {
    yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    yield* TestClock.adjust(0)
  }
})

/** Files are written by other threads: waits, without time passing, until something holds. */
const until = Effect.fnUntraced(function* (holds: () => boolean) {
  for (let round = 0; round < 5000 && !holds(); round++) yield* settle
  assert.isTrue(holds())
})

/** A broker that keeps one file of a flow, in a scope of its own. */
const keeping = Effect.fnUntraced(function* (
  about: { readonly audience?: string; readonly at?: string; readonly keep?: boolean } = {}
) {
  const at = about.at ?? (yield* folder)
  const path = join(at, "token")
  const { served, upstream } = yield* assertions("plain", { refresh: steady })
  const scope = yield* Scope.make()
  const { audit, handed } = remembering()
  const { audience } = about
  const broker = yield* make({
    flows: [served],
    config: { tokenFiles: [{ path, ...(audience !== undefined && { audience }) }] },
    audit
  })
  const [file] = broker.tokenFiles
  const keep = Effect.tap(Scope.provide(file!.keep, scope), () => settle)
  return {
    path,
    at,
    upstream,
    handed,
    keep,
    file,
    end: Scope.close(scope, Exit.void),
    read: () => readFileSync(path, "utf8")
  }
})

const claims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as Record<string, unknown>

describe("a token file", () => {
  it.effect("is there, for its owner alone, as soon as it is kept, and gone at the end", () =>
    Effect.gen(function* () {
      const { at, end, file, handed, keep, path, read } = yield* keeping({ audience: "whoever" })
      assert.strictEqual(file?.path, path)
      yield* keep
      assert.strictEqual(lstatSync(path).mode & 0o777, 0o600)
      assert.strictEqual(claims(read())["aud"], "whoever")
      assert.notMatch(read(), /\s/)
      assert.deepEqual(readdirSync(at), ["token"])
      assert.deepEqual(
        handed.map(({ caller, flow, protocol, scope }) => [caller, protocol, flow, scope]),
        [["token-file", "token-file", "plain", "whoever"]]
      )
      assert.notInclude(JSON.stringify(handed), read())
      yield* end
      assert.isFalse(existsSync(path))
    })
  )

  it.effect("is replaced soon after its assertion's soft point, and not before", () =>
    Effect.gen(function* () {
      const { end, handed, keep, read } = yield* keeping()
      yield* keep
      const first = read()
      yield* pass(1740)
      assert.strictEqual(read(), first)
      yield* pass(60)
      yield* pass(5)
      // The audit tells of it when it is there.
      yield* until(() => handed.length > 1)
      assert.strictEqual(claims(read())["jti"], 2)
      yield* pass(1860)
      yield* until(() => handed.length > 2)
      assert.strictEqual(claims(read())["jti"], 3)
      yield* end
    })
  )

  it.effect("stays as it is while the flow fails, and is renewed when that is over", () =>
    Effect.gen(function* () {
      const { end, keep, read, upstream } = yield* keeping()
      yield* keep
      const first = read()
      upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      yield* pass(3000)
      assert.strictEqual(read(), first)
      upstream.before = Effect.void
      yield* pass(70)
      yield* pass(5)
      yield* until(() => read() !== first)
      yield* end
    }).pipe(Effect.provide(Logger.layer([])))
  )

  it.effect("comes when the flow brings something, which the log tells", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const { end, keep, path, read, upstream } = yield* keeping()
      upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      yield* keep.pipe(
        Effect.provide(
          Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
        )
      )
      assert.isFalse(existsSync(path))
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /token is not written yet: .*It is down/)
      upstream.before = Effect.void
      yield* pass(5)
      yield* until(() => existsSync(path))
      assert.strictEqual(claims(read())["jti"], 1)
      yield* end
    })
  )

  it.effect("of a machine that slept is renewed within a minute", () =>
    Effect.gen(function* () {
      const { end, keep, read } = yield* keeping()
      yield* keep
      const first = read()
      // The wall clock went on; the timers did not.
      const now = yield* Clock.currentTimeMillis
      yield* TestClock.setTime(now + 8 * 3_600_000)
      yield* pass(65)
      yield* until(() => read() !== first)
      yield* end
    })
  )

  it.effect("is left alone at the end where somebody else has written it", () =>
    Effect.gen(function* () {
      const { end, keep, path, read } = yield* keeping()
      yield* keep
      writeFileSync(path, "another's")
      yield* end
      assert.strictEqual(read(), "another's")
    })
  )

  it.effect("that somebody else has removed is no fault at the end", () =>
    Effect.gen(function* () {
      const { end, keep, path } = yield* keeping()
      yield* keep
      rmSync(path)
      yield* end
      assert.isFalse(existsSync(path))
    })
  )

  it.effect("takes a link's place, and leaves alone what it led to", () =>
    Effect.gen(function* () {
      const { at, end, keep, path, read } = yield* keeping()
      const target = join(at, "precious")
      writeFileSync(target, "precious")
      symlinkSync(target, path)
      yield* keep
      assert.isTrue(lstatSync(path).isFile())
      assert.match(read(), /^[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.strictEqual(readFileSync(target, "utf8"), "precious")
      yield* end
      assert.strictEqual(readFileSync(target, "utf8"), "precious")
    })
  )

  it.effect("whose folder is missing, or may not be written, is told at once", () =>
    Effect.gen(function* () {
      const at = yield* folder
      writeFileSync(join(at, "file"), "")
      for (const nowhere of [join(at, "nowhere"), join(at, "file")]) {
        const { keep } = yield* keeping({ at: nowhere })
        const { message, reason } = yield* Effect.flip(keep)
        assert.strictEqual(reason._tag, "Misconfigured")
        assert.match(
          message,
          /broker\.tokenFiles: .*token cannot be written: E\w+\. Its folder must/
        )
      }
      assert.deepEqual(readdirSync(at), ["file"])
    })
  )

  it.live("is whole at every moment", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "token")
      const { served, upstream } = yield* assertions("plain")
      const { tokenFiles } = yield* make({ flows: [served], config: { tokenFiles: [{ path }] } })
      const [file] = tokenFiles
      const seen = new Set<string>()
      const reading = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => {
              if (existsSync(path)) seen.add(readFileSync(path, "utf8"))
            }),
            Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
          )
        )
      )
      // Each keeper writes an assertion of its own over the others'.
      for (let count = 0; count < 50; count++) {
        yield* served.flow.credential().pipe(
          Effect.flatMap((rejected) => served.flow.credential({ rejected })),
          Effect.andThen(file!.keep)
        )
      }
      yield* Fiber.interrupt(reading)
      assert.isAbove(upstream.asked.length, 40)
      assert.isAbove(seen.size, 10)
      for (const each of seen) assert.match(each, /^[\w-]+\.[\w-]+\.[\w-]{10,}$/)
    })
  )
})

describe("whose it is", () => {
  const made = (config: BrokerConfig) =>
    Effect.gen(function* () {
      const flows = [yield* assertions("one"), yield* assertions("two"), yield* tokens("graph")]
      return yield* make({ flows: flows.map(({ served }) => served), config })
    })

  it.effect("must be clear, and a flow that hands out assertions", () =>
    Effect.gen(function* () {
      const path = "/run/token"
      const problems = [
        [
          { path },
          /broker\.tokenFiles\[0\]: names no flow\. Several flows issue assertions: one, two/
        ],
        [{ path, flow: "three" }, /broker\.tokenFiles\[0\]\.flow: names no flow: "three"/],
        [{ path, flow: "graph" }, /the flow "graph" issues access tokens; assertions are needed/]
      ] as const
      for (const [tokenFile, message] of problems) {
        const error = yield* Effect.flip(made({ tokenFiles: [tokenFile] }))
        assert.match(error.message, message)
      }
      const { tokenFiles } = yield* made({ tokenFiles: [{ path, flow: "two" }] })
      assert.strictEqual(tokenFiles.length, 1)
    })
  )
})
