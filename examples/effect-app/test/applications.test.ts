import { assert, it } from "@effect/vitest"
import { Fault, Sandbox } from "@federate/sandbox"
import { ConfigProvider, Effect, Layer, Logger } from "effect"
import { FetchHttpClient } from "effect/http"
import { vi } from "vitest"
import { listApplications } from "../src/applications.ts"
import { GraphFlow } from "../src/GraphFlow.ts"

/** A sandbox that this process trusts, and whose AWS it finds. */
const start = Effect.gen(function* () {
  const sandbox = yield* Sandbox.make()
  yield* Effect.acquireRelease(Effect.sync(sandbox.trust), (distrust) => Effect.sync(distrust))
  yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
  // The AWS SDK reads these for itself. Whoever runs the tests may be signed in to the real AWS.
  const own = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined }
  for (const [name, value] of Object.entries({ ...own, ...sandbox.env })) vi.stubEnv(name, value)
  return sandbox
})

/** The program with its own services and these settings, and what it logs. */
const run = Effect.fnUntraced(function* (env: Record<string, string>) {
  const logs: Array<ReturnType<typeof Logger.formatStructured.log>> = []
  const logger = Logger.map(Logger.formatStructured, (entry) => void logs.push(entry))
  const services = Layer.mergeAll(GraphFlow.layer, FetchHttpClient.layer).pipe(
    Layer.provideMerge(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Layer.provideMerge(Logger.layer([logger]))
  )
  return { applications: yield* Effect.provide(listApplications, services), logs }
})

it.live("lists applications", () =>
  Effect.gen(function* () {
    const { entra, env } = yield* start
    const { applications, logs } = yield* run(env)
    assert.deepStrictEqual(applications, [
      { appId: entra.clientId ?? "", displayName: "federate-first-journey" }
    ])
    assert.deepStrictEqual(
      logs.map(({ message }) => message),
      ["Listed the tenant's applications"]
    )
  })
)

it.live("succeeds although Entra was busy, and tells of it", () =>
  Effect.gen(function* () {
    const sandbox = yield* start
    sandbox.fault("entra.token", Fault.throttled(1), { first: 1 })
    const { applications, logs } = yield* run(sandbox.env)
    assert.lengthOf(applications, 1)
    assert.strictEqual(sandbox.count("entra.token"), 2)
    const [{ annotations, message } = assert.fail("nothing was told")] = logs
    assert.strictEqual(message, "Trying again")
    assert.deepInclude(annotations, { attempt: 1, adapter: "entra" })
  })
)

it.live("asks for one fresh token when Graph refuses the first", () =>
  Effect.gen(function* () {
    const sandbox = yield* start
    sandbox.fault("graph.applications", Fault.status(401), { first: 1 })
    assert.lengthOf((yield* run(sandbox.env)).applications, 1)
    assert.strictEqual(sandbox.count("entra.token"), 2)
  })
)

it.live("goes on without the list when Entra says no, and tells what to do", () =>
  Effect.gen(function* () {
    const sandbox = yield* start
    const stranger = "00000000-0000-0000-0000-000000000001"
    const { applications, logs } = yield* run({ ...sandbox.env, AZURE_CLIENT_ID: stranger })
    assert.lengthOf(applications, 0)
    assert.strictEqual(sandbox.count("entra.token"), 1)
    const [{ annotations, level } = assert.fail("nothing was told")] = logs
    assert.strictEqual(level, "ERROR")
    assert.strictEqual(annotations["code"], "AADSTS700016")
    assert.include(annotations["hint"], `There is no app "${stranger}"`)
    assert.hasAnyKeys(annotations["reference"], ["traceId"])
  })
)
