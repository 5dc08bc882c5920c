/** The command as it is built, copied alone into an empty folder. */
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { cloud } from "./cloud.ts"
import { allowKeys, claims, flows } from "./flows.ts"
import { folder } from "./folder.ts"
import { outcome, start } from "./process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const here = folder()
const sandbox = cloud({ directory: here })
const config = join(here, "federate.yaml")
writeFileSync(config, flows)

const alone = join(here, "alone")
const file = join(alone, "main.js")
beforeAll(() => {
  const app = fileURLToPath(import.meta.resolve("../"))
  const tsup = fileURLToPath(import.meta.resolve("../../../node_modules/.bin/tsup"))
  const built = join(here, "built")
  execFileSync(tsup, ["--silent", "--out-dir", built], { cwd: app })
  assert.deepEqual(readdirSync(built), ["main.js"])
  mkdirSync(alone)
  copyFileSync(join(built, "main.js"), file)
})

const federate = (...args: ReadonlyArray<string>) =>
  start(file, args, { env: { ...sandbox().env, FEDERATE_CONFIG: config } })

describe("the built file", () => {
  it("gets tokens and keys", async () => {
    await allowKeys(sandbox())
    const token = await outcome(federate("token", "graph"))
    assert.deepInclude(token, { code: 0, stderr: "" })
    assert.strictEqual(claims(token.stdout)["aud"], "https://graph.microsoft.com")
    const keys = await outcome(federate("credential", "aws-process", "keys"))
    assert.strictEqual(JSON.parse(keys.stdout).Version, 1)
  })

  it("runs commands with a broker", async () => {
    const asked = `fetch(process.env.IDENTITY_ENDPOINT + "?api-version=2019-08-01&resource=https://graph.microsoft.com", {
      headers: { "X-IDENTITY-HEADER": process.env.IDENTITY_HEADER }
    }).then(({ status }) => process.exit(status / 10))`
    const ran = await outcome(federate("run", "--", process.execPath, "-e", asked))
    assert.deepEqual(ran, { code: 20, stdout: "", stderr: "" })
  })

  it("serves, and takes --env-file for its own", async () => {
    const envFile = join(here, "clients.env")
    const running = federate("serve", "--listen", "127.0.0.1:0", "--env-file", envFile)
    await once(running.stdout, "readable")
    assert.isTrue(existsSync(envFile))
    running.kill("SIGTERM")
    assert.strictEqual((await outcome(running)).code, 0)
    assert.isFalse(existsSync(envFile))
    assert.deepEqual(readdirSync(alone), ["main.js"])
  })
})
