/**
 * The server as it is built, over the sandbox, beside a bare server: requests and latency of a cached credential (wrk),
 * memory, start, and what a thousand first callers cost upstream.
 */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Agent, request } from "node:http"
import type { IncomingMessage } from "node:http"
import { connect, createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseEnv } from "node:util"
import { Sandbox } from "@federate/sandbox"

// Many short ones, in turn: how fast the machine is changes from second to second.
const rounds = 21
const seconds = 2
const connections = 32
const starts = 15

const server = fileURLToPath(import.meta.resolve("../dist/main.js"))
const bare = fileURLToPath(import.meta.resolve("./bare.mjs"))
const path = "/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com"

for (const [command, there] of [
  ["pnpm build", existsSync(server)],
  ["apt-get install wrk", has("wrk")]
] as const) {
  if (!there) {
    console.error(`✗ Something is missing: run \`${command}\` first`)
    process.exit(2)
  }
}

const folder = mkdtempSync(join(tmpdir(), "federate-bench-"))
const sandbox = await Sandbox.start()
const running = new Set<ChildProcess>()
try {
  await measure()
} finally {
  for (const child of running) child.kill("SIGKILL")
  await sandbox[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}

async function measure() {
  const config = join(folder, "federate.yaml")
  const { accessKeyId, secretAccessKey } = sandbox.aws.workload
  writeFileSync(
    config,
    `flows:
  graph:
    source:
      type: cognito
      identityPoolId: ${sandbox.env["COGNITO_IDENTITY_POOL_ID"]}
      logins: { my.dev.provider: my_user_id }
      endpoint: ${sandbox.http}
    exchanger:
      type: entra
      tenantId: ${sandbox.entra.tenantId}
      clientId: ${sandbox.entra.clientId}
      authorityHost: ${sandbox.http}
      scopes: [https://graph.microsoft.com/.default]
`
  )
  const environment = {
    PATH: process.env["PATH"],
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey
  }
  const variables = join(folder, "variables")
  const startServer = (port: number) =>
    start(
      ["--", server, "--config", config, "--listen", `127.0.0.1:${port}`, "--env-file", variables],
      port,
      environment
    )

  const secretOf = async () => {
    await until(() => existsSync(variables))
    return parseEnv(readFileSync(variables, "utf8"))["IDENTITY_HEADER"] ?? ""
  }
  const port = await freePort()

  // A thousand at once, before the first token is there.
  const before = upstream()
  const asked = await startServer(port)
  const agent = new Agent({ keepAlive: true, maxSockets: 1000 })
  const askedSecret = await secretOf()
  const answers = await Promise.all(
    Array.from({ length: 1000 }, () => get(port, askedSecret, agent))
  )
  agent.destroy()
  const good = answers.filter(({ status }) => status === 200).length
  const calls = upstream().map((count, index) => count - before[index]!)
  await sleep(2000)
  const afterThousand = residentMemory(asked)
  await stop(asked)

  const broker = await startServer(port)
  const secret = await secretOf()
  const { body, headers } = await get(port, secret)
  const barePort = await freePort()
  const arguments_ = [
    bare,
    String(barePort),
    secret,
    JSON.stringify(
      headers.filter(
        (_, index) => !/^(Date|Connection|Keep-Alive)$/.test(headers[index - (index % 2)]!)
      )
    ),
    body
  ]
  const plain = await start(arguments_, barePort, environment)
  await get(barePort, secret)
  await sleep(2000)
  const memory = { broker: residentMemory(broker), bare: residentMemory(plain) }

  for (const { pid } of [broker, plain]) pin(pid, 0)
  const load = (at: number) => wrk(at, secret, seconds)
  wrk(port, secret, 3)
  wrk(barePort, secret, 3)
  const loads = Array.from({ length: rounds }, () => ({ bare: load(barePort), broker: load(port) }))
  await Promise.all([stop(broker), stop(plain)])

  const times = { broker: [] as Array<number>, bare: [] as Array<number> }
  for (let round = 0; round < starts; round++) {
    for (const [name, begin] of [
      ["bare", () => start(arguments_, barePort, environment)],
      ["broker", () => startServer(port)]
    ] as const) {
      const from = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const child = await begin()
      times[name].push(performance.now() - from)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await stop(child)
    }
  }

  const pairs = (of: "rate" | "p99") =>
    loads.map(({ bare: { [of]: theirs }, broker: { [of]: ours } }) => ({ ours, theirs }))
  const startPairs = times.broker.map((ours, round) => ({ ours, theirs: times.bare[round]! }))
  table([
    row("requests/s", pairs("rate"), ({ ratio }) => ratio >= 0.8, "≥ 0.8"),
    row("p99, ms", pairs("p99"), ({ ratio }) => ratio <= 1.5, "≤ 1.5"),
    row(
      "idle RSS, MiB",
      [{ ours: memory.broker, theirs: memory.bare }],
      ({ broker: used, ratio }) => ratio <= 1.4 && used <= 80,
      "≤ 1.4, ≤ 80 MiB"
    ),
    row(
      "listening, ms",
      startPairs,
      ({ broker: took, ratio }) => ratio <= 2 && took <= 150,
      "≤ 2, ≤ 150 ms"
    )
  ])
  console.log(
    `1,000 first requests at once: ${good} answered; upstream calls: ${calls.join(" Cognito, ")} Entra; ${afterThousand.toFixed(0)} MiB afterwards`
  )
}

function upstream() {
  return [sandbox.count("cognito.GetOpenIdTokenForDeveloperIdentity"), sandbox.count("entra.token")]
}

/** A process that is heard at a port. */
async function start(
  args: ReadonlyArray<string>,
  port: number,
  env: NodeJS.ProcessEnv
): Promise<ChildProcess> {
  const log = openSync(join(folder, "log"), "a")
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", log, log] })
  running.add(child)
  child.once("exit", () => running.delete(child))
  await until(() => {
    if (child.exitCode !== null) throw new Error(readFileSync(join(folder, "log"), "utf8"))
    return isHeard(port)
  })
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM")
  await once(child, "exit")
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- for as long as it takes
  while (!(await holds())) await sleep(1)
}

function isHeard(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  // A server that listens on TCP has an address.
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

async function get(port: number, secret: string, agent?: Agent) {
  const asked = request({ port, path, agent, headers: { "X-IDENTITY-HEADER": secret } })
  asked.end()
  // What `response` brings.
  const [response] = (await once(asked, "response")) as [IncomingMessage]
  let body = ""
  for await (const part of response.setEncoding("utf8")) body += part
  return { status: response.statusCode, headers: response.rawHeaders, body }
}

/** Whoever serves and whoever asks have a core each, and the same one all the time. */
function pin(pid: number | undefined, core: number): void {
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)])
}

/** In MiB. */
function residentMemory({ pid }: ChildProcess): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kilobytes) / 1024
}

function wrk(port: number, secret: string, duration: number) {
  const told = execFileSync(
    "taskset",
    [
      "--cpu-list",
      "1",
      "wrk",
      "--threads=1",
      `--connections=${connections}`,
      `--duration=${duration}`,
      "--latency",
      `--header=X-IDENTITY-HEADER: ${secret}`,
      `http://127.0.0.1:${port}${path}`
    ],
    { encoding: "utf8" }
  )
  if (/Non-2xx|Socket errors/.test(told)) throw new Error(told)
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(told) ?? []
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(told) ?? []
  return { rate: Number(rate), p99: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit as "ms"] }
}

function has(command: string): boolean {
  try {
    execFileSync("which", [command], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

function median(values: ReadonlyArray<number>): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Medians: of each, and of what they are to one another side by side. */
function row(
  what: string,
  pairs: ReadonlyArray<{ readonly ours: number; readonly theirs: number }>,
  met: (measured: { readonly broker: number; readonly ratio: number }) => boolean,
  aim: string
) {
  const measured = {
    broker: median(pairs.map(({ ours }) => ours)),
    bare: median(pairs.map(({ theirs }) => theirs)),
    ratio: median(pairs.map(({ ours, theirs }) => ours / theirs))
  }
  return {
    "": what,
    broker: Number(measured.broker.toFixed(2)),
    bare: Number(measured.bare.toFixed(2)),
    ratio: Number(measured.ratio.toFixed(2)),
    aim,
    met: met(measured) ? "✓" : "✗"
  }
}

function table(rows: ReadonlyArray<Record<string, unknown>>): void {
  console.table(Object.fromEntries(rows.map(({ "": what, ...rest }) => [what, rest])))
}
