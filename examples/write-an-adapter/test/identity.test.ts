import { assert, it } from "@effect/vitest"
import { Sandbox } from "@federate/sandbox"
import { Effect } from "effect"
import { vi } from "vitest"
import { identity } from "../src/identity.ts"
import { standIn } from "../src/standIn.ts"

/** A stand-in, and what the config file finds of it in the environment. */
const start = Effect.gen(function* () {
  const sandbox = yield* Sandbox.make()
  const vault = yield* Effect.acquireRelease(
    Effect.promise(() => standIn(sandbox, "the-vault-token")),
    (started) => Effect.promise(() => started[Symbol.asyncDispose]())
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
  vi.stubEnv("VAULT_ADDR", vault.address)
  vi.stubEnv("VAULT_TOKEN", "the-vault-token")
  return sandbox
})

it.live("is what Vault signs", () =>
  Effect.gen(function* () {
    const sandbox = yield* start
    assert.deepStrictEqual(yield* identity, {
      issuer: sandbox.issuerUrl("vault"),
      subject: "0b6a3c5e-5b0e-4c3f-9a4e-2f4e0c6a0001",
      audience: ["the-role-s-client-id"]
    })
  })
)

it.live("is refused to who may not, with what to do", () =>
  Effect.gen(function* () {
    yield* start
    vi.stubEnv("VAULT_TOKEN", "another")
    const error = yield* Effect.flip(identity)
    assert.include(error.message, "vault: 403: permission denied. The Vault token has ended")
  })
)
