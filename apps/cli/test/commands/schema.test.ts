import { assert, describe, it } from "@effect/vitest"
import { jsonSchema } from "@federate/config"
import { adapters, sections, sides } from "@federate/server/adapters"
import { Effect } from "effect"
import { federate } from "../command.ts"

describe("federate schema", () => {
  it.effect("prints the config file's JSON Schema, with every adapter and section", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["schema"])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      assert.deepEqual(
        JSON.parse(stdout),
        JSON.parse(JSON.stringify(jsonSchema(adapters, sections, sides)))
      )
      assert.include(stdout, '"cognito"')
      assert.include(stdout, '"entra"')
      assert.include(stdout, '"broker"')
    })
  )
})
