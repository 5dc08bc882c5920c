import { assert, describe, it } from "@effect/vitest"
import { jsonSchema } from "@federate/config"
import { Effect } from "effect"
import { adapters } from "../../src/adapters.ts"
import { federate } from "../command.ts"

describe("federate schema", () => {
  it.effect("prints the config file's JSON Schema, with every adapter", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["schema"])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(jsonSchema(adapters))))
      assert.include(stdout, '"cognito"')
      assert.include(stdout, '"entra"')
    })
  )
})
