import { once } from "node:events"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { configFile, placeholders } from "../../src/template.ts"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"
import { federate as start, outcome } from "../process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000 })

const here = folder()
const sandbox = cloud({ directory: here })
const config = join(here, "federate.yaml")
writeFileSync(config, configFile(placeholders))

describe("federate serve", () => {
  it("serves until it is stopped, which is how it ends", async () => {
    const envFile = join(here, "broker.env")
    const args = ["serve", "-c", config, "--listen", "127.0.0.1:0", "--env-file", envFile]
    const running = start(args, { env: sandbox().env })
    // The first line of its log: it is ready.
    await once(running.stdout, "readable")
    assert.isTrue(existsSync(envFile))
    running.kill("SIGTERM")
    const { code, stderr, stdout } = await outcome(running)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
    const messages = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { readonly message: string }).message)
    assert.deepEqual(messages, ["ready", "stopping", "stopped"])
    assert.isFalse(existsSync(envFile))
  })

  it.live("says what cannot be, as the other commands do", () =>
    Effect.gen(function* () {
      const place = yield* federate(["serve", "-c", config, "--listen", "nowhere"])
      assert.strictEqual(place.code, 2)
      assert.match(place.stderr, /^✗ --listen is no address\n {2}fix +Write HOST:PORT/)
      const beyond = yield* federate(["serve", "-c", config, "--listen", "0.0.0.0:0"])
      assert.strictEqual(beyond.code, 2)
      assert.match(beyond.stderr, /^✗ broker is set up wrong.*\n {2}setting +listen\n/)
    })
  )
})
