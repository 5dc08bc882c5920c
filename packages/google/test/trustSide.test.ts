import { apply, givenAssertion } from "@federate/trust"
import type { Fetch } from "@federate/http"
import { exchangerSides } from "@federate/google/trust"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"

const pools = "/v1/projects/123456/locations/global/workloadIdentityPools"
const operation = { name: `${pools}/federate-flow/operations/1`.slice("/v1/".length), done: true }

/** Time goes by, and answers come in meanwhile. */
const passing = Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
  Effect.andThen(TestClock.adjust("250 millis")),
  Effect.forever
)

/** The parts of Google's side, which asks through this `fetch`. */
const partsOf = (
  config: Parameters<Side["parts"]>[0],
  names: Parameters<Side["parts"]>[1],
  fetch: Fetch
) =>
  exchangerSides[0]!.parts(config, names, {
    flow: "flow",
    token: () => Effect.succeed(Redacted.make("THE-TOKEN")),
    assertion: () => givenAssertion("flow", { iss: "https://issuer.example", sub: "s", aud: "a" }),
    platform: { environment: () => undefined, fetch }
  })
type Side = (typeof exchangerSides)[number]

/** What Google answers when a pool is made: its operation's states, one after another, and the last one from then on. */
const making = Effect.fnUntraced(function* (
  ...states: readonly [object, ...ReadonlyArray<object>]
) {
  const calls: Array<string> = []
  let polls = 0
  const parts = yield* partsOf({}, { project: "123456" }, async (url, { method = "GET" }) => {
    const { pathname } = new URL(url)
    calls.push(`${method} ${pathname}`)
    if (pathname === "/v1/projects/123456") {
      return Response.json({ projectId: "my-project", projectNumber: "123456" })
    }
    if (method === "POST") return Response.json({ ...operation, done: false })
    if (pathname === `/v1/${operation.name}`) {
      return Response.json({ ...operation, ...states[Math.min(polls++, states.length - 1)] })
    }
    return polls < states.length
      ? Response.json({ error: { code: 404, status: "NOT_FOUND" } }, { status: 404 })
      : Response.json({ state: "ACTIVE", description: "federate:flow" })
  })
  const outcome = yield* Effect.raceFirst(
    apply(parts.slice(0, 2), {}, () => Effect.void),
    passing
  )
  return { calls, outcome }
})

const account = "deploy@my-project.iam.gserviceaccount.com"

/** A role on the project for a service account, which Google has not heard of at first, so many times. */
const granting = Effect.fnUntraced(function* (refusals: number, message: string) {
  const calls: Array<string> = []
  let written: unknown
  let left = refusals
  const parts = yield* partsOf(
    { serviceAccount: account },
    { project: "123456", roles: ["roles/viewer"] },
    async (url, { body, method = "GET" }) => {
      const { pathname } = new URL(url)
      calls.push(`${method} ${pathname}`)
      if (pathname.endsWith(":getIamPolicy")) return Response.json(written ?? { bindings: [] })
      if (pathname.endsWith(":setIamPolicy")) {
        if (left-- > 0) {
          const error = { code: 400, status: "INVALID_ARGUMENT", message }
          return Response.json({ error }, { status: 400 })
        }
        written = JSON.parse(String(body)).policy
        return Response.json(written)
      }
      return Response.json({ projectId: "my-project", projectNumber: "123456" })
    }
  )
  const outcome = yield* Effect.raceFirst(
    apply([parts[0]!, parts.at(-1)!], {}, () => Effect.void),
    passing
  )
  return { calls, outcome, written }
})

describe("what takes Google its time", () => {
  it.effect("is a new service account, which a policy may name only when it has spread", () =>
    Effect.gen(function* () {
      const { outcome, written } = yield* granting(2, `Service account ${account} does not exist.`)
      assert.isTrue(Result.isSuccess(outcome))
      assert.deepEqual(written, {
        bindings: [{ role: "roles/viewer", members: [`serviceAccount:${account}`] }]
      })
    })
  )

  it.effect("is not waited for when the role is what is wrong", () =>
    Effect.gen(function* () {
      const { calls, outcome } = yield* granting(9, "Role roles/viewer is not supported.")
      assert.isTrue(Result.isFailure(outcome))
      assert.strictEqual(calls.filter((call) => call.endsWith(":setIamPolicy")).length, 1)
    })
  )

  it.effect("is asked for until it is done, and written once", () =>
    Effect.gen(function* () {
      const { calls, outcome } = yield* making({ done: false }, { done: false }, {})
      assert.isTrue(Result.isSuccess(outcome))
      assert.strictEqual(calls.filter((call) => call === `GET /v1/${operation.name}`).length, 3)
      assert.deepEqual(
        calls.filter((call) => call.startsWith("POST")),
        [`POST ${pools}`]
      )
    })
  )

  it.effect("tells why it came to nothing, when trying again does not help", () =>
    Effect.gen(function* () {
      const error = { code: 13, message: "no room" }
      const { outcome } = yield* making({ error }, ...Array.from({ length: 99 }, () => ({ error })))
      const { message } = Result.isFailure(outcome) ? outcome.failure.error : { message: "" }
      assert.match(message, /operation came to nothing: no room/)
    })
  )
})
