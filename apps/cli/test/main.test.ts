import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { Fault, Sandbox } from "@federate/sandbox"
import { afterAll, assert, beforeAll, describe, it, vi } from "vitest"
import { configFile, placeholders } from "../src/template.ts"
import { folder } from "./folder.ts"
import { ended, federate, outcome, shell, told } from "./process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const here = folder()

/** The lines of an env file, as `set -a; . ./env` reads them where no value needs quotes. */
const readEnv = (file: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const [, name = "", value = ""] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
        assert.notStrictEqual(name, "", line)
        return [name, value]
      })
  )

const oneToken = /^[\w-]+\.[\w-]+\.[\w-]+\n$/

const isListening = (url: string | undefined): Promise<boolean> =>
  fetch(`${url}/`).then(
    () => true,
    () => false
  )

describe("federate sandbox", () => {
  const dir = join(here, "sandbox")
  let running: ReturnType<typeof federate>
  let greeting: string
  let env: Readonly<Record<string, string>>

  beforeAll(async () => {
    running = federate(["sandbox", "--dir", "sandbox"], { cwd: here })
    greeting = await told(running, "# the flow's ids")
    env = readEnv(join(dir, "env"))
  })
  afterAll(() => running.kill("SIGKILL"))

  it("says where it listens, and what to try next", () => {
    assert.match(
      greeting,
      /^The sandbox is running; Ctrl\+C stops it\.\n {2}AWS +http:\/\/localhost:\d+\n {2}Entra and Graph +https:\/\/localhost:\d+\n/
    )
    assert.include(greeting, "\n  set -a; . sandbox/env; set +a\n")
    assert.include(
      greeting,
      "\n  pnpm --silent federate token graph | pnpm --silent federate inspect --verify\n"
    )
    for (const unwanted of ["eyJ", "\u001b"]) assert.notInclude(greeting, unwanted)
  })

  it("writes a config file, variables and the certificate, which are the user's alone", () => {
    assert.strictEqual(readFileSync(join(dir, "federate.yaml"), "utf8"), configFile(placeholders))
    assert.match(readFileSync(join(dir, "ca.pem"), "utf8"), /^-----BEGIN CERTIFICATE-----\n/)
    assert.strictEqual(statSync(join(dir, "env")).mode & 0o777, 0o600)
    assert.hasAllKeys(env, [
      "AWS_ENDPOINT_URL_COGNITO_IDENTITY",
      "AWS_ENDPOINT_URL_IAM",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
      "AZURE_AUTHORITY_HOST",
      "AZURE_TENANT_ID",
      "AZURE_CLIENT_ID",
      "COGNITO_IDENTITY_POOL_ID",
      "GRAPH_BASE_URL",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
      "FEDERATE_SANDBOX_ADMIN_TOKEN",
      "FEDERATE_SANDBOX_ADMIN_ACCESS_KEY_ID",
      "FEDERATE_SANDBOX_ADMIN_SECRET_ACCESS_KEY",
      "NODE_EXTRA_CA_CERTS",
      "FEDERATE_CONFIG"
    ])
    assert.match(env["AWS_ENDPOINT_URL_COGNITO_IDENTITY"] ?? "", /^http:\/\/localhost:\d+$/)
    assert.match(env["AZURE_AUTHORITY_HOST"] ?? "", /^https:\/\/localhost:\d+$/)
    assert.strictEqual(env["NODE_EXTRA_CA_CERTS"], join(dir, "ca.pem"))
    assert.strictEqual(env["FEDERATE_CONFIG"], join(dir, "federate.yaml"))
  })

  it.skipIf(!existsSync("/proc"))("shows no arguments in the process list", () => {
    const title = readFileSync(`/proc/${running.pid}/cmdline`, "utf8").replace(/\0+$/, "")
    assert.strictEqual(title, "federate sandbox")
  })

  describe.concurrent("in another terminal", () => {
    it("brings a token that can be verified, and that Graph takes", async () => {
      const script =
        "set -a; . ./env; set +a; federate token graph | tee token | federate inspect --verify"
      const { code, stderr, stdout } = await outcome(shell(script, { cwd: dir }))
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      assert.match(stdout, /\n {2}roles +\["Application\.Read\.All"\] .*\n[^]*\n {2}✓ valid: .*\n$/)
      const token = readFileSync(join(dir, "token"), "utf8")
      assert.match(token, oneToken)
      const graph = env["GRAPH_BASE_URL"]
      // The same Graph over http, which needs no trust in its certificate.
      const url = env["AWS_ENDPOINT_URL_STS"]
      assert.notStrictEqual(url, graph)
      const response = await fetch(`${url}/v1.0/applications`, {
        headers: { authorization: `Bearer ${token.trim()}` }
      })
      assert.strictEqual(response.status, 200)
    })

    it("finds its config file above, and takes a duration after a blank", async () => {
      const below = join(dir, "a", "b")
      mkdirSync(below, { recursive: true })
      const { FEDERATE_CONFIG: _, ...others } = env
      const args = ["token", "--wait-propagation", "5m", "graph"]
      const { code, stderr, stdout } = await outcome(federate(args, { cwd: below, env: others }))
      assert.strictEqual(stderr, "Waiting up to 5 min, should the trust not have spread yet…\n")
      assert.strictEqual(code, 0)
      assert.match(stdout, oneToken)
    })

    it("tells of a wrong tenant, as JSON", async () => {
      const wrong = { ...env, AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555" }
      const { code, stderr, stdout } = await outcome(
        federate(["token", "graph", "--json"], { cwd: here, env: wrong })
      )
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.deepInclude(JSON.parse(stderr), { error: "Rejected", code: "AADSTS90002" })
      assert.notInclude(stderr, "eyJ")
    })

    it("tells of a wrong key, and not what it was", async () => {
      const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"
      const { code, stderr, stdout } = await outcome(
        federate(["token", "graph"], { cwd: here, env: { ...env, AWS_SECRET_ACCESS_KEY: secret } })
      )
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /^✗ cognito said no, getting the assertion\n {2}code +InvalidSignature/)
      assert.notInclude(stderr, secret)
    })

    it("ends with 2 when it is called or configured wrong", async () => {
      writeFileSync(join(here, "broken.yaml"), "flows: {")
      writeFileSync(join(here, "doubled.yaml"), "flows:\n  a: 1\n  a: 2\n")
      const script = `
        federate token grap; echo $?
        AZURE_TENANT_ID= federate token graph; echo $?
        federate token graph --config broken.yaml; echo $?
        federate token a --config doubled.yaml; echo $?`
      const { stderr, stdout } = await outcome(shell(script, { cwd: here, env }))
      assert.strictEqual(stdout, "2\n2\n2\n2\n")
      assert.deepEqual(
        stderr.split("\n").filter((line) => line.startsWith("✗")),
        [
          `✗ There is no flow called "grap"`,
          `✗ ${join(dir, "federate.yaml")} cannot be used`,
          `✗ ${join(here, "broken.yaml")} cannot be used`,
          `✗ ${join(here, "doubled.yaml")} cannot be used`
        ]
      )
    })
  })

  it("ends cleanly when it is stopped", async () => {
    assert.isTrue(await isListening(env["AWS_ENDPOINT_URL_STS"]))
    running.kill("SIGTERM")
    const rest = await outcome(running)
    assert.deepEqual(rest, { code: 0, stdout: "", stderr: "" })
    assert.isFalse(await isListening(env["AWS_ENDPOINT_URL_STS"]))
  })
})

describe("federate sandbox --empty", () => {
  it("sets nothing up but the accounts, keeps what is there, and ends cleanly on Ctrl+C", async () => {
    // What a shell must quote.
    const dir = join(here, "it's empty")
    mkdirSync(dir)
    writeFileSync(join(dir, "federate.yaml"), "# mine\n")
    // What stands in the way of the sandbox's keys, and an authority that is trusted here already.
    const proxy = join(here, "proxy.pem")
    writeFileSync(proxy, "# a proxy's authority\n")
    const running = federate(["sandbox", "--empty", "--dir", dir], {
      cwd: dir,
      env: { AWS_PROFILE: "mine", NODE_EXTRA_CA_CERTS: proxy }
    })
    try {
      const greeting = await told(running, "v1.0/applications")
      assert.include(greeting, "set -a; . ./env; set +a")
      assert.include(greeting, "\n  unset AWS_PROFILE  #")
      assert.include(greeting, "$FEDERATE_SANDBOX_ADMIN_TOKEN")
      const trusted = readFileSync(join(dir, "ca.pem"), "utf8")
      assert.match(trusted, /^-----BEGIN CERTIFICATE-----\n[^]*\n# a proxy's authority\n$/)
      assert.include(greeting, `${join(dir, "federate.yaml")} is another one, and is kept`)
      assert.strictEqual(readFileSync(join(dir, "federate.yaml"), "utf8"), "# mine\n")
      const script = `set -a; . ./env; set +a; printf '%s\\n' "$NODE_EXTRA_CA_CERTS" "\${AZURE_CLIENT_ID-none}" "$AWS_REGION"`
      const { stdout } = await outcome(shell(script, { cwd: dir }))
      assert.strictEqual(stdout, `${join(dir, "ca.pem")}\nnone\nus-east-1\n`)
      running.kill("SIGINT")
      assert.strictEqual(await ended(running), 0)
    } finally {
      running.kill("SIGKILL")
    }
  })
})

describe.concurrent("federate", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const)(
    "ends with %s's status when that stops it, and with no token",
    async (signal, code) => {
      const directory = join(here, signal)
      await using sandbox = await Sandbox.start({ directory })
      sandbox.fault("entra.token", Fault.hang)
      const config = join(directory, "federate.yaml")
      writeFileSync(config, configFile(placeholders))
      const running = federate(["token", "graph", "-c", config, "--log-level", "debug"], {
        env: sandbox.env
      })
      await told(running, "The config file is")
      running.kill(signal)
      assert.deepInclude(await outcome(running), { code, stdout: "" })
    }
  )

  it("takes no offence when its reader has read enough", async () => {
    const running = federate(["schema"])
    running.stdout.destroy()
    const [code, stderr] = await Promise.all([ended(running), text(running.stderr)])
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
  })

  it.skipIf(!existsSync("/dev/full"))("says that what it wrote was not taken", async () => {
    const { code, stderr } = await outcome(shell("federate --version > /dev/full"))
    assert.strictEqual(stderr, "✗ Standard output cannot be written: ENOSPC\n")
    assert.strictEqual(code, 1)
  })
})
