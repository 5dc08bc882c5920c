/** What Vault says that this workload is, by a flow of the config file. */
import { readFile } from "node:fs/promises"
import { decode } from "@federate/config"
import { Assertion } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { Effect, Result } from "effect"
import { vault } from "./adapter.ts"

const file = new URL("../federate.yaml", import.meta.url)

export const identity = Effect.gen(function* () {
  const { flows } = yield* decode(yield* Effect.promise(() => readFile(file, "utf8")), {
    file: "federate.yaml",
    // Elsewhere all that a file may name is listed here, beside the new one.
    adapters: { sources: [vault], exchangers: [] },
    platform: {},
    environment: (name) => process.env[name]
  })
  const flow = yield* flows.get("signed")!.make()
  // A flow without an exchanger hands out its assertion, in the form of an access token.
  const { obtainedAt, token } = (yield* flow.credential()) as AccessToken
  // The source has read it before.
  const { audience, issuer, subject } = Result.getOrThrow(Assertion.fromJwt(token, { obtainedAt }))
  return { issuer, subject, audience }
}).pipe(Effect.scoped)
