import { AssertionSource } from "@federate/core"
import { googleMetadata } from "@federate/ambient"
import type { GoogleMetadataOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"

const issuer = "https://accounts.google.com"
const jwt = Redacted.value(assertionFor("114063190182737465512", 0, { iss: issuer }).token)
const google = { "metadata-flavor": "Google", date: new Date(0).toUTCString() }

const make = (fetch: Fetch, options: GoogleMetadataOptions = {}) =>
  googleMetadata({ audience: "party", environment: () => undefined, fetch, ...options })

const saying = (status: number, text: string) => () =>
  new Response(text, { status, headers: { ...google, "content-type": "text/html" } })

const contract = {
  well: (assertion: string) => new Response(`${assertion}\n`, { headers: google }),
  assertion: jwt,
  life: 900,
  secrets: []
}

assertionSourceContract("Google's metadata server, where somebody said that it is", {
  ...contract,
  make: (fetch) => make(fetch, { host: "127.0.0.1:8080" }),
  refused: [
    {
      name: "an account that is not attached",
      answer: saying(404, "<p>Not found</p>"),
      becomes: "Rejected",
      code: "HTTP 404",
      hint: /Attach the service account/
    },
    {
      name: "an account that may not sign",
      answer: () => new Response("Permission denied", { status: 403, headers: google }),
      becomes: "Rejected",
      code: "HTTP 403",
      hint: /workloadIdentityUser/
    },
    {
      name: "no audience",
      answer: saying(400, "non-empty audience parameter required"),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /audience/
    }
  ]
})

assertionSourceContract("Google's metadata server, where it must be found", {
  ...contract,
  make,
  refused: [],
  absent: [
    "a refused connection",
    "a reset connection",
    "a name that is not known",
    "a body that is cut off",
    "a page",
    "a redirect",
    "a 400 that says nothing",
    "a 403 with a page",
    "a 404 with a page",
    "silence"
  ]
})

describe("Google's metadata server", () => {
  const asking = (options: GoogleMetadataOptions) =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const source = yield* make(async (url, init) => {
        asked.push(`${url} ${new Headers(init.headers).get("metadata-flavor")}`)
        return contract.well(jwt)
      }, options)
      yield* source.assertion({})
      return asked
    })

  it.effect("is looked for at its address, once", () =>
    Effect.gen(function* () {
      const instance = "http://169.254.169.254/computeMetadata/v1/instance"
      const identity = `${instance}/service-accounts/default/identity?audience=party&format=full Google`
      assert.deepStrictEqual(yield* asking({}), [`${instance} Google`, identity])
    })
  )

  it.effect("is asked where the variable or the setting says, for the account that is named", () =>
    Effect.gen(function* () {
      const serviceAccount = "workload@project.iam.gserviceaccount.com"
      const path = "/computeMetadata/v1/instance/service-accounts/"
      const environment = (name: string) =>
        name === "GCE_METADATA_HOST" ? "metadata.google.internal" : undefined
      assert.deepStrictEqual(yield* asking({ environment, serviceAccount }), [
        `http://metadata.google.internal${path}workload@project.iam.gserviceaccount.com/identity?audience=party&format=full Google`
      ])
      assert.deepStrictEqual(yield* asking({ environment, host: "localhost:8080" }), [
        `http://localhost:8080${path}default/identity?audience=party&format=full Google`
      ])
    })
  )

  it.effect("lets the next source try within a second, where there is none", () =>
    Effect.gen(function* () {
      const absent = yield* make(() => new Promise(() => {}))
      const other = AssertionSource.fixed(assertionFor("elsewhere"))
      const fiber = yield* Effect.forkChild(
        AssertionSource.firstAvailable(absent, other).assertion({})
      )
      yield* TestClock.adjust("1 second")
      const { subject } = yield* Fiber.join(fiber)
      assert.strictEqual(subject, "elsewhere")
    })
  )

  it.effect("is never absent again once it has answered", () =>
    Effect.gen(function* () {
      let well = true
      const source = yield* make(async () => {
        if (well) return contract.well(jwt)
        throw new TypeError("fetch failed")
      })
      yield* source.assertion({})
      well = false
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Transient")
    })
  )

  it.effect("is held to say that it is Google's, wherever it is", () =>
    Effect.gen(function* () {
      const source = yield* make(async () => new Response(jwt), { host: "localhost:8080" })
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Malformed")
    })
  )

  it.effect("is asked for accounts, not for whatever else it has", () =>
    Effect.gen(function* () {
      const fetch: Fetch = async () => contract.well(jwt)
      const { message } = yield* Effect.flip(make(fetch, { serviceAccount: "../../attributes" }))
      assert.match(message, /serviceAccount: is no service account's e-mail/)
    })
  )

  it.effect("must be near, or asked over https", () =>
    Effect.gen(function* () {
      const fetch: Fetch = async () => contract.well(jwt)
      const { message, stage } = yield* Effect.flip(make(fetch, { host: "metadata.example" }))
      assert.strictEqual(stage, "configuration")
      assert.match(message, /host: is http to metadata\.example/)
      yield* make(fetch, { host: "https://metadata.example" })
      const { message: named } = yield* Effect.flip(
        make(fetch, { environment: () => "metadata.example" })
      )
      assert.match(named, /GCE_METADATA_HOST: is http/)
    })
  )
})
