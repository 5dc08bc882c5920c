import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { call, defaultListen, levels, usage } from "../src/options.ts"

const read = (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv = {}) =>
  call(args, environment)

const served = (args: ReadonlyArray<string>, environment?: NodeJS.ProcessEnv) => {
  const called = Result.getOrThrow(read(args, environment))
  assert(called.is === "serve")
  return called
}

const refused = (args: ReadonlyArray<string>, environment?: NodeJS.ProcessEnv): string => {
  const called = read(args, environment)
  assert(Result.isFailure(called))
  return `${called.failure.problem}. ${called.failure.hint}`
}

describe("options", () => {
  it("have defaults", () => {
    assert.deepEqual(served([]), {
      is: "serve",
      logLevel: "Info",
      options: {
        config: "federate.yaml",
        listen: { host: "127.0.0.1", port: 8765, beyondLoopback: false },
        envFile: undefined
      }
    })
    assert.include(usage, defaultListen)
  })

  it("take the config file from the environment, unless a flag names one", () => {
    const environment = { FEDERATE_CONFIG: "there.yaml" }
    assert.strictEqual(served([], environment).options.config, "there.yaml")
    assert.strictEqual(served(["-c", "here.yaml"], environment).options.config, "here.yaml")
    assert.strictEqual(served([], { FEDERATE_CONFIG: "" }).options.config, "federate.yaml")
  })

  it.each([
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0, beyondLoopback: false }],
    ["[::1]:80", { host: "::1", port: 80, beyondLoopback: false }],
    ["localhost:65535", { host: "localhost", port: 65_535, beyondLoopback: false }],
    ["unix:/run/a b:c", { path: "/run/a b:c" }]
  ])("listen at %s", (text, where) => {
    assert.deepEqual(served(["--listen", text]).options.listen, where)
  })

  it.each([
    "8765",
    ":8765",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:1e3",
    "::1:80",
    "[127.0.0.1]:80",
    "[]:80",
    "http://127.0.0.1:80",
    "unix:",
    ""
  ])("do not take %j as an address", (text) => {
    assert.match(refused([`--listen=${text}`]), /^--listen .*\. Write HOST:PORT/)
  })

  it.each(["--env-file", "--write-env-file"])("write the clients' variables by %s", (flag) => {
    assert.strictEqual(served([flag, "broker.env"]).options.envFile, "broker.env")
  })

  it("let --listen be any address only by a flag that says how bad that is", () => {
    const { options } = served(["-l", "0.0.0.0:1", "--dangerously-listen-beyond-loopback"])
    assert.deepEqual(options.listen, { host: "0.0.0.0", port: 1, beyondLoopback: true })
  })

  it("say what is wrong with them, and what to do", () => {
    assert.match(refused(["--prot"]), /^Unknown option '--prot'\. See federate-server --help\.$/)
    assert.match(refused(["extra"]), /^Unexpected argument 'extra'\. See/)
    assert.match(refused(["--config"]), /argument missing\. See/)
    assert.match(refused(["--config="]), /^--config is empty/)
    assert.match(refused(["--env-file="]), /^--env-file is empty/)
    assert.match(refused(["--log-level", "loud"]), /^--log-level is not known\. Use one of error/)
    assert.match(refused(["-l", "unix:/a", "--env-file", "b"]), /^--env-file needs an http address/)
  })

  it.each(levels)("know the level %s, however it is written", (level) => {
    assert.strictEqual(served(["--log-level", level.toUpperCase()]).logLevel.toLowerCase(), level)
  })

  it("ask for help and for the version before all else is looked at", () => {
    assert.deepEqual(read(["--help", "--listen", "x"]), Result.succeed({ is: "help" }))
    assert.deepEqual(read(["-v"]), Result.succeed({ is: "version" }))
  })

  it("take a socket that was passed to this process, and to no other", () => {
    const passed = (pid: number, count = "1") => ({ LISTEN_PID: String(pid), LISTEN_FDS: count })
    const here = served([], passed(process.pid)).options.listen
    assert.deepEqual(here, { fd: 3, beyondLoopback: false })
    assert.notProperty(served([], passed(process.ppid)).options.listen, "fd")
    assert.match(refused([], passed(process.pid, "2")), /^systemd passes several sockets/)
  })
})
