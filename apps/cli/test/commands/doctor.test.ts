import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { configFile, placeholders } from "../../src/template.ts"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const file = join(folder(), "federate.yaml")
writeFileSync(file, configFile(placeholders))

const sandbox = cloud()
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", file))

const asAdministrator = ["--admin-token-command", "printenv FEDERATE_SANDBOX_ADMIN_TOKEN"]

const graph = Effect.fnUntraced(function* (method: string, path: string, body?: object) {
  const { env } = sandbox()
  const answer = yield* Effect.promise(() =>
    fetch(
      `${env["GRAPH_BASE_URL"]}/v1.0/applications(appId='${env["AZURE_CLIENT_ID"]}')/federatedIdentityCredentials${path}`,
      {
        method,
        headers: {
          authorization: `Bearer ${env["FEDERATE_SANDBOX_ADMIN_TOKEN"]}`,
          "content-type": "application/json"
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      }
    )
  )
  return answer.status === 204 ? undefined : yield* Effect.promise(() => answer.json())
})

/** Changes the one federated credential for as long as the effect takes. */
const having = <A, E, R>(changed: object, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { audiences, id, issuer, subject } = (yield* graph("GET", "")).value[0]
    return yield* Effect.acquireUseRelease(
      graph("PATCH", `/${id}`, changed),
      () => effect,
      () => graph("PATCH", `/${id}`, { audiences, issuer, subject })
    )
  })

const failing = (stdout: string): ReadonlyArray<string> =>
  stdout.split("\n").flatMap((line) => (line.startsWith("✗") ? [line.split(" ")[1] ?? ""] : []))

describe("federate doctor", () => {
  it.live("tells a flow that is well, with its trust as the flow itself may read it", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate([
        "doctor",
        "graph",
        "--permission",
        "Application.Read.All"
      ])
      assert.strictEqual(code, 0, stdout)
      assert.strictEqual(stderr, "")
      assert.deepEqual(
        stdout.split("\n").flatMap((line) => /^(\S) (\S+)/.exec(line)?.slice(1, 3).join(" ") ?? []),
        [
          "✓ credentials",
          "? pool",
          "✓ source",
          "· assertion",
          "✓ issuer",
          "✓ iss",
          "✓ aud",
          "✓ sub",
          "✓ alg",
          "✓ exchange",
          "✓ roles"
        ]
      )
    })
  )

  it.live.each([
    [
      "the audience that others have",
      { audiences: ["api://AzureADTokenExchange"] },
      ["aud"],
      /always for their identity pool/
    ],
    ["another subject", { subject: "us-east-1:x" }, ["sub"], /Write exactly "us-east-1:/],
    [
      "an issuer with a slash",
      { issuer: "https://cognito-identity.amazonaws.com/" },
      ["iss"],
      /Write exactly "https:\/\/localhost/
    ]
  ] as const)("shows both sides where the trust names %s", ([, changed, wrong, told]) =>
    having(
      changed,
      Effect.gen(function* () {
        const { code, stdout } = yield* federate(["doctor", "graph", ...asAdministrator])
        assert.strictEqual(code, 1)
        assert.deepEqual(failing(stdout), [...wrong, "exchange"])
        assert.match(stdout, told)
      })
    )
  )

  it.live("prints JSON", () =>
    Effect.gen(function* () {
      const { stdout } = yield* federate(["doctor", "graph", "--json", ...asAdministrator])
      const { findings, healthy } = JSON.parse(stdout)
      assert.isTrue(healthy)
      assert.strictEqual(findings.length, 11)
    })
  )

  it.live("says what could not be read, and why, and goes on", () =>
    having(
      { subject: "x" },
      Effect.gen(function* () {
        const bare = yield* federate(["doctor", "graph"])
        assert.match(bare.stdout, /\? trust .* were not read/)
        assert.deepEqual(failing(bare.stdout), ["exchange"])
        const failed = yield* federate(["doctor", "graph", "--admin-token-command", "exit 3"])
        assert.match(failed.stdout, /\? trust .*ended with 3/)
        const words = yield* federate(["doctor", "graph", "--admin-token-command", "echo a b"])
        assert.match(words.stdout, /did not print a token and nothing else/)
        const flow = yield* federate(["doctor", "graph", "--admin-flow", "graph"])
        assert.match(flow.stdout, /\? trust .*AADSTS700213/)
      })
    )
  )

  it.live("ends where the source does", () =>
    Effect.gen(function* () {
      vi.stubEnv("COGNITO_IDENTITY_POOL_ID", "us-east-1:00000000-0000-4000-8000-000000000000")
      const { code, stdout } = yield* federate(["doctor", "graph"])
      assert.strictEqual(code, 1)
      assert.deepEqual(failing(stdout), ["source"])
      assert.match(stdout, /fix .*The role needs/)
    })
  )

  it.live("knows the flows of the file alone", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* federate(["doctor", "other"])).code, 2)
      const admin = yield* federate(["doctor", "graph", "--admin-flow", "other"])
      assert.strictEqual(admin.code, 2)
      assert.match(admin.stderr, /no flow called "other"/)
    })
  )
})
