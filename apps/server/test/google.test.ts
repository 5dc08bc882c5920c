/** A config file's flow to Google, by a credential configuration file of Google's, handed out as a metadata server does. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Server from "../src/Server.ts"
import { ask } from "./client.ts"
import { cloud } from "./cloud.ts"
import { google } from "./google.ts"

const { config, folder, sandbox } = cloud({ setup: "empty" })

describe("a flow to Google", () => {
  it.live("is served on the metadata server's paths, under the service account's name", () =>
    Effect.gen(function* () {
      const { email, flow } = yield* Effect.promise(() => google("google", sandbox(), folder))
      const { origin } = yield* Server.make(
        { config: config(`flows:${flow}`), listen: { host: "127.0.0.1", port: 0 } },
        { handed: () => {}, refused: () => {} }
      )
      const account = (path: string) =>
        Effect.promise(() =>
          ask(origin, `/computeMetadata/v1/instance/service-accounts/default/${path}`, {
            "metadata-flavor": "Google"
          })
        )
      assert.deepInclude(yield* account("email"), { status: 200, body: email })
      const { body, status } = yield* account("token")
      assert.strictEqual(status, 200, body)
      const token = JSON.parse(body)
      assert.match(token.access_token, /^ya29\./)
      assert.approximately(token.expires_in, 1200, 3)
      assert.strictEqual(sandbox().count("google.generateAccessToken"), 1)
    })
  )
})
