import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { createServer as createSocket } from "node:net"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { assert, describe, it, vi } from "@effect/vitest"
import { Fault } from "@federate/sandbox"
import { ask, graphToken, readEnv, sha256 } from "./client.ts"
import { assertions, cloud, graph } from "./cloud.ts"
import { start } from "./process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const { config, folder, sandbox } = cloud()

const anywhere = ["--listen", "127.0.0.1:0"]

const serve = (file: string, ...args: ReadonlyArray<string>) =>
  start(["--config", file, ...anywhere, ...args], { env: sandbox().env })

const question =
  "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com"

describe("federate-server", () => {
  it("hands out tokens, tells the truth of them and never themselves, and leaves nothing behind", async () => {
    const envFile = join(folder, "broker.env")
    const jwt = join(folder, "plain.jwt")
    const socket = join(folder, "graph.sock")
    const file = config(`flows:${graph("graph")}${assertions("plain")}
broker:
  flows: [graph, plain]
  withoutSecret: [azure-imds]
  tokenFiles: [{ path: ${jwt} }]
  sockets: { team: { path: ${socket}, flows: [graph], mode: "660" } }
`)
    await using server = serve(file, "--env-file", envFile, "--log-level", "trace")
    const origin = await server.origin()
    assert.deepInclude(await server.told("ready"), {
      level: "info",
      listen: origin,
      flows: ["graph", "plain"],
      withoutSecret: ["azure-imds"],
      sockets: [socket],
      tokenFiles: [jwt]
    })
    const variables = readEnv(envFile)
    const { body } = await ask(
      variables["IDENTITY_ENDPOINT"]!,
      "/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com",
      { "X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]! }
    )
    const token = (JSON.parse(body) as { readonly access_token: string }).access_token
    await graphToken(`unix:${socket}`)
    assert.strictEqual(statSync(socket).mode & 0o777, 0o660)
    await vi.waitUntil(() => existsSync(jwt))
    const assertion = readFileSync(jwt, "utf8")
    const refused = await ask(origin, question, {})
    assert.strictEqual(refused.status, 400)

    server.child.kill("SIGTERM")
    const { code, log, stderr } = await server.outcome()
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
    for (const gone of [envFile, jwt, socket]) assert.isFalse(existsSync(gone), gone)
    const handed = server.audited("handed")
    assert.sameDeepMembers(
      handed.map(({ caller, flow, protocol, tokenHash }) => [caller, flow, protocol, tokenHash]),
      [
        ["token-file", "plain", "token-file", sha256(assertion)],
        ["loopback", "graph", "azure-app-service", sha256(token)],
        ["team", "graph", "azure-imds", sha256(token)]
      ]
    )
    for (const { expiresAt } of handed) assert.isAbove(Date.parse(String(expiresAt)), Date.now())
    assert.deepInclude(server.audited("refused")[0], {
      caller: "loopback",
      protocol: "azure-imds",
      status: 400,
      code: "invalid_request"
    })
    assert.deepEqual(
      log.slice(-2).map(({ message }) => message),
      ["stopping", "stopped"]
    )
    const told = JSON.stringify(log)
    for (const secret of [
      token,
      assertion,
      variables["IDENTITY_HEADER"]!,
      variables["FEDERATE_BROKER_TOKEN"]!,
      sandbox().env["AWS_SECRET_ACCESS_KEY"]!
    ]) {
      assert.notInclude(told, secret)
    }
  })

  it("reads its file again on SIGHUP, and keeps its tokens", async () => {
    await using server = serve(config(`flows:${graph("graph")}`))
    const token = await graphToken(await server.origin())
    const count = sandbox().count("entra.token")
    server.child.kill("SIGHUP")
    assert.deepInclude((await server.told("reloaded"))["changes"], { kept: ["graph"] })
    assert.strictEqual(await graphToken(await server.origin()), token)
    assert.strictEqual(sandbox().count("entra.token"), count)
  })

  it("tells of a file that it does not take, and goes on", async () => {
    const file = config(`flows:${graph("graph")}`)
    await using server = serve(file)
    const token = await graphToken(await server.origin())
    writeFileSync(file, "flows: {")
    const { level, problems } = await server.told("The config file is not taken")
    assert.strictEqual(level, "error")
    assert.lengthOf(problems as ReadonlyArray<unknown>, 1)
    assert.strictEqual(await graphToken(await server.origin()), token)
  })

  it("answers who waits before it ends, and takes nobody new", async () => {
    sandbox().fault("entra.token", Fault.hang)
    await using server = serve(config(`flows:${graph("graph")}`))
    const origin = await server.origin()
    const waiting = ask(origin, question, { Metadata: "true" })
    // Answered later than the one before was taken.
    await ask(origin, "/livez")
    server.child.kill("SIGTERM")
    await server.told("stopping")
    const late = ask(origin, "/livez").then(
      () => "answered",
      () => "refused"
    )
    assert.strictEqual((await waiting).status, 503)
    assert.strictEqual(await late, "refused")
    assert.strictEqual((await server.outcome()).code, 0)
  })

  it("ends at once at the second signal", async () => {
    sandbox().fault("entra.token", Fault.hang)
    await using server = serve(config(`flows:${graph("graph")}`))
    const origin = await server.origin()
    const cut = ask(origin, question, { Metadata: "true" }).then(
      () => "answered",
      () => "cut"
    )
    await ask(origin, "/livez")
    server.child.kill("SIGTERM")
    await server.told("stopping")
    server.child.kill("SIGINT")
    assert.strictEqual((await server.outcome()).code, 130)
    assert.strictEqual(await cut, "cut")
  })

  it("tells a fault that nobody has caught, without its words, and goes on", async () => {
    const faults = join(folder, "faults.mjs")
    writeFileSync(
      faults,
      `process.on("SIGUSR2", () => {
        Promise.reject("eyJsecret")
        throw new TypeError("eyJsecret\\n    at eyJsecret")
      })`
    )
    await using server = start(["--config", config(`flows:${graph("graph")}`), ...anywhere], {
      env: sandbox().env,
      node: ["--import", faults]
    })
    const origin = await server.origin()
    server.child.kill("SIGUSR2")
    const first = await server.told("A fault of the server's own")
    const second = await server.told("A fault of the server's own", server.log.indexOf(first) + 1)
    assert.sameMembers([first["fault"], second["fault"]], ["TypeError", "string"])
    assert.notInclude(JSON.stringify(server.log), "eyJ")
    assert.isNotEmpty(await graphToken(origin))
  })

  /** Starts it as systemd does, with a socket that is open already. */
  const activated = (
    listening: ReturnType<typeof createSocket>,
    ...args: ReadonlyArray<string>
  ) => {
    // Node's own handle of it, which has no type.
    const { fd } = (listening as unknown as { readonly _handle: { readonly fd: number } })._handle
    return start(["--config", config(`flows:${graph("graph")}`), ...args], {
      env: sandbox().env,
      descriptors: [fd],
      shell: 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
    })
  }

  it("takes a socket that systemd has opened", async () => {
    const listening = createSocket().listen(0, "127.0.0.1")
    await new Promise((resolve) => listening.once("listening", resolve))
    const { port } = listening.address() as AddressInfo
    await using server = activated(listening)
    assert.strictEqual(await server.origin(), `http://127.0.0.1:${port}`)
    listening.close()
    const { status } = await ask(`http://127.0.0.1:${port}`, "/livez")
    assert.strictEqual(status, 200)
    const rebound = await ask(`http://127.0.0.1:${port}`, "/livez", { Host: "evil.example" })
    assert.strictEqual(rebound.status, 403)
  })

  it("writes no variables for one that no SDK can be told of", async () => {
    const listening = createSocket().listen(join(folder, "activated.sock"))
    await new Promise((resolve) => listening.once("listening", resolve))
    const envFile = join(folder, "activated.env")
    await using server = activated(listening, "--env-file", envFile)
    const { code, stderr } = await server.outcome()
    listening.close()
    assert.strictEqual(code, 2)
    assert.match(stderr, /--env-file: needs an http address/)
    assert.isFalse(existsSync(envFile))
  })
})

describe("federate-server that cannot start", () => {
  /** What it says. */
  const failed = async (args: ReadonlyArray<string>, env = sandbox().env) => {
    await using server = start(args, { env, cwd: folder })
    const { code, log, stderr } = await server.outcome()
    assert.deepEqual({ code, log }, { code: 2, log: [] })
    return stderr
  }

  it("says so of flags that are none", async () => {
    assert.include(await failed(["--prot", "1"]), "Unknown option '--prot'")
    assert.include(await failed(["--listen"]), "argument missing")
    assert.include(await failed(["--listen", "8765"]), "--listen is no address")
  })

  it("says so of a config file that is not there", async () => {
    const { FEDERATE_CONFIG: _, ...env } = sandbox().env
    assert.include(
      await failed(anywhere, env),
      "federate.yaml: cannot be read: there is no such file"
    )
    assert.include(await failed([], { ...env, FEDERATE_CONFIG: "nowhere.yaml" }), "nowhere.yaml")
  })

  it("says so of a port that is taken, and leaves nothing behind", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const { port } = server.address() as AddressInfo
    const envFile = join(folder, "taken.env")
    const file = config(`flows:${graph("graph")}`)
    assert.include(
      await failed(["-c", file, "-l", `127.0.0.1:${port}`, "--env-file", envFile]),
      `127.0.0.1:${port} is taken`
    )
    assert.isFalse(existsSync(envFile))
    server.close()
  })

  it("says so of an address beyond loopback, unless it is told to", async () => {
    const file = config(`flows:${graph("graph")}`)
    assert.include(await failed(["-c", file, "-l", "0.0.0.0:0"]), "is not an address of loopback")
    await using server = start(
      ["-c", file, "-l", "0.0.0.0:0", "--dangerously-listen-beyond-loopback"],
      { env: sandbox().env }
    )
    assert.match(await server.origin(), /^http:\/\/0\.0\.0\.0:\d+$/)
  })
})

describe("federate-server", () => {
  it.each([
    ["--help", "--dangerously-listen-beyond-loopback"],
    ["-v", "0.0.0"]
  ])("tells about itself on %s", async (flag, said) => {
    const { code, stderr } = await start([flag], { shell: 'exec "$@" >&2' }).outcome()
    assert.strictEqual(code, 0)
    assert.include(stderr, said)
  })
})

describe("OpenTelemetry's variables", () => {
  /** A collector that keeps what it gets. */
  const collector = async () => {
    const got: Array<{ path: string; headers: IncomingHttpHeaders; body: string }> = []
    const server = createServer(async (request, response) => {
      const { headers, url = "" } = request
      got.push({ path: url, headers, body: (await buffer(request)).toString("latin1") })
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const { port } = server.address() as AddressInfo
    return {
      got,
      endpoint: `http://127.0.0.1:${port}`,
      all: (path: string) =>
        got
          .filter((each) => each.path === path)
          .map(({ body }) => body)
          .join("\n"),
      [Symbol.dispose]: () => void server.close()
    }
  }

  it("send spans of flights and metrics to a collector, the last ones at the end, and no secret", async () => {
    using collected = await collector()
    const env: Readonly<Record<string, string>> = {
      ...sandbox().env,
      OTEL_EXPORTER_OTLP_ENDPOINT: collected.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=k%20ey",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
      OTEL_METRIC_EXPORT_INTERVAL: "200"
    }
    await using server = start(["-c", config(`flows:${graph("graph")}`), ...anywhere], { env })
    const origin = await server.origin()
    const token = await graphToken(origin)
    await graphToken(origin)
    await vi.waitUntil(() => collected.all("/v1/metrics").includes("federate_broker_requests"), {
      timeout: 10_000
    })
    await graphToken(origin)
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.outcome()).code, 0)
    const spans = collected.all("/v1/traces")
    for (const name of ["federate.flight", "federate.attempt", "federate-server"]) {
      assert.include(spans, name)
    }
    assert.include(spans, "deployment.environment")
    const metrics = collected.all("/v1/metrics")
    assert.include(metrics, "federate_flights")
    // The last of three, which came after the last export that was due.
    const last = collected.got.findLast(({ path }) => path === "/v1/metrics")!
    const requests = /"name":"federate_broker_requests".*?"as(?:Int|Double)":"?3\b/s
    assert.match(last.body, requests)
    assert.strictEqual(last.headers["api-key"], "k ey")
    for (const { body } of collected.got) {
      for (const secret of [token, "eyJ", env["AWS_SECRET_ACCESS_KEY"]!]) {
        assert.notInclude(body, secret)
      }
    }
  })

  it("speak protobuf without being told, and say what is not spoken", async () => {
    using collected = await collector()
    const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: collected.endpoint, OTEL_SERVICE_NAME: "mine" }
    const run = async (more: Readonly<Record<string, string>>) => {
      await using server = start(["-c", config(`flows:${graph("graph")}`), ...anywhere], {
        env: { ...sandbox().env, ...variables, ...more }
      })
      await graphToken(await server.origin())
      server.child.kill("SIGTERM")
      return await server.outcome()
    }
    await run({ OTEL_METRICS_EXPORTER: "none" })
    assert.isAbove(collected.got.length, 0)
    for (const { body, headers, path } of collected.got) {
      assert.strictEqual(path, "/v1/traces")
      assert.strictEqual(headers["content-type"], "application/x-protobuf")
      assert.include(body, "mine")
    }
    collected.got.length = 0
    const { code, log } = await run({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })
    assert.strictEqual(code, 0)
    assert.include(String(log[0]?.["message"]), "OTLP is spoken by http/protobuf and http/json")
    await run({ OTEL_SDK_DISABLED: "true" })
    assert.lengthOf(collected.got, 0)
    const broken = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: "no address" })
    assert.include(String(broken.log[0]?.["message"]), "OTEL_ variables cannot be used")
  })
})
