import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../../cloud.ts"
import { federate } from "../../command.ts"
import { claims, flows } from "../../flows.ts"
import { folder } from "../../folder.ts"
import { command, outcome, shell } from "../../process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const here = folder()
const config = join(here, "federate.yaml")
writeFileSync(config, flows)

const sandbox = cloud({ directory: here })
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))

const call = (lines: ReadonlyArray<string>, ...args: ReadonlyArray<string>) =>
  federate(["credential", "git", "graph", "--host", "dev.azure.com", ...args], {
    stdin: lines.map((line) => `${line}\n`).join("")
  })

const silence = { code: 0, stdout: "", stderr: "" }

/** What git is answered, by name. */
const answer = Effect.fnUntraced(function* (
  lines: ReadonlyArray<string>,
  ...args: ReadonlyArray<string>
) {
  const { code, stderr, stdout } = yield* call(lines, ...args, "get")
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
  return Object.fromEntries<string>(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => {
        const at = line.indexOf("=")
        return [line.slice(0, at), line.slice(at + 1)]
      })
  )
})

const devops = ["protocol=https", "host=dev.azure.com", ""]

describe("federate credential git", () => {
  it.live("gives a token as a password, and when it ends", () =>
    Effect.gen(function* () {
      const { password = "", password_expiry_utc, ...rest } = yield* answer(devops)
      assert.deepEqual(rest, { username: "oauth2" })
      assert.strictEqual(claims(password)["aud"], "https://graph.microsoft.com")
      assert.approximately(Number(password_expiry_utc), Date.now() / 1000 + 3599, 60)
    })
  )

  it.live("gives it as a bearer token to a git that can take one", () =>
    Effect.gen(function* () {
      const lines = ["capability[]=authtype", "capability[]=state", ...devops]
      const { credential = "", password_expiry_utc: _, ...rest } = yield* answer(lines)
      assert.deepEqual(rest, { "capability[]": "authtype", authtype: "Bearer", ephemeral: "1" })
      assert.strictEqual(claims(credential)["aud"], "https://graph.microsoft.com")
    })
  )

  it.live("gives it for the user that git asks for, or that it is told", () =>
    Effect.gen(function* () {
      const lines = ["username=ada=lovelace", ...devops]
      assert.strictEqual((yield* answer(lines))["username"], "ada=lovelace")
      const told = yield* answer(lines, "--username", "x-access-token")
      assert.strictEqual(told["username"], "x-access-token")
    })
  )

  it.live.each(["dev.azure.com", "DEV.Azure.com", "a.visualstudio.com", "a.b.visualstudio.com"])(
    "gives it to a host that is named: %s",
    (host) =>
      Effect.gen(function* () {
        const lines = ["protocol=https", `host=${host}`]
        assert.property(yield* answer(lines, "--host", "*.visualstudio.com"), "password")
      })
  )

  it.live.each([
    { lines: ["protocol=https", "host=evil.example"] },
    { lines: ["protocol=https", "host=dev.azure.com.evil.example"] },
    { lines: ["protocol=https", "host=xdev.azure.com"] },
    { lines: ["protocol=https", "host=visualstudio.com"] },
    { lines: ["protocol=https", "host=evil.example/.visualstudio.com"] },
    { lines: ["protocol=https", "host=evil.example?.visualstudio.com"] },
    { lines: ["protocol=https", "host=dev.azure.com:8443"] },
    { lines: ["protocol=http", "host=dev.azure.com"] },
    { lines: ["host=dev.azure.com"] },
    { lines: ["protocol=https"] },
    { lines: ["protocol=https", "", "host=dev.azure.com"] },
    { lines: ["nonsense"] },
    { lines: [] }
  ])("says nothing to anyone else, and asks nobody: $lines", ({ lines }) =>
    Effect.gen(function* () {
      const before = sandbox().count("cognito.*")
      const args = ["--host", "*.visualstudio.com", "get"]
      assert.deepEqual(yield* call(lines, ...args), silence)
      assert.strictEqual(sandbox().count("cognito.*"), before)
    })
  )

  it.effect.each(["store", "erase", "capability"])("does nothing else: %s", (operation) =>
    Effect.gen(function* () {
      assert.deepEqual(yield* call(devops, operation), silence)
    })
  )

  it.effect.each(["*", "*.", "https://dev.azure.com", "dev.*.com", ""])(
    "takes no host that would let in more than it says: %s",
    (host) =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* call(devops, "--host", host, "get")
        assert.deepEqual({ code, stdout }, { code: 2, stdout: "" })
        assert.include(stderr, "--host")
      })
  )

  it.effect("wants a host", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* federate(["credential", "git", "graph", "get"])
      assert.strictEqual(code, 2)
      assert.match(stderr, /^✗ Missing required flag: --host\n/)
    })
  )

  it.live("names the flows that would do, where this one does not", () =>
    Effect.gen(function* () {
      const args = ["credential", "git", "workload", "--host", "dev.azure.com", "get"]
      const { code, stderr } = yield* federate(args, { stdin: devops.join("\n") })
      assert.strictEqual(code, 2)
      assert.strictEqual(
        stderr,
        `✗ The flow "workload" brings assertions; access tokens are needed\n  fix          Flows that do: graph.\n`
      )
    })
  )

  describe("as git's own helper", () => {
    const fill = (host: string) => {
      writeFileSync(
        join(here, ".gitconfig"),
        `[credential]\n\thelper = "!${command.replaceAll('"', '\\"')} credential git graph --host dev.azure.com"\n`
      )
      return outcome(
        shell(`printf 'protocol=https\\nhost=${host}\\n\\n' | git credential fill`, {
          cwd: here,
          env: {
            ...sandbox().env,
            HOME: here,
            FEDERATE_CONFIG: config,
            GIT_CONFIG_NOSYSTEM: "1",
            GIT_TERMINAL_PROMPT: "0"
          }
        })
      )
    }

    it("fills in what it is asked for", async () => {
      const { code, stderr, stdout } = await fill("dev.azure.com")
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
      const [, token = ""] = /^password=(.*)$/m.exec(stdout) ?? []
      assert.include(stdout, "username=oauth2\n")
      assert.strictEqual(claims(token)["aud"], "https://graph.microsoft.com")
    })

    it("leaves other hosts to others", async () => {
      const { code, stderr, stdout } = await fill("evil.example")
      assert.strictEqual(code, 128)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /terminal prompts disabled/)
    })
  })
})
