import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exchanger, idTokenExchanger, source } from "@federate/google/adapter"
import { adapterContract, assertionFor, flowContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { afterAll, beforeAll } from "vitest"
import { externalAccountSource } from "@federate/google"
import { audience, impersonated, serviceAccount, stsAnswer } from "./google.ts"

const strictly = { onExcessProperty: "error", errors: "all" } as const

let directory = ""
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "federate-google-"))
})
afterAll(() => rm(directory, { recursive: true }))

const platform = { fetch: async () => stsAnswer() }

const write = (name: string, document: unknown) =>
  Effect.promise(async () => {
    const file = join(directory, name)
    await writeFile(file, typeof document === "string" ? document : JSON.stringify(document))
    return file
  })

const document = {
  type: "external_account",
  audience,
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  credential_source: { file: "/var/run/token" }
}

const idToken = Redacted.value(assertionFor("account", 0, { aud: "https://x" }).token)

adapterContract("Google's exchanger", {
  adapter: exchanger,
  settings: {},
  usual: { audience },
  well: () => stsAnswer()
})

adapterContract("Google's exchanger for ID tokens", {
  adapter: idTokenExchanger,
  settings: { audience, serviceAccount },
  request: { audience: "https://x" },
  well: (url) =>
    new URL(url).pathname === "/v1/token" ? stsAnswer() : Response.json({ token: idToken })
})

adapterContract("Google's source", {
  adapter: source,
  settings: { credentialsFile: "/etc/google.json" }
})

const subject = "https://issuer.example/token"

flowContract("An assertion at a URL, for Google as a service account", {
  make: (fetch) =>
    Effect.all({
      source: externalAccountSource({
        options: { audience },
        credentialSource: { url: subject },
        fetch
      }),
      exchanger: exchanger.make({ audience, serviceAccount }, { fetch })
    }),
  requests: 3,
  well: (url) =>
    url === subject
      ? new Response(Redacted.value(assertionFor("workload").token), {
          headers: { date: new Date(0).toUTCString() }
        })
      : new URL(url).pathname === "/v1/token"
        ? stsAnswer()
        : impersonated(0)(),
  secrets: ["THE-FEDERATED-TOKEN", "THE-ACCOUNT-TOKEN"]
})

describe("type: google", () => {
  it.effect("is made of its settings, and tells the broker whose tokens it issues", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownEffect(exchanger.config, strictly)
      const scopes = ["openid"]
      const settings = yield* decode({
        audience,
        serviceAccount,
        lifetime: "20 minutes",
        scopes,
        allowedAudience: "mine"
      })
      const { asks } = yield* exchanger.make(settings, platform)
      assert.strictEqual(asks.audience, "mine")
      assert.strictEqual(exchanger.cloud, "google")
      assert.strictEqual(exchanger.client?.(settings), serviceAccount)
      assert.deepStrictEqual(exchanger.scopes?.(settings), scopes)
      const error = yield* Effect.flip(decode({ audiences: [], lifetime: 5 }))
      for (const text of ["audiences", "lifetime"]) assert.include(error.message, text)
    })
  )

  it.effect("is made of a credential configuration file, and of what is written beside it", () =>
    Effect.gen(function* () {
      const credentialsFile = yield* write("good.json", document)
      const fromFile = yield* exchanger.make({ credentialsFile }, platform)
      assert.strictEqual(fromFile.asks.preferredAudience, `https:${audience}`)
      const other = audience.replace("my-pool", "other-pool")
      const beside = yield* exchanger.make({ credentialsFile, audience: other }, platform)
      assert.strictEqual(beside.asks.preferredAudience, `https:${other}`)
    })
  )

  it.effect("says so when it has neither, or a file that is none", () =>
    Effect.gen(function* () {
      const foreign = yield* write("foreign.json", {
        ...document,
        token_url: "https://sts.evil.example/v1/token"
      })
      for (const [settings, text] of [
        [{}, /audience: is absent.*credentialsFile/],
        [{ credentialsFile: join(directory, "absent") }, /absent cannot be read/],
        [{ credentialsFile: yield* write("text.json", "nonsense") }, /is no JSON object/],
        [{ credentialsFile: foreign }, /is not at Google/]
      ] as const) {
        const error = yield* Effect.flip(exchanger.make(settings, platform))
        assert.strictEqual(error.stage, "configuration")
        assert.match(error.message, text)
      }
      yield* exchanger.make({ credentialsFile: foreign, foreignHosts: true }, platform)
    })
  )
})

describe("type: google-id-token", () => {
  it.effect("is made of its settings, and is of no cloud", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownEffect(idTokenExchanger.config, strictly)
      const settings = yield* decode({ audience, serviceAccount, idTokenAudience: "https://x" })
      yield* idTokenExchanger.make(settings, platform)
      assert.strictEqual(idTokenExchanger.issues, "Assertion")
      assert.notProperty(idTokenExchanger, "cloud")
      const error = yield* Effect.flip(decode({ audience, scopes: [] }))
      for (const text of ["serviceAccount", "scopes"]) assert.include(error.message, text)
    })
  )
})

describe("type: google-external-account", () => {
  it.effect("runs no program unless the environment, too, lets it", () =>
    Effect.gen(function* () {
      const credentialsFile = yield* write("program.json", {
        ...document,
        credential_source: { executable: { command: "/bin/true" } }
      })
      const settings = { credentialsFile, allowExecutables: true }
      const { message, stage } = yield* Effect.flip(source.make(settings, platform))
      assert.strictEqual(stage, "configuration")
      assert.match(message, /allowExecutables: is a program.*FEDERATE_ALLOW_EXECUTABLES=1/)
      const environment = (name: string) =>
        name === "FEDERATE_ALLOW_EXECUTABLES" ? "1" : undefined
      yield* source.make(settings, { ...platform, environment })
      yield* Effect.flip(source.make({ credentialsFile }, { ...platform, environment }))
    })
  )

  it.live("is the source that a credential configuration file names", () =>
    Effect.gen(function* () {
      const credentialsFile = yield* write("source.json", document)
      const settings = yield* Schema.decodeUnknownEffect(
        source.config,
        strictly
      )({ credentialsFile })
      const made = yield* source.make(settings, platform)
      const { reason } = yield* Effect.flip(made.assertion({}))
      assert.strictEqual(reason._tag, "Unavailable")
    })
  )
})
