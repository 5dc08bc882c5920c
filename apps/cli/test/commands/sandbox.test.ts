import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const here = folder()

describe("federate sandbox", () => {
  it.live("says that its port is taken", () =>
    Effect.gen(function* () {
      const server = createServer()
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      const port = yield* Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address ? address.port : 0))
        })
      })
      const { code, stderr, stdout } = yield* federate(["sandbox", `--port=${port}`, "--dir", here])
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.strictEqual(
        stderr,
        `✗ Cannot listen on 127.0.0.1, port ${port}: it is taken\n  fix          Choose another --port or --dir.\n`
      )
    })
  )

  it.live("says that it cannot write there", () =>
    Effect.gen(function* () {
      const file = join(here, "file")
      writeFileSync(file, "")
      const { code, stderr } = yield* federate(["sandbox", "--dir", file])
      assert.strictEqual(code, 2)
      assert.include(stderr, `into ${file}`)
    })
  )
})
