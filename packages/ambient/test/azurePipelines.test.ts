import { azurePipelines } from "@federate/ambient"
import type { AzurePipelinesOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const secret = "THE-JOB-S-ACCESS-TOKEN"
const exchange = "api://AzureADTokenExchange"
const id = "0f0e0d0c-0b0a-4908-8706-050403020100"
const jwt = Redacted.value(
  assertionFor(`/eid1/c/pub/t/x/a/y/sc/z/${id}`, 0, { aud: exchange }).token
)

const job: Readonly<Record<string, string>> = {
  SYSTEM_OIDCREQUESTURI: "https://dev.azure.com/org/project/_apis/distributedtask/oidctoken",
  SYSTEM_ACCESSTOKEN: secret
}

const make = (options: AzurePipelinesOptions = {}) =>
  azurePipelines({ serviceConnectionId: id, environment: (name) => job[name], ...options })

const well = (oidcToken: string) => Response.json({ oidcToken })

assertionSourceContract("Azure Pipelines", {
  make: (fetch) => make({ fetch }),
  well,
  assertion: jwt,
  life: 900,
  secrets: [secret],
  refused: [
    {
      name: "an access token that is none",
      answer: () => new Response("", { status: 401 }),
      becomes: "Rejected",
      code: "HTTP 401",
      hint: /\$\(System\.AccessToken\)/
    },
    {
      name: "a service connection that is not there",
      answer: () =>
        Response.json({ message: "No service connection found with identifier" }, { status: 404 }),
      becomes: "Rejected",
      code: "HTTP 404",
      hint: /`serviceConnectionId`/
    }
  ]
})

describe("Azure Pipelines", () => {
  const asked = (options: AzurePipelinesOptions) =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const fetch: Fetch = async (url, { headers, method }) => {
        sent.push(`${method} ${url} ${new Headers(headers).get("x-tfs-fedauthredirect")}`)
        return well(jwt)
      }
      const source = yield* make({ ...options, fetch })
      yield* source.assertion({ audience: exchange })
      return sent.join()
    })

  it.effect("is asked about the connection that is named, or that the task has", () =>
    Effect.gen(function* () {
      const sent = `POST ${job["SYSTEM_OIDCREQUESTURI"]}?api-version=7.1&serviceConnectionId=${id} Suppress`
      assert.strictEqual(yield* asked({}), sent)
      const environment = (name: string) =>
        name === "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID" ? id : job[name]
      assert.strictEqual(yield* asked({ serviceConnectionId: undefined, environment }), sent)
    })
  )

  it.effect("is Unavailable outside of a pipeline, or where the step lacks the access token", () =>
    Effect.gen(function* () {
      for (const [absent, hint] of [
        ["SYSTEM_OIDCREQUESTURI", /Run in a job of Azure Pipelines/],
        ["SYSTEM_ACCESSTOKEN", /`env: \{ SYSTEM_ACCESSTOKEN: \$\(System\.AccessToken\) \}`/]
      ] as const) {
        const environment = (name: string) => (name === absent ? undefined : job[name])
        const source = yield* make({ environment })
        const { message, reason } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(reason._tag, "Unavailable")
        assert.match(message, hint)
      }
      // Of the connection nothing is known there either, and nothing is missed.
      yield* azurePipelines({ environment: () => undefined })
    })
  )

  it.effect("names what Microsoft's support asks for", () =>
    Effect.gen(function* () {
      const headers = { "x-vss-e2eid": "the-e2e-id", "x-msedge-ref": "the-edge" }
      const source = yield* make({
        fetch: async () => Response.json({ message: "It may not" }, { status: 403, headers })
      })
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.deepInclude(reason, {
        description: "It may not",
        reference: { correlationId: "the-e2e-id", traceId: "the-edge" }
      })
    })
  )

  it.effect("makes tokens for Entra alone", () =>
    Effect.gen(function* () {
      const source = yield* make({ fetch: async () => well(jwt) })
      const { message } = yield* Effect.flip(source.assertion({ audience: "sts.amazonaws.com" }))
      assert.match(message, /for "api:\/\/AzureADTokenExchange".*for Entra alone/)
    })
  )

  it.effect("must be told the connection's id, not its name", () =>
    Effect.gen(function* () {
      for (const [options, text] of [
        [{ serviceConnectionId: "my-connection" }, /serviceConnectionId: is no id/],
        [{ serviceConnectionId: undefined }, /serviceConnectionId: is absent/]
      ] as const) {
        const { message, stage } = yield* Effect.flip(make(options))
        assert.strictEqual(stage, "configuration")
        assert.match(message, text)
      }
    })
  )
})
