/** The pictures of the status page in the documentation: `pnpm screenshots`. */
import { fileURLToPath } from "node:url"
import type { ServedFlow } from "@federate/broker"
import { Rejected } from "@federate/core"
import type { TokenRequest } from "@federate/core"
import { Effect, Random } from "effect"
import { TestClock } from "effect/testing"
import { launch, open } from "./browser.ts"
import { assertions, keys, serving, tokens } from "./serving.ts"

const folder = fileURLToPath(new URL("../../../docs/images/", import.meta.url))

const program = Effect.gen(function* () {
  yield* TestClock.setTime(Date.parse("2026-03-04T09:00:00Z"))
  const entra = { cloud: "azure", source: "cognito", exchanger: "entra" } as const
  const graph = yield* tokens("graph", entra)
  const storage = yield* tokens("storage", {
    cloud: "google",
    source: "cognito",
    exchanger: "google"
  })
  const management = yield* tokens("management", entra)
  const bucket = yield* keys("bucket", { life: 43_200_000 })
  const identity = yield* assertions("identity", { life: 86_400_000 })
  const { origin } = yield* serving([
    graph.served,
    storage.served,
    management.served,
    { ...bucket.served, source: "cognito", exchanger: "cognito-credentials" },
    { ...identity.served, source: "cognito" }
  ])
  const asked = (times: number, { flow }: ServedFlow, request: TokenRequest.TokenRequest) =>
    Effect.forEach(
      Array.from({ length: times }),
      () => Effect.exit<unknown, unknown, never>(flow.credential(request)),
      {
        discard: true
      }
    )

  yield* asked(58, identity.served, { audience: "https://vault.internal" })
  yield* TestClock.adjust("3 hours")
  yield* asked(311, bucket.served, {})
  yield* TestClock.adjust("2 hours")
  const forStorage = { scopes: ["https://www.googleapis.com/auth/devstorage.read_only"] }
  yield* asked(87, storage.served, forStorage)
  yield* TestClock.adjust("29 minutes")
  yield* asked(1204, graph.served, { scopes: ["https://graph.microsoft.com/.default"] })
  yield* TestClock.adjust("22 minutes")
  storage.upstream.before = Effect.never
  yield* asked(1, storage.served, forStorage)
  management.upstream.before = Effect.fail(
    new Rejected({
      code: "AADSTS700213",
      status: 401,
      description:
        "No matching federated identity record found for presented assertion subject 'us-east-1:1f6d1c8e-55a1-4c21-9d7c-2f3d3f3f3a10'.",
      hint: 'Set the subject of the federated credential to "us-east-1:1f6d1c8e-55a1-4c21-9d7c-2f3d3f3f3a10", to the letter.',
      remedy: "none"
    })
  )
  yield* asked(1, management.served, { scopes: ["https://management.azure.com/.default"] })
  const browser = yield* launch
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = yield* open(browser, origin, {
      colorScheme,
      reducedMotion: "reduce",
      viewport: { width: 880, height: 900 }
    })
    yield* Effect.promise(() => page.getByText("Live").waitFor())
    yield* Effect.promise(() =>
      page.screenshot({ path: `${folder}status-${colorScheme}.png`, fullPage: true })
    )
  }
})

await program.pipe(
  Effect.scoped,
  // The same picture each time.
  Random.withSeed("status"),
  Effect.provide(TestClock.layer()),
  Effect.runPromise
)
