import { buildkite } from "@federate/ambient"
import type { BuildkiteOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const secret = "THE-AGENT-S-TOKEN"
const iss = "https://agent.buildkite.com"
const jwt = Redacted.value(assertionFor("organization:o:pipeline:p", 0, { iss }).token)

const job: Readonly<Record<string, string>> = {
  BUILDKITE_JOB_ID: "0184990a-477b-4fa8-9968-496074483cee",
  BUILDKITE_AGENT_ACCESS_TOKEN: secret
}

const make = (options: BuildkiteOptions = {}) =>
  buildkite({ environment: (name) => job[name], ...options })

const well = (token: string) => Response.json({ token })

assertionSourceContract("Buildkite", {
  make: (fetch) => make({ fetch }),
  well,
  assertion: jwt,
  life: 900,
  secrets: [secret],
  refused: [
    {
      name: "a job that is over",
      answer: () => Response.json({ message: "Job is not running" }, { status: 403 }),
      becomes: "Rejected",
      code: "HTTP 403",
      hint: /while the job runs/
    },
    {
      name: "a claim that is not known",
      answer: () => Response.json({ message: "Unknown claim" }, { status: 422 }),
      becomes: "Rejected",
      code: "HTTP 422",
      hint: /`subjectClaim`/
    }
  ]
})

describe("Buildkite", () => {
  const asked = (options: BuildkiteOptions, request = {}) =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      const fetch: Fetch = async (url, { body, headers }) => {
        sent.push(url, new Headers(headers).get("authorization"), JSON.parse(String(body)))
        return well(jwt)
      }
      const source = yield* make({ ...options, fetch })
      yield* source.assertion(request)
      return sent
    })

  it.effect("is asked as its agent would ask", () =>
    Effect.gen(function* () {
      const path = "jobs/0184990a-477b-4fa8-9968-496074483cee/oidc/tokens"
      assert.deepStrictEqual(yield* asked({}), [
        `https://agent.buildkite.com/v3/${path}`,
        `Token ${secret}`,
        {}
      ])
      const environment = (name: string) =>
        name === "BUILDKITE_AGENT_ENDPOINT" ? "https://agent-edge.buildkite.com/v3/" : job[name]
      const options = {
        environment,
        audience: "party",
        lifetime: "10 minutes",
        subjectClaim: "pipeline_id",
        claims: ["organization_id"]
      } as const
      assert.deepStrictEqual(yield* asked(options, { preferredAudience: "other" }), [
        `https://agent-edge.buildkite.com/v3/${path}`,
        `Token ${secret}`,
        {
          audience: "party",
          lifetime: 600,
          subject_claim: "pipeline_id",
          claims: ["organization_id"]
        }
      ])
    })
  )

  it.effect("is Unavailable outside of a job", () =>
    Effect.gen(function* () {
      for (const absent of Object.keys(job)) {
        const source = yield* make({
          environment: (name) => (name === absent ? undefined : job[name])
        })
        const { message, reason } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(reason._tag, "Unavailable")
        assert.match(message, /`propagate-environment: true`/)
      }
    })
  )

  it.effect("says before any call what cannot work", () =>
    Effect.gen(function* () {
      const elsewhere = (name: string) =>
        name === "BUILDKITE_AGENT_ENDPOINT" ? "http://agent.example/v3" : job[name]
      for (const [options, text] of [
        [{ lifetime: "1500 millis" }, /lifetime: is 1.5 s/],
        [{ lifetime: 0 }, /lifetime: is 0 s/],
        [{ environment: elsewhere }, /BUILDKITE_AGENT_ENDPOINT: is http/]
      ] as const) {
        const { message, stage } = yield* Effect.flip(make(options))
        assert.strictEqual(stage, "configuration")
        assert.match(message, text)
      }
    })
  )
})
