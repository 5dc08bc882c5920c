/** From nothing to a Graph token, by the very lines that the pages have. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { claims } from "./flows.ts"
import { folder } from "./folder.ts"
import { command, ended, federate, outcome, start, told } from "./process.ts"

const here = folder()

/** A page's lines from the first one of its kind on. */
const lines = (page: string, from: string): string => {
  const text = readFileSync(fileURLToPath(new URL(`../../../${page}`, import.meta.url)), "utf8")
  return `${from}${text.split(from)[1]?.split("```")[0]}`
}

describe("from nothing to a Graph token", () => {
  it.each(["README.md", "docs/trust.md"])("by the lines of %s", async (page) => {
    const dir = join(here, page.replace(/\W/g, "-"))
    const bin = join(dir, "bin")
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, "federate"), `#!/bin/sh\nexec ${command} "$@"\n`)
    chmodSync(join(bin, "federate"), 0o755)
    const running = federate(["sandbox", "--empty"], { cwd: dir })
    try {
      await told(running, "v1.0/applications")
      const script = `set -ea; . .federate/sandbox/env; set +a\n${lines(page, "export FEDERATE_CONFIG")}`
      const { code, stderr, stdout } = await outcome(
        start("/bin/sh", ["-c", script], {
          cwd: dir,
          env: { PATH: `${bin}:${process.env["PATH"]}` }
        })
      )
      assert.strictEqual(code, 0, stderr)
      const { appid, roles } = claims(stdout.trim())
      assert.deepEqual(roles, ["Application.Read.All"])
      assert.include(readFileSync(join(dir, ".env"), "utf8"), `AZURE_CLIENT_ID=${String(appid)}\n`)
    } finally {
      running.kill("SIGINT")
      await ended(running)
    }
  })
})
