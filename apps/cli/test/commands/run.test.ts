import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Fault } from "@federate/sandbox"
import { assert, beforeAll, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { allowKeys, claims, flows } from "../flows.ts"
import { folder } from "../folder.ts"
import { ended, outcome, federate as start, told } from "../process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const here = folder()
const write = (name: string, text: string): string => {
  const file = join(here, name)
  writeFileSync(file, text)
  return file
}
const config = write("federate.yaml", flows)

const sandbox = cloud({ directory: here })
beforeAll(() => allowKeys(sandbox()))
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))

const client = (name: string): ReadonlyArray<string> => [
  process.execPath,
  fileURLToPath(import.meta.resolve(`../clients/${name}.ts`))
]

/** Runs a command on a terminal of its own; of util-linux. */
const script = "/usr/bin/script"

/** Where the command's temporary folder is made: it must be empty in the end. */
const temporary = join(here, "tmp")
mkdirSync(temporary)

interface Surroundings {
  readonly file?: string
  readonly env?: Readonly<Record<string, string>>
}

const starting = (args: ReadonlyArray<string>, { env, file = config }: Surroundings = {}) =>
  start(["run", ...args], {
    cwd: here,
    env: { ...sandbox().env, FEDERATE_CONFIG: file, TMPDIR: temporary, ...env }
  })

const ran = async (args: ReadonlyArray<string>, surroundings?: Surroundings) => {
  const found = await outcome(starting(args, surroundings))
  assert.isEmpty(readdirSync(temporary))
  return found
}

/** The environment that the command gets. */
const environment = async (
  args: ReadonlyArray<string> = [],
  surroundings?: Surroundings
): Promise<Readonly<Record<string, string>>> => {
  const print = "console.log(JSON.stringify(process.env))"
  const { code, stderr, stdout } = await ran(
    [...args, "--", process.execPath, "-e", print],
    surroundings
  )
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
  return JSON.parse(stdout)
}

describe("federate run", () => {
  describe("called wrong", () => {
    it.effect.each([{ args: ["run"] }, { args: ["run", "--flow", "graph", "--"] }])(
      "wants a command: $args",
      ({ args }) =>
        Effect.gen(function* () {
          assert.deepEqual(yield* federate(args), {
            code: 2,
            stdout: "",
            stderr:
              "✗ Missing required argument: command\n  fix          Usage: federate run [flags] <command...>\n               More: federate run --help\n"
          })
        })
    )

    it.live.each([
      {
        name: "a flow that is not there",
        args: ["--flow", "graph", "--flow", "grap"],
        file: flows,
        stderr: /^✗ There is no flow called "grap"\n.*graph, keys, workload\.\n$/
      },
      {
        name: "a config file that is none",
        args: [],
        file: "flows: {",
        stderr: /^✗ .*broken\.yaml cannot be used\n {2}is not YAML: /
      },
      {
        name: "a flow that cannot be made",
        args: [],
        file: flows.replaceAll("${COGNITO_IDENTITY_POOL_ID}", "my-pool"),
        stderr: /^✗ cognito.* is set up wrong, before any call\n {2}setting +identityPoolId\n/
      },
      {
        name: "a mapping to a flow of another kind",
        args: [],
        file: `${flows}broker: { aws: { flow: graph } }\n`,
        stderr: /^✗ broker is set up wrong, before any call\n {2}setting +broker\.aws\.flow\n/
      },
      {
        name: "a token file that cannot be written",
        args: [],
        file: `${flows}broker: { tokenFiles: [{ path: ${here}/nowhere/token }] }\n`,
        stderr: /^✗ broker is set up wrong, before any call\n {2}setting +broker\.tokenFiles\n/
      }
    ])("tells $name, and starts nothing", ({ args, file, stderr }) =>
      Effect.gen(function* () {
        vi.stubEnv("FEDERATE_CONFIG", write("broken.yaml", file))
        const started = join(here, "started")
        const found = yield* federate(["run", ...args, "--", "touch", started])
        assert.strictEqual(found.code, 2)
        assert.match(found.stderr, stderr)
        assert.isFalse(existsSync(started))
      })
    )
  })

  describe("ends", () => {
    const refusing = write("refusing", "#!/bin/sh\n")
    chmodSync(refusing, 0o600)

    it.live.each([
      [["true"], 0],
      [["sh", "-c", "exit 3"], 3],
      [["sh", "-c", "kill -KILL $$"], 137],
      [["sh", "-c", "kill -TERM $$"], 143]
    ] as const)("as its command does: %j", ([command, code]) =>
      Effect.gen(function* () {
        assert.deepEqual(yield* federate(["run", "--", ...command]), {
          code,
          stdout: "",
          stderr: ""
        })
      })
    )

    it.live("with 127 when there is no such command", () =>
      Effect.gen(function* () {
        assert.deepEqual(yield* federate(["run", "--", "no-such-command", "--help"]), {
          code: 127,
          stdout: "",
          stderr: `✗ There is no command called "no-such-command"\n  fix          Look at its name and at $PATH; a shell's own words need \`sh -c\`.\n`
        })
      })
    )

    it.live.each([
      { reason: "ERR_INVALID_ARG_VALUE", command: [""] },
      { reason: "EACCES", command: [refusing] },
      // Longer than any system takes.
      { reason: "E2BIG", command: ["true", "x".repeat(5_000_000)] }
    ])("with 126 when it cannot be started: $reason", ({ command, reason }) =>
      Effect.gen(function* () {
        const { code, stderr } = yield* federate(["run", "--", ...command])
        assert.strictEqual(code, 126)
        assert.match(stderr, new RegExp(`^✗ The command ".*" cannot be started: ${reason}\\n`))
      })
    )
  })

  it("hands its arguments on as they are, and its standard output alone", async () => {
    const print = "console.log(JSON.stringify(process.argv.slice(1)))"
    const args = ["--help", "--version", "--json", "--flow", "x", "--", "a b", "$HOME", "-c"]
    assert.deepEqual(await ran(["--", process.execPath, "-e", print, "--", ...args]), {
      code: 0,
      stdout: `${JSON.stringify(args)}\n`,
      stderr: ""
    })
  })

  it("takes it without -- too", async () => {
    const print = "console.log(process.argv[2])"
    assert.deepEqual(await ran([process.execPath, "-e", print, "--", "x", "--version"]), {
      code: 0,
      stdout: "--version\n",
      stderr: ""
    })
  })

  it("tells a wrong call in words, though the command's own flag is --json", async () => {
    const { code, stderr } = await ran(["--flow", "x", "--", "curl", "--json", "{}"])
    assert.strictEqual(code, 2)
    assert.match(stderr, /^✗ There is no flow called "x"\n/)
  })

  describe("serves", () => {
    it("whoever knows the protocol", async () => {
      const { code, stderr, stdout } = await ran(["--", ...client("plain")])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
      const answer = JSON.parse(stdout)
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(claims(answer.access_token), {
        aud: "https://graph.microsoft.com",
        roles: ["Application.Read.All"]
      })
    })

    it("DefaultAzureCredential, whatever stands in its way", async () => {
      const env = {
        AZURE_CLIENT_SECRET: "wrong",
        AZURE_FEDERATED_TOKEN_FILE: "/nonexistent",
        AZURE_TOKEN_CREDENTIALS: "AzureCliCredential",
        // Nobody is there: what goes through it fails.
        HTTP_PROXY: "http://127.0.0.1:9",
        http_proxy: "http://127.0.0.1:9"
      }
      const { code, stderr, stdout } = await ran(["--", ...client("azure")], { env })
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
      const answer = JSON.parse(stdout)
      assert.strictEqual(answer.status, 200)
      assert.lengthOf(answer.value, 1)
    })

    it("DefaultAzureCredential with an assertion alone, which it trades itself", async () => {
      const { code, stderr, stdout } = await ran(["--flow", "workload", "--", ...client("azure")])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.lengthOf(JSON.parse(stdout).value, 1)
    })

    it("AWS's default provider chain, whatever stands in its way", async () => {
      const home = join(here, "home")
      mkdirSync(join(home, ".aws"), { recursive: true })
      writeFileSync(
        join(home, ".aws", "credentials"),
        "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = wrong\n"
      )
      writeFileSync(join(home, ".aws", "config"), "[profile mine]\nregion = us-east-1\n")
      const { AWS_DEFAULT_REGION: _, AWS_REGION: __, ...others } = sandbox().env
      const { code, stderr, stdout } = await outcome(
        start(["run", "--", ...client("aws")], {
          // The keys that the flow's own source signs with stay with federate.
          env: { ...others, HOME: home, AWS_DEFAULT_PROFILE: "mine", FEDERATE_CONFIG: config }
        })
      )
      assert.strictEqual(code, 0)
      // The SDK's own remark on finding the secret and its file, which others need.
      assert.match(stderr, /^(@aws-sdk\/credential-provider-http: .*\n.*precedence\.\n)*$/)
      const { arn, region } = JSON.parse(stdout)
      assert.match(arn, /assumed-role\/federate-workload\/CognitoIdentityCredentials$/)
      assert.strictEqual(region, "us-east-1")
    })
  })

  describe("the environment", () => {
    it("names every flow's protocol, and none without a secret where there is one with", async () => {
      const found = await environment()
      const { host, hostname, origin } = new URL(found["FEDERATE_BROKER_URL"] ?? "")
      assert.strictEqual(hostname, "127.0.0.1")
      assert.deepInclude(found, {
        IDENTITY_ENDPOINT: `${origin}/msi/token`,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/aws/credentials`,
        GCE_METADATA_HOST: host
      })
      const unwanted = [
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        // Azure's tokens are served: nothing is left to trade.
        "AZURE_FEDERATED_TOKEN_FILE"
      ]
      for (const name of unwanted) assert.notProperty(found, name)
      const answer = fetch(origin).then(
        ({ status }) => status,
        () => "nobody is there any more"
      )
      assert.strictEqual(await answer, "nobody is there any more")
    })

    it("names a file for an assertion alone, with nobody else's eyes on it", async () => {
      const print = `
        const { readFileSync, statSync } = require("node:fs")
        const file = process.env.AZURE_FEDERATED_TOKEN_FILE
        const modes = [file, require("node:path").dirname(file)].map((path) => statSync(path).mode & 0o777)
        console.log(JSON.stringify({ file, modes, token: readFileSync(file, "utf8") }))`
      const { stdout } = await ran(["--flow", "workload", "--", process.execPath, "-e", print])
      const { file, modes, token } = JSON.parse(stdout)
      assert.deepEqual(modes, [0o600, 0o700])
      assert.strictEqual(dirname(dirname(file)), temporary)
      assert.strictEqual(claims(token)["aud"], sandbox().env["COGNITO_IDENTITY_POOL_ID"])
    })

    it("has AWS's secret in a file as well, as boto3 wants it", async () => {
      const print = `
        const { readFileSync, statSync } = require("node:fs")
        const { AWS_CONTAINER_AUTHORIZATION_TOKEN: token, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = process.env
        console.log(statSync(file).mode & 0o777, readFileSync(file, "utf8") === token, token.length)`
      const { stdout } = await ran(["--flow", "keys", "--", process.execPath, "-e", print])
      assert.strictEqual(stdout, `${0o600} true 43\n`)
    })

    it("is about the chosen flows alone, whatever the file's broker section says of others", async () => {
      const file = write(
        "mapped.yaml",
        `${flows}broker:
  flows: [graph]
  hosts: [broker.internal:8080]
  sockets: { own: { path: ${here}/socket, flows: [workload, keys] } }
  azure: { resources: { "https://graph.microsoft.com": graph } }
  gce: { identityFlow: workload }
  aws: { flow: keys, region: eu-north-1 }
  tokenFiles:
    - { path: ${here}/token, flow: workload, azure: { tenantId: t, clientId: c } }
`
      )
      const one = await environment(["--flow", "keys"], { file })
      assert.deepInclude(one, { AWS_REGION: "eu-north-1" })
      assert.notProperty(one, "AWS_ACCESS_KEY_ID")
      assert.deepInclude(one, { AZURE_CLIENT_ID: sandbox().entra.clientId })
      for (const name of ["IDENTITY_ENDPOINT", "GCE_METADATA_HOST", "AZURE_FEDERATED_TOKEN_FILE"]) {
        assert.notProperty(one, name)
      }

      const other = await environment(["--flow", "workload", "--flow", "workload"], { file })
      assert.deepInclude(other, {
        AZURE_FEDERATED_TOKEN_FILE: join(here, "token"),
        AZURE_TENANT_ID: "t",
        AZURE_CLIENT_ID: "c"
      })
      assert.deepInclude(other, { AWS_ACCESS_KEY_ID: sandbox().aws.workload.accessKeyId })
      assert.notProperty(other, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
      for (const gone of ["token", "socket"]) assert.isFalse(existsSync(join(here, gone)))
    })

    it("has no metadata server where the file speaks no protocol without a secret", async () => {
      const file = write("secret.yaml", `${flows}broker: { withoutSecret: [azure-imds] }\n`)
      const found = await environment([], { file })
      assert.notProperty(found, "GCE_METADATA_HOST")
      assert.notProperty(found, "AZURE_POD_IDENTITY_AUTHORITY_HOST")
    })
  })

  describe("when a flow is refused", () => {
    const env = { AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555" }

    it("says why, once, after a command that failed", async () => {
      const twice = `"$@"; exec "$@"`
      const { code, stderr, stdout } = await ran(
        ["--", "sh", "-c", twice, "sh", ...client("plain")],
        { env }
      )
      assert.strictEqual(code, 1)
      assert.include(stdout, "AADSTS90002")
      assert.match(
        stderr,
        /^✗ federate refused the command \(azure-app-service\): entra: AADSTS90002: .* check the id.*\n$/
      )
    })

    it("says nothing after a command that did not mind", async () => {
      const { code, stderr } = await ran(
        ["--", "sh", "-c", `"$@" || true`, "sh", ...client("plain")],
        {
          env
        }
      )
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
    })

    it("starts the command all the same when there is no assertion to write down", async () => {
      const { code, stderr, stdout } = await ran(["--flow", "workload", "--", "echo", "there"], {
        env: { AWS_SECRET_ACCESS_KEY: "wrong" }
      })
      assert.deepEqual({ code, stdout }, { code: 0, stdout: "there\n" })
      assert.match(stderr, /WARN.*assertion is not written yet: cognito: InvalidSignatureException/)
    })
  })

  it("tells the debug log who got what, and no token", async () => {
    const { stderr, stdout } = await ran(["--log-level", "debug", "--", ...client("plain")])
    assert.match(stderr, /DEBUG.*Handed out[^]*flow: .*graph/)
    assert.notInclude(stderr, "eyJ")
    assert.match(stdout, /"access_token":"eyJ/)
  })

  describe("a signal", () => {
    it("goes to the command, whose end is the end", async () => {
      const running = starting(["--", ...client("signalled")])
      await told(running, "ready")
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const) {
        running.kill(signal)
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await told(running, signal)
      }
      running.kill("SIGUSR1")
      const { code, stdout } = await outcome(running)
      assert.deepEqual(JSON.parse(stdout), {
        counts: { SIGTERM: 1, SIGINT: 1, SIGHUP: 1, SIGQUIT: 1, SIGUSR2: 1 },
        // The broker was there for it until then.
        status: 200
      })
      assert.strictEqual(code, 5)
      assert.isEmpty(readdirSync(temporary))
    })

    it.each([
      ["SIGTERM", 143],
      ["SIGINT", 130],
      ["SIGHUP", 129]
    ] as const)("that kills the command is its status: %s", async (signal, code) => {
      const running = starting(["--", "sh", "-c", "echo ready >&2; exec sleep 600"])
      await told(running, "ready")
      running.kill(signal)
      assert.strictEqual(await ended(running), code)
      assert.isEmpty(readdirSync(temporary))
    })

    it("that comes before the command has begun is the end", async () => {
      sandbox().fault("cognito.*", Fault.hang)
      const running = starting(["--flow", "workload", "--", "echo", "begun"])
      await vi.waitUntil(() => readdirSync(temporary).length > 0, { timeout: 10_000 })
      running.kill("SIGTERM")
      assert.deepEqual(await outcome(running), { code: 143, stdout: "", stderr: "" })
      assert.isEmpty(readdirSync(temporary))
    })

    it.skipIf(process.platform !== "linux")("of a terminal comes to the command once", async () => {
      const [file = "", ...args] = client("signalled")
      const command = [process.execPath, "--conditions=@federate/source"]
        .concat(fileURLToPath(import.meta.resolve("../../src/main.ts")))
        .concat("run", "--", file, ...args)
        .map((word) => `'${word}'`)
        .join(" ")
      const typescript = spawn(script, ["-qec", command, "/dev/null"], {
        env: {
          ...sandbox().env,
          PATH: process.env["PATH"],
          FEDERATE_CONFIG: config,
          TMPDIR: temporary
        }
      })
      try {
        let said = ""
        let typed = false
        let asked = false
        for await (const chunk of typescript.stdout) {
          said += String(chunk)
          const [, pid] = /ready for (\d+)\./.exec(said) ?? []
          if (pid !== undefined && !typed) typed = typescript.stdin.write("\x03")
          if (said.includes("SIGINT") && !asked) asked = process.kill(Number(pid), "SIGUSR1")
        }
        assert.include(said, `{"counts":{"SIGINT":1},"status":200}`)
      } finally {
        typescript.kill("SIGKILL")
      }
    })
  })

  it.skipIf(!existsSync("/proc"))("keeps its arguments out of the process list", async () => {
    const running = starting(["--", ...client("signalled")])
    await told(running, "ready")
    const title = readFileSync(`/proc/${running.pid}/cmdline`, "utf8").replace(/\0+$/, "")
    running.kill("SIGUSR1")
    await ended(running)
    assert.strictEqual(title, "federate run")
  })
})
