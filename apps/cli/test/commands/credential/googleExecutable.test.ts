import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { remoteKeys, verify } from "@federate/oidc"
import { afterAll, assert, beforeAll, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { ExternalAccountClient } from "google-auth-library"
import { cloud } from "../../cloud.ts"
import { federate } from "../../command.ts"
import { claims, flows } from "../../flows.ts"
import { folder } from "../../folder.ts"
import { command } from "../../process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const here = folder()
const config = join(here, "federate.yaml")
writeFileSync(config, flows)

const sandbox = cloud({ directory: here })
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))

const jwt = "urn:ietf:params:oauth:token-type:jwt"
const provider =
  "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/cognito"

const call = (...args: ReadonlyArray<string>) =>
  federate(["credential", "google-executable", ...args])

const answer = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* call(...args)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
  return JSON.parse(stdout)
})

describe("federate credential google-executable", () => {
  it.live("prints an assertion as Google's SDKs read it", () =>
    Effect.gen(function* () {
      const { expiration_time, id_token, ...rest } = yield* answer("workload")
      assert.deepEqual(rest, { version: 1, success: true, token_type: jwt })
      assert.strictEqual(claims(id_token)["aud"], sandbox().env["COGNITO_IDENTITY_POOL_ID"])
      assert.strictEqual(expiration_time, claims(id_token)["exp"])
    })
  )

  it.live("prints an access token, where the flow issues them", () =>
    Effect.gen(function* () {
      vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", provider)
      const { id_token } = yield* answer("graph")
      assert.strictEqual(claims(id_token)["aud"], "https://graph.microsoft.com")
    })
  )

  it.live("names the type that it is asked for", () =>
    Effect.gen(function* () {
      const idToken = "urn:ietf:params:oauth:token-type:id_token"
      vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", idToken)
      assert.strictEqual((yield* answer("workload")).token_type, idToken)
    })
  )

  it.live("takes the audience that the source has, where the provider's is none of it", () =>
    Effect.gen(function* () {
      vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", provider)
      const { id_token } = yield* answer("workload")
      assert.strictEqual(claims(id_token)["aud"], sandbox().env["COGNITO_IDENTITY_POOL_ID"])
    })
  )

  describe("tells a failure in its answer, with status 0, for", () => {
    it.live.each([
      { name: "a demanded audience", args: ["workload", "--audience", "x"], code: "Misconfigured" },
      { name: "AWS credentials", args: ["keys"], code: "UsageError" },
      { name: "a flow that is not there", args: ["grap"], code: "UsageError" },
      { name: "no config file", args: ["graph", "-c", "/nonexistent"], code: "ConfigError" }
    ])("$name", ({ args, code }) =>
      Effect.gen(function* () {
        const { message, ...rest } = yield* answer(...args)
        assert.deepEqual(rest, { version: 1, success: false, code })
        assert.isNotEmpty(message)
      })
    )

    it.live("SAML", () =>
      Effect.gen(function* () {
        vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", "urn:ietf:params:oauth:token-type:saml2")
        const { message, success } = yield* answer("workload")
        assert.isFalse(success)
        assert.include(message, `"subject_token_type": "${jwt}"`)
      })
    )

    it.live("a refusal, by its own code", () =>
      Effect.gen(function* () {
        vi.stubEnv("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555")
        const { code, message, success } = yield* answer("graph")
        assert.deepEqual({ code, success }, { code: "AADSTS90002", success: false })
        assert.include(message, "check the id")
      })
    )
  })

  describe("with an output file", () => {
    const there = join(here, "output")
    mkdirSync(there)
    const file = join(there, "response.json")

    it.live("writes there what it prints, for nobody else's eyes", () =>
      Effect.gen(function* () {
        vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", file)
        writeFileSync(file, "old", { mode: 0o644 })
        const printed = yield* answer("workload")
        assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), printed)
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.deepEqual(readdirSync(there), ["response.json"])
      })
    )

    it.live("leaves it alone when it fails", () =>
      Effect.gen(function* () {
        vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", file)
        writeFileSync(file, "old")
        assert.isFalse((yield* answer("keys")).success)
        assert.strictEqual(readFileSync(file, "utf8"), "old")
      })
    )

    it.live.each([
      ["that cannot be written", join(here, "nowhere", "response.json")],
      ["that is a folder", there]
    ])("%s, says so, and leaves nothing behind", ([, output]) =>
      Effect.gen(function* () {
        vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", output)
        const { message, success } = yield* answer("workload")
        assert.isFalse(success)
        assert.match(message, /^The output_file cannot be written: /)
        assert.isEmpty(readdirSync(here).filter((name) => name.startsWith("output.")))
      })
    )
  })

  describe("as an external account's executable", () => {
    /** The little of Google's Security Token Service that it takes: it trusts one pool's tokens. */
    const trade = Effect.fnUntraced(function* (form: URLSearchParams) {
      const keys = yield* remoteKeys({ issuer: sandbox().issuer })
      const verified = yield* verify(Redacted.make(form.get("subject_token") ?? ""), {
        keys,
        algorithms: ["RS512"],
        issuer: sandbox().issuer,
        audience: sandbox().env["COGNITO_IDENTITY_POOL_ID"] ?? ""
      })
      return JSON.stringify({
        access_token: `for ${String(verified.claims["sub"])}`,
        expires_in: 3599,
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer"
      })
    })
    const service = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request))
      response.setHeader("content-type", "application/json")
      response.end(await Effect.runPromise(trade(form)))
    })
    beforeAll(() => new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve)))
    afterAll(() => service.close())

    const account = (flow: string) => {
      // It listens on a port.
      const { port } = service.address() as AddressInfo
      const client = ExternalAccountClient.fromJSON({
        type: "external_account",
        audience: provider,
        subject_token_type: jwt,
        token_url: `http://127.0.0.1:${port}/v1/token`,
        credential_source: {
          executable: { command: `${command} credential google-executable ${flow}` }
        }
      })
      assert.isNotNull(client)
      return client
    }
    beforeEach(() => vi.stubEnv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"))

    it("gives Google's SDK what it trades for an access token", async () => {
      const { token } = await account("workload").getAccessToken()
      assert.match(token ?? "", /^for us-east-1:[\da-f-]{36}$/)
    })

    it("gives it the reason, when there is none", async () => {
      const error = await account("keys")
        .getAccessToken()
        .then(
          () => undefined,
          (thrown: unknown) => thrown
        )
      assert.instanceOf(error, Error)
      assert.match(error.message, /UsageError.*The flow "keys" brings AWS credentials/)
    })
  })
})
