import { execFileSync, spawn } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { listen, make } from "@federate/broker"
import type { Where } from "@federate/broker"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { ask, serving, tokens } from "./serving.ts"
import { say, talk } from "./wire.ts"

const imdsPath = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://x"
const metadata = { headers: { Metadata: "true" } }

const broker = Effect.gen(function* () {
  const { served } = yield* tokens("graph", { cloud: "azure" })
  return yield* make({ flows: [served] })
})

/** A folder that is gone afterwards. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "broker-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** What a place that cannot be had is told as. */
const refusedAt = (where: Where) =>
  Effect.gen(function* () {
    const { listener } = yield* broker
    const { message, reason } = yield* Effect.flip(listen(listener, where))
    assert.strictEqual(reason._tag, "Misconfigured")
    return message
  })

const firstLine = (stream: NodeJS.ReadableStream): Effect.Effect<string> =>
  Effect.callback((resume) => {
    createInterface(stream).once("line", (line) => resume(Effect.succeed(line)))
  })

const alive = (origin: string) => Effect.map(ask(origin, "/livez"), ({ status }) => status === 200)

describe("an address", () => {
  it.live("is one of loopback, by its number or its name", () =>
    Effect.gen(function* () {
      const { listener } = yield* broker
      for (const [host, origin] of [
        ["127.0.0.1", /^http:\/\/127\.0\.0\.1:\d+$/],
        ["127.0.0.2", /^http:\/\/127\.0\.0\.2:\d+$/],
        ["localhost", /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/],
        ["::1", /^http:\/\/\[::1\]:\d+$/],
        ["0:0:0:0:0:0:0:1", /^http:\/\/\[::1\]:\d+$/]
      ] as const) {
        assert.match(yield* listen(listener, { host, port: 0 }), origin)
      }
    })
  )

  it.live("is no other, unless that is asked for", () =>
    Effect.gen(function* () {
      for (const host of [
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "example.org",
        "localhost.example",
        "127.1",
        "::ffff:127.0.0.1",
        ""
      ]) {
        const message = yield* refusedAt({ host, port: 0 })
        assert.match(message, /is not an address of loopback.*Listen on 127\.0\.0\.1 or ::1/)
      }
      const { listener } = yield* broker
      const origin = yield* listen(listener, { host: "0.0.0.0", port: 0, beyondLoopback: true })
      const { port } = new URL(origin)
      assert.isTrue(yield* alive(`http://127.0.0.1:${port}`))
    })
  )

  it.live("is told where it cannot be had, with the fix", () =>
    Effect.gen(function* () {
      const { listener } = yield* broker
      const { port } = new URL(yield* listen(listener, { host: "127.0.0.1", port: 0 }))
      const taken = yield* refusedAt({ host: "127.0.0.1", port: Number(port) })
      assert.include(taken, `127.0.0.1:${port} is taken. Stop what listens there`)
      assert.match(
        yield* refusedAt({ host: "127.0.0.1", port: 70_000 }),
        /cannot be listened on: ERR_SOCKET_BAD_PORT/
      )
      assert.match(yield* refusedAt({ host: "127.0.0.1", port: -1 }), /ERR_SOCKET_BAD_PORT/)
      assert.match(yield* refusedAt({ fd: 9999 }), /the file descriptor 9999 cannot be listened on/)
    })
  )
})

describe("a socket of whoever started this", () => {
  /** What a broker says that was started with a socket on this address. */
  const started = (host: string) =>
    Effect.gen(function* () {
      const opened = yield* Effect.acquireRelease(
        Effect.sync(() => createServer().listen(0, host)),
        (server) => Effect.sync(() => server.close())
      )
      yield* Effect.callback<void>(
        (resume) => void opened.once("listening", () => resume(Effect.void))
      )
      // Node tells a server's descriptor nowhere else.
      const descriptor = (opened as unknown as { readonly _handle: { readonly fd: number } })
        ._handle.fd
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(
            process.execPath,
            [
              "--conditions=@federate/source",
              fileURLToPath(new URL("activated.ts", import.meta.url))
            ],
            { stdio: ["ignore", "pipe", "inherit", descriptor] }
          )
        ),
        (spawned) => Effect.sync(() => spawned.kill())
      )
      return yield* firstLine(child.stdout!)
    })

  it.live(
    "is heard",
    () =>
      Effect.gen(function* () {
        const origin = yield* started("127.0.0.1")
        assert.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
        assert.match(yield* started("0.0.0.0"), /0\.0\.0\.0 is not an address of loopback/)
      }),
    20_000
  )
})

describe("a unix socket", () => {
  it.live("is for its owner alone, unless more is said", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "broker.sock")
      const { listener } = yield* broker
      const scope = yield* Scope.make()
      const origin = yield* listen(listener, { path }).pipe(Scope.provide(scope))
      assert.strictEqual(origin, `unix:${path}`)
      assert.strictEqual(lstatSync(path).mode & 0o777, 0o600)
      assert.isTrue(yield* alive(origin))
      // Host says nothing there.
      const got = yield* ask(origin, imdsPath, {
        headers: { Metadata: "true", Host: "evil.example" }
      })
      assert.strictEqual(got.status, 200)
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("has the permissions, the owner and the group that it is told to", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "broker.sock")
      const { listener } = yield* broker
      const root = process.getuid?.() === 0
      const given = root ? { owner: 12_345, group: 54_321 } : {}
      const mask = process.umask(0o077)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(mask)))
      yield* listen(listener, { path, mode: "0660", ...given })
      const { gid, mode, uid } = lstatSync(path)
      assert.strictEqual(mode & 0o777, 0o660)
      if (root) assert.deepEqual([uid, gid], [12_345, 54_321])
      assert.strictEqual(process.umask(), 0o077, "the process's own mask is what it was")
    })
  )

  it.live("takes the place of one that nobody listens on", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "broker.sock")
      // A process that is killed leaves its socket behind.
      const left = spawn(process.execPath, [
        "-e",
        `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`
      ])
      yield* Effect.callback<void>((resume) => void left.once("exit", () => resume(Effect.void)))
      assert.isTrue(lstatSync(path).isSocket())
      const { listener } = yield* broker
      assert.isTrue(yield* alive(yield* listen(listener, { path })))
    })
  )

  it.live("takes the place of nothing else", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const { listener } = yield* broker
      const living = join(at, "living.sock")
      const origin = yield* listen(listener, { path: living })
      assert.match(yield* refusedAt({ path: living }), /is taken: somebody listens there/)
      assert.isTrue(yield* alive(origin))
      const file = join(at, "file")
      writeFileSync(file, "precious")
      assert.match(yield* refusedAt({ path: file }), /is there already, and is no socket/)
      assert.strictEqual(readFileSync(file, "utf8"), "precious")
      const link = join(at, "link")
      symlinkSync(living, link)
      assert.match(yield* refusedAt({ path: link }), /is no socket/)
      assert.match(yield* refusedAt({ path: at }), /is no socket/)
      assert.isTrue(yield* alive(origin))
    })
  )

  it.live("is told where it cannot be had", () =>
    Effect.gen(function* () {
      const at = yield* folder
      writeFileSync(join(at, "file"), "")
      for (const path of [
        join(at, "nowhere", "broker.sock"),
        join(at, "file", "broker.sock"),
        join(at, "x".repeat(200)),
        join(at, "x".repeat(300))
      ]) {
        assert.match(yield* refusedAt({ path }), /cannot be listened on: E\w+\. Look at the path/)
      }
    })
  )
})

describe("the end", () => {
  it.live("waits for who is being served, closes who is idle, and hears nobody else", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
      const going = yield* Deferred.make<void>()
      upstream.before = Deferred.await(going)
      const { listener } = yield* make({ flows: [served] })
      const scope = yield* Scope.make()
      const origin = yield* listen(listener, { host: "127.0.0.1", port: 0 }).pipe(
        Scope.provide(scope)
      )
      const { host } = new URL(origin)
      const idle = yield* Effect.forkChild(
        talk(origin, (send) => send(`GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
      )
      const busy = yield* Effect.forkChild(
        talk(origin, (send) =>
          send(`GET ${imdsPath} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`)
        )
      )
      while (upstream.asked.length === 0) yield* Effect.sleep("5 millis")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      assert.deepEqual((yield* Fiber.join(idle)).statuses, [200])
      assert.isUndefined(busy.pollUnsafe())
      assert.isUndefined(closing.pollUnsafe())
      assert.isEmpty((yield* say(origin, `GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).statuses)
      yield* Deferred.succeed(going, undefined)
      const got = yield* Fiber.join(busy)
      assert.deepEqual(got.statuses, [200])
      assert.include(got.text, "graph-1")
      yield* Fiber.join(closing)
    })
  )
})

describe("ten thousand idle connections", () => {
  // Each costs this process a descriptor: fewer of them where fewer may be open.
  const allowed = Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }))
  const many = Math.min(10_000, Number.isNaN(allowed) ? Infinity : allowed - 500)

  it.live(
    "leave the broker answering, in little memory",
    () =>
      Effect.gen(function* () {
        const { served } = yield* tokens("graph", { cloud: "azure" })
        const { ask: asking, origin } = yield* serving([served])
        yield* asking(imdsPath, metadata)
        const before = process.memoryUsage().rss
        const { port } = new URL(origin)
        const crowd = yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(process.execPath, [
              fileURLToPath(new URL("idle.ts", import.meta.url)),
              port,
              String(many)
            ])
          ),
          (child) => Effect.sync(() => child.kill())
        )
        yield* firstLine(crowd.stdout)
        for (let count = 0; count < 20; count++) {
          const got = yield* asking(imdsPath, metadata)
          assert.strictEqual(got.status, 200)
        }
        const megabytes = (process.memoryUsage().rss - before) / 1024 / 1024
        assert.isBelow(megabytes, 400)
      }),
    30_000
  )
})
