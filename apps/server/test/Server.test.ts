import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { afterEach, assert, beforeAll, beforeEach, describe, it, vi } from "@effect/vitest"
import type { Handed } from "@federate/broker"
import { Fault } from "@federate/sandbox"
import { Effect, Logger, References } from "effect"
import type { Options } from "../src/options.ts"
import * as Server from "../src/Server.ts"
import { ask, graphToken, readEnv, sha256 } from "./client.ts"
import { assertions, cloud, graph } from "./cloud.ts"

const { config, folder, sandbox } = cloud()

let distrust = (): void => {}
beforeAll(() => {
  distrust = sandbox().trust()
  return () => distrust()
})
beforeEach(() => {
  for (const [name, value] of Object.entries(sandbox().env)) vi.stubEnv(name, value)
})
afterEach(() => vi.unstubAllEnvs())

const loopback = { host: "127.0.0.1", port: 0 }

interface Told {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A server in this process, with what it tells. */
const serving = Effect.fnUntraced(function* (file: string, options: Partial<Options> = {}) {
  const handed: Array<Handed & { readonly caller: string }> = []
  const log: Array<Told> = []
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    log.push({
      level: logLevel,
      message: [message].flat().join(" "),
      fields: fiber.getRef(References.CurrentLogAnnotations)
    })
  })
  const server = yield* Server.make(
    { config: file, listen: loopback, ...options },
    { handed: (caller, each) => handed.push({ caller, ...each }), refused: () => {} }
  ).pipe(Effect.provide(Logger.layer([logger])))
  return {
    ...server,
    reload: Effect.provide(server.reload, Logger.layer([logger])),
    handed,
    log,
    token: Effect.promise(() => graphToken(server.origin))
  }
})

/** Waits for what another part of this process does by and by. */
const eventually = (what: string, holds: () => boolean) =>
  Effect.promise(() => vi.waitUntil(holds, { timeout: 10_000, interval: 20 })).pipe(
    Effect.catchDefect(() => Effect.die(new Error(`It never came to be that ${what}`)))
  )

/** How often Entra issued a token. */
const issued = () => sandbox().count("entra.token")

describe("a server", () => {
  it.live("hands out tokens, and tells the truth about them", () =>
    Effect.gen(function* () {
      const { handed, log, token } = yield* serving(config(`flows:${graph("graph")}`))
      const first = yield* token
      assert.strictEqual(yield* token, first)
      assert.deepInclude(handed[0], {
        caller: "loopback",
        protocol: "azure-imds",
        flow: "graph",
        tokenHash: sha256(first)
      })
      assert.strictEqual(handed[1]?.tokenHash, handed[0]?.tokenHash)
      assert.deepInclude(log[0], { level: "Info", message: "ready" })
      assert.notInclude(JSON.stringify([log, handed]), first)
    })
  )

  it.live("fetches what its clients will ask for before they do", () =>
    Effect.gen(function* () {
      const before = issued()
      const { token } = yield* serving(config(`flows:${graph("graph")}`))
      yield* eventually("a token was fetched", () => issued() === before + 1)
      yield* token
      assert.strictEqual(issued(), before + 1)
    })
  )

  it.live("answers, and goes on, when the other side is down", () =>
    Effect.gen(function* () {
      sandbox().fault("entra.token", Fault.reset)
      const { origin } = yield* serving(config(`flows:${graph("graph")}`))
      const ready = yield* Effect.promise(() => ask(origin, "/readyz"))
      assert.strictEqual(ready.status, 503)
      assert.strictEqual((yield* Effect.promise(() => ask(origin, "/livez"))).status, 200)
    })
  )

  it.live("says all that is wrong with its config file, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const socket = join(folder, "early.sock")
      const file = config(`flows:${graph("graph")}
broker:
  azure: { flow: other }
  sockets: { early: { path: ${socket}, flows: [graph] } }
`)
      const error = yield* Effect.flip(Effect.scoped(serving(file)))
      assert.include(error.message, "names no flow")
      const taken = config(`flows:${graph("graph")}
broker:
  sockets: { early: { path: ${socket}, flows: [graph] } }
  tokenFiles: [{ path: ${folder}/nowhere/token }]
`)
      const problem = yield* Effect.flip(Effect.scoped(serving(taken)))
      assert.include(problem.message, "broker.tokenFiles")
      assert.isFalse(existsSync(socket))
    })
  )

  it.live("says that its port is taken, and opens nothing else then", () =>
    Effect.gen(function* () {
      const { origin } = yield* serving(config(`flows:${graph("graph")}`))
      const socket = join(folder, "late.sock")
      const file = config(`flows:${graph("graph")}
broker:
  sockets: { late: { path: ${socket}, flows: [graph] } }
`)
      const listen = { host: "127.0.0.1", port: Number(new URL(origin).port) }
      const error = yield* Effect.flip(Effect.scoped(serving(file, { listen })))
      assert.include(error.message, "is taken")
      assert.isFalse(existsSync(socket))
    })
  )

  it.live("listens on a unix socket, with the secret of its variables still", () =>
    Effect.gen(function* () {
      const path = join(folder, "main.sock")
      const file = config(`flows:${graph("graph")}`)
      const { origin, token } = yield* serving(file, { listen: { path } })
      assert.strictEqual(origin, `unix:${path}`)
      assert.isNotEmpty(yield* token)
      const without = yield* Effect.promise(() =>
        ask(origin, "/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com")
      )
      assert.strictEqual(without.status, 401)
    })
  )
})

describe("the clients' variables", () => {
  it.live("stand in a file that is theirs alone, and go with the server", () =>
    Effect.gen(function* () {
      const envFile = join(folder, "broker.env")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { origin } = yield* serving(config(`flows:${graph("graph")}`), { envFile })
          assert.strictEqual(statSync(envFile).mode & 0o777, 0o600)
          const variables = readEnv(envFile)
          assert.strictEqual(variables["IDENTITY_ENDPOINT"], `${origin}/msi/token`)
          const { status } = yield* Effect.promise(() =>
            ask(origin, "/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com", {
              "X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]!
            })
          )
          assert.strictEqual(status, 200)
        })
      )
      assert.isFalse(existsSync(envFile))
    })
  )

  it.live("are not written where they would have to be quoted", () =>
    Effect.gen(function* () {
      const envFile = join(folder, "quoted.env")
      const file = config(`flows:${assertions("plain")}
broker:
  tokenFiles:
    - { path: "${folder}/a token", azure: { tenantId: t, clientId: c } }
`)
      const error = yield* Effect.flip(Effect.scoped(serving(file, { envFile })))
      assert.include(error.message, "AZURE_FEDERATED_TOKEN_FILE")
      assert.isFalse(existsSync(envFile))
    })
  )

  it.live("follow a reload, with the same secrets", () =>
    Effect.gen(function* () {
      const envFile = join(folder, "followed.env")
      const file = config(`flows:${graph("graph")}`)
      const { reload } = yield* serving(file, { envFile })
      const before = readEnv(envFile)
      writeFileSync(
        file,
        `flows:${graph("graph")}${assertions("plain")}\nbroker:\n  gce: { projectId: p }\n`
      )
      yield* reload
      const after = readEnv(envFile)
      assert.strictEqual(after["GOOGLE_CLOUD_PROJECT"], "p")
      assert.strictEqual(after["IDENTITY_HEADER"], before["IDENTITY_HEADER"])
    })
  )
})

describe("a changed config file", () => {
  it.live("is followed by itself, and drops no token", () =>
    Effect.gen(function* () {
      const file = config(`flows:${graph("graph")}`)
      const { log, token } = yield* serving(file)
      const first = yield* token
      const count = issued()
      writeFileSync(file, `flows:${graph("graph")}${assertions("plain")}`)
      yield* eventually("it was reloaded", () => log.some(({ message }) => message === "reloaded"))
      assert.deepEqual(log.find(({ message }) => message === "reloaded")?.fields["changes"], {
        added: ["plain"],
        changed: [],
        removed: [],
        kept: ["graph"]
      })
      assert.strictEqual(yield* token, first)
      assert.strictEqual(issued(), count)
    })
  )

  it.live("is followed behind Kubernetes' links", () =>
    Effect.gen(function* () {
      const volume = join(folder, "volume")
      const publish = (version: string, text: string): void => {
        mkdirSync(join(volume, version), { recursive: true })
        writeFileSync(join(volume, version, "federate.yaml"), text)
        symlinkSync(version, join(volume, "..data_tmp"))
        renameSync(join(volume, "..data_tmp"), join(volume, "..data"))
      }
      publish("..1", `flows:${graph("graph")}`)
      const file = join(volume, "federate.yaml")
      symlinkSync("..data/federate.yaml", file)
      const { log } = yield* serving(file)
      publish("..2", `flows:${graph("graph")}${graph("second")}`)
      rmSync(join(volume, "..1"), { recursive: true })
      yield* eventually("it was reloaded", () => log.some(({ message }) => message === "reloaded"))
      assert.deepEqual(log.at(-1)?.fields["flows"], ["graph", "second"])
    })
  )

  it.live("makes a flow anew that it describes otherwise, and ends one that it does not have", () =>
    Effect.gen(function* () {
      const file = config(`flows:${graph("graph")}${graph("other")}
broker:
  azure: { flow: graph }
`)
      const { log, origin, reload, token } = yield* serving(file)
      const first = yield* token
      writeFileSync(file, `flows:${graph("graph", "    retry: { attempts: 2 }\n")}`)
      yield* reload
      const { fields } = log.find(({ message }) => message === "reloaded")!
      assert.deepEqual(fields["changes"], {
        added: [],
        changed: ["graph"],
        removed: ["other"],
        kept: []
      })
      assert.notStrictEqual(yield* token, first)
      const { status } = yield* Effect.promise(() => ask(origin, "/readyz/other"))
      assert.strictEqual(status, 404)
    })
  )

  it.live("is refused with every problem, and the one before stays", () =>
    Effect.gen(function* () {
      const good = `flows:${graph("graph")}`
      const file = config(good)
      const socket = join(folder, "refused.sock")
      const { log, reload, token } = yield* serving(file)
      const first = yield* token
      const count = issued()
      const refused = Effect.fnUntraced(function* (text: string) {
        writeFileSync(file, text)
        yield* reload
        const { fields, level, message } = log.at(-1)!
        assert.strictEqual(level, "Error")
        assert.include(message, "the one before stays")
        assert.strictEqual(yield* token, first)
        return (fields["problems"] as ReadonlyArray<{ readonly path: string }>).map(
          ({ path }) => path
        )
      })
      // Half-written.
      assert.deepEqual(yield* refused(good.slice(0, -90)), [""])
      assert.deepEqual(yield* refused(""), [""])
      assert.deepEqual(yield* refused(`${good}\nflowz: {}\nbrokers: {}\n`), ["flowz", "brokers"])
      assert.deepEqual(yield* refused(`${good}\nbroker: { azure: { flow: nobody } }\n`), ["broker"])
      assert.deepEqual(
        yield* refused(
          `flows:${graph("graph")}${graph("a", "      cloud: nowhere\n")}${graph("b", "      x: 1\n")}`
        ),
        ["flows.a.exchanger.cloud", "flows.b.exchanger.x"]
      )
      // Flows that decode, and cannot be made.
      const unmade = good.replace("graph:", "unmade:").replace("${COGNITO_IDENTITY_POOL_ID}", "x")
      assert.deepEqual(yield* refused(good + unmade.replace("flows:", "")), ["flows.unmade"])
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(socket, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      assert.isTrue(taken.listening)
      const free = join(folder, "free.sock")
      assert.deepEqual(
        yield* refused(`${good}
broker:
  flows: [graph]
  sockets:
    free: { path: ${free}, flows: [graph] }
    taken: { path: ${socket}, flows: [graph] }
`),
        ["broker.sockets"]
      )
      assert.isFalse(existsSync(free))
      assert.strictEqual(issued(), count)
    })
  )

  it.live("counts on where the one before ended", () =>
    Effect.gen(function* () {
      const file = config(`flows:${graph("counted")}`)
      const { origin, reload, token } = yield* serving(file)
      const hits = Effect.map(
        Effect.promise(() => ask(origin, "/metrics")),
        ({ body }) =>
          Number(
            /federate_broker_requests\{[^}]*protocol="azure-imds"[^}]*status="200"[^}]*\} (\d+)/.exec(
              body
            )?.[1]
          )
      )
      yield* token
      yield* token
      const before = yield* hits
      yield* token
      writeFileSync(file, `flows:${graph("counted")}${assertions("plain")}`)
      yield* reload
      assert.strictEqual(yield* hits, before + 1)
      yield* token
      assert.strictEqual(yield* hits, before + 2)
    })
  )

  it.live("opens and closes unix sockets, and leaves those alone that stay", () =>
    Effect.gen(function* () {
      const path = (name: string) => join(folder, `${name}.sock`)
      const text = (...sockets: ReadonlyArray<string>) => `flows:${graph("graph")}
broker:
  flows: [graph]
  sockets:
${sockets.map((name) => `    ${name}: { path: ${path(name)}, flows: [graph], mode: "660" }\n`).join("")}`
      const file = config(text("stays", "goes"))
      const { handed, reload } = yield* serving(file)
      assert.strictEqual(statSync(path("stays")).mode & 0o777, 0o660)
      const { ino } = statSync(path("stays"))
      writeFileSync(file, text("stays", "comes"))
      yield* reload
      assert.strictEqual(statSync(path("stays")).ino, ino)
      assert.isFalse(existsSync(path("goes")))
      for (const name of ["stays", "comes"]) {
        yield* Effect.promise(() => graphToken(`unix:${path(name)}`))
        assert.strictEqual(handed.at(-1)?.caller, name)
      }
    })
  )

  it.live("is refused where a socket would need other permissions, or share its path", () =>
    Effect.gen(function* () {
      const path = join(folder, "fixed.sock")
      const text = (mode: string) =>
        `flows:${graph("graph")}\nbroker:\n  sockets:\n    a: { path: ${path}, flows: [graph], mode: "${mode}" }\n`
      const file = config(text("600"))
      const { log, reload } = yield* serving(file)
      writeFileSync(file, text("660"))
      yield* reload
      assert.include(log.at(-1)?.message, "cannot get other permissions")
      writeFileSync(file, `${text("600")}    b: { path: ${path}, flows: [graph] }\n`)
      yield* reload
      assert.include(log.at(-1)?.message, "is another socket's path too")
      assert.isTrue(existsSync(path))
    })
  )

  it.live("keeps token files that stay, and takes away those that go", () =>
    Effect.gen(function* () {
      const path = (name: string) => join(folder, `${name}.jwt`)
      const text = (...names: ReadonlyArray<string>) =>
        `flows:${assertions("plain")}\nbroker:\n  tokenFiles:\n${names.map((name) => `    - path: ${path(name)}\n`).join("")}`
      const file = config(text("stays", "goes"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { handed, reload } = yield* serving(file)
          yield* eventually("both are written", () =>
            ["stays", "goes"].every((name) => existsSync(path(name)))
          )
          const { ino } = statSync(path("stays"))
          assert.strictEqual(handed[0]?.tokenHash, sha256(readFileSync(path("stays"), "utf8")))
          writeFileSync(file, text("stays", "comes"))
          yield* reload
          yield* eventually("the new one is written", () => existsSync(path("comes")))
          assert.strictEqual(statSync(path("stays")).ino, ino)
          assert.isFalse(existsSync(path("goes")))
        })
      )
      assert.isFalse(existsSync(path("stays")))
    })
  )

  it.live("that cannot be read any more changes nothing", () =>
    Effect.gen(function* () {
      const file = config(`flows:${graph("graph")}`)
      const { log, reload, token } = yield* serving(file)
      const first = yield* token
      rmSync(file)
      yield* reload
      assert.include(log.at(-1)?.message, "there is no such file")
      mkdirSync(file)
      chmodSync(file, 0o700)
      yield* reload
      assert.include(log.at(-1)?.message, "it is a folder")
      assert.strictEqual(yield* token, first)
    })
  )
})

describe("a server that stops", () => {
  it.live("finishes the requests in flight", () =>
    Effect.gen(function* () {
      sandbox().fault("entra.token", Fault.hang)
      const before = issued()
      const answer = yield* Effect.scoped(
        Effect.gen(function* () {
          const { origin } = yield* serving(config(`flows:${graph("graph")}`))
          const waiting = ask(
            origin,
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com",
            { Metadata: "true" }
          )
          yield* eventually("it waits for Entra", () => issued() > before)
          // Answered later than the one before was taken.
          yield* Effect.promise(() => ask(origin, "/livez"))
          return { waiting }
        })
      )
      assert.strictEqual((yield* Effect.promise(() => answer.waiting)).status, 503)
    })
  )
})
