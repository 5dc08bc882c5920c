import { apply, givenAssertion } from "@federate/trust"
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

/** What Google answers when a pool is made: its operation's states, one after another, and the last one from then on. */
const making = Effect.fnUntraced(function* (
  ...states: readonly [object, ...ReadonlyArray<object>]
) {
  const calls: Array<string> = []
  let polls = 0
  const parts = yield* exchangerSides[0]!.parts(
    {},
    { project: "123456" },
    {
      flow: "flow",
      token: () => Effect.succeed(Redacted.make("THE-TOKEN")),
      assertion: () =>
        givenAssertion("flow", { iss: "https://issuer.example", sub: "s", aud: "a" }),
      platform: {
        environment: () => undefined,
        fetch: async (url, { method = "GET" }) => {
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
        }
      }
    }
  )
  const outcome = yield* Effect.raceFirst(
    apply(parts.slice(0, 2), {}, () => Effect.void),
    passing
  )
  return { calls, outcome }
})

describe("what takes Google its time", () => {
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
