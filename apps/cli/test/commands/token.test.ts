import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Fault } from "@federate/sandbox"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { configFile, placeholders } from "../../src/template.ts"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const here = folder()
const write = (name: string, text: string): string => {
  const file = join(here, name)
  writeFileSync(file, text)
  return file
}
const config = write("federate.yaml", configFile(placeholders))

const sandbox = cloud()
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", config))
afterEach(() => vi.unstubAllEnvs())

const claims = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())

describe("federate token", () => {
  it.live("prints the token, and nothing else", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["token", "graph"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
      assert.strictEqual(stderr, "")
      assert.deepInclude(claims(stdout), {
        aud: "https://graph.microsoft.com",
        roles: ["Application.Read.All"]
      })
    })
  )

  it.live("prints it with type and expiry as JSON", () =>
    Effect.gen(function* () {
      const before = Math.floor(Date.now() / 1000)
      const { code, stderr, stdout } = yield* federate(["token", "graph", "--json"])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      const answer = JSON.parse(stdout)
      assert.containsAllKeys(answer, ["access_token", "token_type", "expires_on", "expires_in"])
      assert.strictEqual(answer.token_type, "Bearer")
      assert.strictEqual(claims(answer.access_token)["aud"], "https://graph.microsoft.com")
      assert.isAtLeast(answer.expires_on, before + 3599 - 1)
      assert.approximately(answer.expires_on - Date.now() / 1000, answer.expires_in, 2)
    })
  )

  it.live("asks for another scope, when one is named", () =>
    Effect.gen(function* () {
      const scope = "00000003-0000-0000-c000-000000000000/.default"
      const { code, stderr, stdout } = yield* federate([
        "token",
        "--scope",
        scope,
        "graph",
        "--json"
      ])
      assert.strictEqual(code, 0, stderr)
      const answer = JSON.parse(stdout)
      assert.strictEqual(answer.scope, scope)
      assert.strictEqual(claims(answer.access_token)["aud"], scope.replace("/.default", ""))
    })
  )

  it.live("prints the assertion itself where the flow trades it for nothing", () =>
    Effect.gen(function* () {
      const source = configFile(placeholders).replace(/ {4}# Who trades it[^]*$/, "")
      const file = write("source.yaml", source)
      const { code, stderr, stdout } = yield* federate(["token", "graph", "--json", "-c", file])
      assert.strictEqual(code, 0, stderr)
      const answer = JSON.parse(stdout)
      assert.strictEqual(answer.token_type, "N_A")
      assert.strictEqual(
        claims(answer.access_token)["aud"],
        process.env["COGNITO_IDENTITY_POOL_ID"]
      )
    })
  )

  describe("--wait-propagation", () => {
    it.live.each([
      [["--wait-propagation", "graph"], "5 min"],
      [["graph", "--wait-propagation"], "5 min"],
      [["--wait-propagation", "90s", "graph"], "1 min"],
      [["graph", "--wait-propagation", "2 minutes"], "2 min"],
      [["graph", "--wait-propagation=3m"], "3 min"]
    ] as const)("is said on standard error: %j", ([args, span]) =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* federate(["token", ...args])
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^eyJ\S+\n$/)
        assert.strictEqual(stderr, `Waiting up to ${span}, should the trust not have spread yet…\n`)
      })
    )

    it.live("waits for a trust that is not seen yet", () =>
      Effect.gen(function* () {
        // What a part of Entra says that has not heard of it; without waiting, three tries are all.
        const unseen = JSON.stringify({
          error: "invalid_client",
          error_description: "AADSTS700211: No matching federated identity record found.",
          error_codes: [700211]
        })
        sandbox().fault("entra.token", Fault.body(unseen, { status: 401 }), { first: 3 })
        const { code, stdout, stderr } = yield* federate([
          "token",
          "graph",
          "--json",
          "--wait-propagation=1m"
        ])
        assert.strictEqual(code, 0, stderr)
        assert.strictEqual(JSON.parse(stdout).token_type, "Bearer")
      })
    )

    it.live("must be a duration", () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* federate([
          "token",
          "graph",
          "--wait-propagation",
          "5"
        ])
        assert.strictEqual(code, 2)
        assert.strictEqual(stdout, "")
        assert.strictEqual(
          stderr,
          `✗ --wait-propagation cannot be "5"
  fix          It must be a duration with its unit, such as 90s, 2 minutes, 1h 30m; without a value it is 5m.
`
        )
      })
    )
  })

  describe("when it cannot be had", () => {
    it.live("tells Cognito's refusal", () =>
      Effect.gen(function* () {
        const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"
        vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret)
        const { code, stderr, stdout } = yield* federate(["token", "graph"])
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        assert.match(
          stderr,
          /^✗ cognito said no, getting the assertion\n {2}code +InvalidSignatureException \(HTTP 400\)\n[^]*\n {2}request +[\da-f-]{36}\n$/
        )
        assert.notInclude(stderr, secret)
      })
    )

    it.live("tells Entra's refusal, for machines", () =>
      Effect.gen(function* () {
        const tenant = "11111111-2222-3333-4444-555555555555"
        vi.stubEnv("AZURE_TENANT_ID", tenant)
        const { code, stderr, stdout } = yield* federate(["token", "graph", "--json"])
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        const error = JSON.parse(stderr)
        assert.deepInclude(error, {
          error: "Rejected",
          adapter: "entra",
          stage: "exchange",
          code: "AADSTS90002",
          status: 400,
          remedy: "none"
        })
        assert.include(error.hint, tenant)
        assert.containsAllKeys(error.reference, ["traceId", "correlationId", "timestamp"])
        assert.notInclude(stderr, "eyJ")
      })
    )

    it.live("tells that nobody answers", () =>
      Effect.gen(function* () {
        sandbox().fault("entra.token", Fault.reset)
        const { code, stderr, stdout } = yield* federate(["token", "graph"])
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        assert.match(
          stderr,
          /^✗ entra could not be reached, or is busy, exchanging the assertion\n {2}why +\S.*\n$/
        )
      })
    )

    it.live("tells when to come back", () =>
      Effect.gen(function* () {
        sandbox().fault("entra.token", Fault.throttled(600))
        const { code, stderr } = yield* federate(["token", "graph", "--json"])
        assert.strictEqual(code, 1)
        const error = JSON.parse(stderr)
        assert.deepInclude(error, { error: "Transient", status: 429 })
        assert.approximately(error.retryAt - Date.now(), 600_000, 60_000)
      })
    )

    it.live("tells an answer that makes no sense, without quoting it", () =>
      Effect.gen(function* () {
        const body = JSON.stringify({
          token_type: "Bearer",
          access_token: "hunter2",
          expires_in: "x"
        })
        sandbox().fault("entra.token", Fault.body(body))
        const { code, stderr, stdout } = yield* federate(["token", "graph"])
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        assert.match(stderr, /^✗ entra gave an answer that is not what its protocol says/)
        assert.notInclude(stderr, "hunter2")
      })
    )

    it.live("tells a setting that cannot be, before any call", () =>
      Effect.gen(function* () {
        vi.stubEnv("COGNITO_IDENTITY_POOL_ID", "my-pool")
        const before = sandbox().count("cognito.*")
        const { code, stderr, stdout } = yield* federate(["token", "graph"])
        assert.strictEqual(code, 2)
        assert.strictEqual(stdout, "")
        assert.match(
          stderr,
          /^✗ cognito is set up wrong, before any call\n {2}setting +identityPoolId\n/
        )
        assert.strictEqual(sandbox().count("cognito.*"), before)
      })
    )
  })

  describe("when it is configured wrong", () => {
    const told = Effect.fnUntraced(function* (file: string, ...args: ReadonlyArray<string>) {
      const { code, stderr, stdout } = yield* federate([
        "token",
        "graph",
        "--config",
        file,
        ...args
      ])
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      return stderr
    })

    it.live("names the variables that are not set", () =>
      Effect.gen(function* () {
        vi.stubEnv("AZURE_TENANT_ID", undefined)
        vi.stubEnv("AZURE_CLIENT_ID", "")
        assert.strictEqual(
          yield* told(config),
          `✗ ${config} cannot be used
  flows.graph.exchanger.tenantId: the environment variable AZURE_TENANT_ID is not set: set it, or give a default, \${AZURE_TENANT_ID:-…}
  flows.graph.exchanger.clientId: the environment variable AZURE_CLIENT_ID is not set: set it, or give a default, \${AZURE_CLIENT_ID:-…}
`
        )
      })
    )

    it.live("says where it is no YAML, and which key is there twice", () =>
      Effect.gen(function* () {
        const broken = write("broken.yaml", "flows:\n  graph: {\n")
        assert.match(yield* told(broken), /^✗ \S+broken\.yaml cannot be used\n {2}is not YAML: /)
        const doubled = write("doubled.yaml", "flows:\n  graph:\n    source: 1\n  graph: 2\n")
        assert.match(yield* told(doubled), /Duplicate key 'graph' at line 4\n$/)
      })
    )

    it.live("names each key that nobody knows, for machines too", () =>
      Effect.gen(function* () {
        const file = write(
          "unknown.yaml",
          "flows: { graph: { source: { type: cognitoo }, excanger: {} } }\n"
        )
        const error = JSON.parse(yield* told(file, "--json"))
        assert.strictEqual(error.error, "ConfigError")
        assert.strictEqual(error.file, file)
        assert.deepEqual(
          error.problems.map(({ path }: { readonly path: string }) => path),
          ["flows.graph.excanger", "flows.graph.source.type"]
        )
      })
    )

    it.live("knows no such flow, and names those that there are", () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* federate(["token", "grap"])
        assert.strictEqual(code, 2)
        assert.strictEqual(stdout, "")
        assert.strictEqual(
          stderr,
          `✗ There is no flow called "grap"\n  fix          The config file has graph.\n`
        )
      })
    )

    it.live("does not tell on a token that stands where the flow's name belongs", () =>
      Effect.gen(function* () {
        const { stdout } = yield* federate(["token", "graph"])
        const token = stdout.trim()
        for (const args of [["token", token], ["token", "graph", token], [token]]) {
          const { code, stderr } = yield* federate(args)
          assert.strictEqual(code, 2)
          assert.include(stderr, "eyJ")
          assert.notMatch(stderr, /eyJ[\w-]{10}/)
        }
      })
    )
  })

  it.live("says with --log-level debug which file it read", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["token", "graph", "--log-level", "debug"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /^eyJ\S+\n$/)
      assert.include(stderr, `The config file is ${config}`)
      assert.notInclude(stderr, "eyJ")
    })
  )
})
