/** Google's SDKs, unmodified, through a broker: by the metadata server, and as an external account. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { needs } from "../../../../scripts/debian.ts"
import { securityTokenService } from "./securityTokenService.ts"
import {
  beside,
  brokerOf,
  cloud,
  once,
  readGraph,
  resource,
  scope,
  sha256
} from "./surroundings.ts"
import type { Variables } from "./surroundings.ts"

const sandbox = cloud()

const email = "workload@project.iam.gserviceaccount.com"

const python = needs("/usr/lib/python3/dist-packages/google/auth", "python3-google-auth")

const clients: ReadonlyArray<readonly [name: string, script: string, isMissing: boolean]> = [
  ["google-auth-library", "google.ts", false],
  ["Python's google-auth", "google_auth.py", !python]
]

for (const [name, script, isMissing] of clients) {
  describe.skipIf(isMissing)(`the metadata server, to ${name}`, () => {
    it.live("gives an access token", () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* brokerOf(sandbox())
        const { error, expiresOn, token } = yield* once(script, ["access", scope], variables)
        assert.isUndefined(error)
        yield* readGraph(sandbox(), token)
        assert.lengthOf(handed, 1)
        assert.deepInclude(handed[0], {
          caller: "loopback",
          protocol: "gce-token",
          flow: "graph",
          tokenHash: sha256(token)
        })
        assert.approximately(expiresOn!, handed[0]!.expiresAt / 1000, 2)
        assert.isEmpty(refused)
      })
    )

    it.live("tells of the project and the account", () =>
      Effect.gen(function* () {
        const { variables } = yield* brokerOf(sandbox())
        // Without the variable it is the server that says.
        const { GOOGLE_CLOUD_PROJECT, ...others } = variables
        assert.strictEqual(GOOGLE_CLOUD_PROJECT, "my-project")
        const facts = yield* once(script, ["facts"], others)
        assert.deepInclude(facts, { project: "my-project", email })
      })
    )
  })
}

describe("the metadata server, to google-auth-library", () => {
  it.live("tells of the universe", () =>
    Effect.gen(function* () {
      const { variables } = yield* brokerOf(sandbox())
      const { universe } = yield* once("google.ts", ["facts"], variables)
      assert.strictEqual(universe, "googleapis.com")
    })
  )

  it.live("gives an identity token for the audience that is asked for", () =>
    Effect.gen(function* () {
      const { handed, variables } = yield* brokerOf(sandbox())
      const audience = sandbox().env["COGNITO_IDENTITY_POOL_ID"]!
      const { error, token } = yield* once("google.ts", ["identity", audience], variables)
      assert.isUndefined(error)
      assert.lengthOf(handed, 1)
      assert.deepInclude(handed[0], {
        protocol: "gce-identity",
        flow: "workload",
        scope: audience,
        tokenHash: sha256(token)
      })
    })
  )

  it.live("has an audience printed that the source cannot serve, once", () =>
    Effect.gen(function* () {
      const { handed, refused, variables } = yield* brokerOf(sandbox())
      const { error } = yield* once("google.ts", ["identity", "https://service.example"], variables)
      assert.match(error ?? "", /https:\/\/service\.example/)
      assert.lengthOf(refused, 1)
      assert.include(error ?? "", refused[0]!.message)
      assert.isEmpty(handed)
    })
  )

  it.live("has a scope printed that is not served, and what to do, once", () =>
    Effect.gen(function* () {
      const { refused, variables } = yield* brokerOf(
        sandbox(),
        `
  gce: { flow: graph, projectId: my-project, scopes: ["${scope}"] }
`
      )
      const { error } = yield* once("google.ts", ["access", `${resource}/Mail.Read`], variables)
      assert.match(
        error ?? "",
        /no token for the scope .*Mail\.Read; add it under broker\.gce\.scopes/
      )
      assert.lengthOf(refused, 1)
    })
  )

  it.live("has Entra's refusal printed, and what to do, once", () =>
    Effect.gen(function* () {
      const { broker, refused, variables } = yield* brokerOf(
        sandbox(),
        `
  gce: { flow: stranger, projectId: my-project }
`
      )
      // As apps do: Entra is asked again about a trust that may be new, for longer than a caller is let wait.
      yield* broker.warm
      const { error } = yield* once("google.ts", ["access", scope], variables)
      assert.match(error ?? "", /AADSTS700213.*subject must be exactly that/s)
      assert.deepEqual(
        refused.map(({ status }) => status),
        [400]
      )
    })
  )
})

describe("an external account, to google-auth-library", () => {
  /** A broker, and a configuration file by which Google trusts the workload's assertions. */
  const trusted = Effect.fnUntraced(function* (
    source: (variables: Variables) => object,
    allowedAudience = sandbox().env["COGNITO_IDENTITY_POOL_ID"]!
  ) {
    const { configuration, issued } = yield* securityTokenService({
      issuer: sandbox().issuer,
      jwksUri: `${sandbox().http}/.well-known/jwks_uri`,
      allowedAudience
    })
    const broker = yield* brokerOf(
      sandbox(),
      `
  flows: [workload]
  gce: { projectId: my-project }
`
    )
    const file = join(sandbox().folder, "external-account.json")
    writeFileSync(file, configuration(source(broker.variables)))
    return {
      ...broker,
      issued,
      ask: once("google.ts", ["access", "https://www.googleapis.com/auth/cloud-platform"], {
        ...broker.variables,
        GOOGLE_APPLICATION_CREDENTIALS: file,
        GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1"
      })
    }
  })

  const sources = {
    url: ({ FEDERATE_BROKER_TOKEN, FEDERATE_BROKER_URL }: Variables) => ({
      url: `${FEDERATE_BROKER_URL}/subject-token/workload`,
      headers: { Authorization: `Bearer ${FEDERATE_BROKER_TOKEN}` }
    }),
    executable: () => ({
      executable: { command: `${process.execPath} ${beside("googleExecutable.ts")}` }
    })
  }
  for (const [name, source] of Object.entries(sources)) {
    it.live(`has its assertion from the broker by the ${name} source`, () =>
      Effect.gen(function* () {
        const { ask, handed, issued, refused } = yield* trusted(source)
        const { error, token } = yield* ask
        assert.isUndefined(error)
        assert.lengthOf(issued, 1)
        assert.strictEqual(issued[0]!.token, token)
        assert.lengthOf(handed, 1)
        assert.deepInclude(handed[0], {
          caller: "loopback",
          protocol: "subject-token",
          flow: "workload",
          tokenHash: sha256(issued[0]!.assertion)
        })
        assert.isEmpty(refused)
      })
    )

    it.live(`prints Google's refusal of an assertion by the ${name} source`, () =>
      Effect.gen(function* () {
        const { ask, handed, issued } = yield* trusted(source, "another-audience")
        const { error } = yield* ask
        assert.match(error ?? "", /invalid_grant.*another-audience/)
        assert.lengthOf(handed, 1)
        assert.isEmpty(issued)
      })
    )
  }

  it.live("prints what to do about a wrong secret, once", () =>
    Effect.gen(function* () {
      const { ask, refused } = yield* trusted((variables) =>
        sources.url({ ...variables, FEDERATE_BROKER_TOKEN: "another" })
      )
      const { error } = yield* ask
      assert.lengthOf(refused, 1)
      assert.include(error ?? "", refused[0]!.message)
    })
  )
})
