import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../../cloud.ts"
import { federate } from "../../command.ts"
import { allowKeys, flows } from "../../flows.ts"
import { folder } from "../../folder.ts"
import { command } from "../../process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const here = folder()
const config = join(here, "federate.yaml")
writeFileSync(config, flows)

const sandbox = cloud({ directory: here })
beforeAll(() => allowKeys(sandbox()))
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))

const call = (...args: ReadonlyArray<string>) => federate(["credential", "aws-process", ...args])

describe("federate credential aws-process", () => {
  it.live("prints credentials as AWS's SDKs read them", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* call("keys")
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
      const { AccessKeyId, Expiration, SecretAccessKey, SessionToken, ...rest } = JSON.parse(stdout)
      assert.deepEqual(rest, { Version: 1 })
      assert.match(AccessKeyId, /^ASIA/)
      for (const secret of [SecretAccessKey, SessionToken]) assert.isNotEmpty(secret)
      assert.match(Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.approximately(Date.parse(Expiration) - Date.now(), 3_600_000, 60_000)
    })
  )

  it.live("names the flows that would do, where this one does not", () =>
    Effect.gen(function* () {
      const before = sandbox().count("cognito.*")
      assert.deepEqual(yield* call("graph"), {
        code: 2,
        stdout: "",
        stderr: `✗ The flow "graph" brings access tokens; AWS credentials are needed\n  fix          Flows that do: keys.\n`
      })
      assert.strictEqual(sandbox().count("cognito.*"), before)
      const none = join(here, "none.yaml")
      writeFileSync(none, flows.replace(/ {2}keys:[^]*(?= {2}workload:)/, ""))
      const { stderr } = yield* call("workload", "--config", none)
      assert.strictEqual(
        stderr,
        `✗ The flow "workload" brings assertions; AWS credentials are needed\n  fix          No flow of the config file brings them.\n`
      )
    })
  )

  it.live("tells a refusal on standard error alone", () =>
    Effect.gen(function* () {
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong")
      const { code, stderr, stdout } = yield* call("keys")
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" })
      assert.match(stderr, /^✗ cognito said no, getting the assertion\n/)
    })
  )

  /** What AWS's SDK makes of a profile with this command. */
  const profiled = async (credentialProcess: string) => {
    const file = join(here, "aws-config")
    writeFileSync(
      file,
      `[profile mine]\nregion = us-east-1\ncredential_process = ${credentialProcess}\n`
    )
    const child = spawn(
      process.execPath,
      [fileURLToPath(import.meta.resolve("../../clients/aws.ts"))],
      {
        env: {
          ...sandbox().env,
          PATH: process.env["PATH"],
          FEDERATE_CONFIG: config,
          AWS_CONFIG_FILE: file,
          AWS_PROFILE: "mine"
        }
      }
    )
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { stdout, stderr }
  }

  it("is a profile's credential_process", async () => {
    const { stderr, stdout } = await profiled(
      `env -u AWS_PROFILE ${command} credential aws-process keys`
    )
    assert.match(stdout, /assumed-role\/federate-workload\/CognitoIdentityCredentials/, stderr)
  })

  it("does not go round for ever in a profile that its own source finds", async () => {
    const before = sandbox().count("cognito.*")
    const { stdout } = await profiled(`${command} credential aws-process keys`)
    assert.strictEqual(stdout, "")
    assert.strictEqual(sandbox().count("cognito.*"), before)
  })

  it.live("says so, where it is the one that was called by itself", () =>
    Effect.gen(function* () {
      vi.stubEnv("FEDERATE_CREDENTIAL_PROCESS", "1")
      const { code, stderr, stdout } = yield* call("keys")
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" })
      assert.include(stderr, "`credential_process = env -u AWS_PROFILE federate …`")
    })
  )
})
