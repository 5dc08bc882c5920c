import { assert, describe, it } from "@effect/vitest"
import { Transient } from "@federate/core"
import { Effect } from "effect"
import { assertions, hearing, tokens } from "./serving.ts"

const identity = (audience: string) =>
  `/computeMetadata/v1/instance/service-accounts/default/identity?audience=${encodeURIComponent(audience)}`
const google = { headers: { "Metadata-Flavor": "Google" } }

/** The lines of a metric, of one flow or one protocol. */
const lines = (text: string, name: string, about: string) =>
  text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(`="${about}"`))

describe("/metrics", () => {
  it.effect("counts answers by protocol and status, each once", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("counted", { cloud: "google" })
      const { ask } = yield* hearing([served])
      const token = "/computeMetadata/v1/instance/service-accounts/default/token"
      const counted = Effect.map(ask("/metrics"), ({ headers, status, text }) => {
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        const of = (code: number) =>
          Number(
            lines(text, "federate_broker_requests", "gce-token")
              .find((line) => line.includes(`status="${code}"`))
              ?.replace(/.* /, "") ?? 0
          )
        return { text, given: of(200), forbidden: of(403), late: of(503) }
      })
      const before = yield* counted
      for (let count = 0; count < 3; count++) yield* ask(token, google)
      yield* ask(token)
      upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      yield* ask(`${token}?scopes=other`, google)
      yield* counted
      const after = yield* counted
      assert.deepEqual(
        [after.given - before.given, after.forbidden - before.forbidden, after.late - before.late],
        [3, 1, 1]
      )
      const flow = (name: string) =>
        lines(after.text, name, "counted").map((line) => line.replace(/.* /, ""))
      assert.deepEqual(flow("federate_hits"), ["2"])
      assert.deepEqual(flow("federate_flights"), ["1", "1"])
      assert.deepEqual(flow("federate_seconds_to_expiry"), ["3600"])
    })
  )

  it.effect("stays what it is, whatever callers ask for", () =>
    Effect.gen(function* () {
      const { served } = yield* assertions("asked")
      const { ask } = yield* hearing([served])
      const hostile = ['"} 1', "a\\", "{}", '\\"', "é😀", "# HELP x", "x=1,y=2"]
      for (const audience of hostile) {
        assert.strictEqual((yield* ask(identity(audience), google)).status, 200)
      }
      const { text } = yield* ask("/metrics")
      for (const line of text.trimEnd().split("\n")) {
        assert.match(
          line,
          /^(?:# (?:HELP|TYPE) \S+ .*|\w+(?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\})? [-+.\deE]+(?:nf)?(?: \d+)?)$/
        )
      }
      assert.lengthOf(lines(text, "federate_seconds_to_expiry", "asked"), hostile.length)
    })
  )
})
