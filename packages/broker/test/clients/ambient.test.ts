/** Federate's own sources where no cloud is: what they ask for is answered by a broker. */
import { azureManagedIdentity, googleMetadata } from "@federate/ambient"
import { Transient } from "@federate/core"
import type { AssertionSource, FederationError } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertions, serving } from "../serving.ts"

const email = "workload@project.iam.gserviceaccount.com"

type Environment = (name: string) => string | undefined

/** A source whose process is given these of the broker's variables, and the flow that it is served by. */
const asking = Effect.fnUntraced(function* (
  make: (
    environment: Environment
  ) => Effect.Effect<AssertionSource.AssertionSource, FederationError>,
  names: ReadonlyArray<string>
) {
  const identity = yield* assertions("identity")
  // Its tokens are JWTs, as Azure's are.
  const token = yield* assertions("token")
  const { handed, refused, variables } = yield* serving(
    [
      identity.served,
      { ...token.served, issues: "AccessToken", cloud: "azure", client: "the-client-id" }
    ],
    { gce: { email } }
  )
  for (const name of names) assert.property(variables, name)
  const source = yield* make((name) => (names.includes(name) ? variables[name] : undefined))
  return { source, handed, refused, upstreams: [identity.upstream, token.upstream] }
})

const google = (environment: Environment) => googleMetadata({ environment })
const azure = (environment: Environment) => azureManagedIdentity({ environment })

describe("a source of this project's takes what a broker hands out", () => {
  for (const [protocol, flow, make, names] of [
    ["gce-identity", "identity", google, ["GCE_METADATA_HOST"]],
    ["azure-app-service", "token", azure, ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]],
    ["azure-imds", "token", azure, ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]]
  ] as const) {
    it.live(`by ${protocol}`, () =>
      Effect.gen(function* () {
        const { handed, source } = yield* asking(make, names)
        const {
          expiresAt = 0,
          obtainedAt,
          subject
        } = yield* source.assertion({
          preferredAudience: "party"
        })
        assert.strictEqual(subject, "workload")
        assert.approximately(expiresAt - obtainedAt, 3_600_000, 2000)
        assert.deepInclude(handed[0], { protocol, flow })
      })
    )

    it.live(`by ${protocol}, and waits where the broker itself must`, () =>
      Effect.gen(function* () {
        const { refused, source, upstreams } = yield* asking(make, names)
        const down = Effect.fail(new Transient({ detail: "It is down", status: 503 }))
        for (const upstream of upstreams) upstream.before = down
        const { reason } = yield* Effect.flip(source.assertion({ preferredAudience: "party" }))
        assert.strictEqual(reason._tag, "Transient")
        assert.lengthOf(refused, 1)
      })
    )
  }

  it.live("for the account and the audience that are asked for, where the protocol has them", () =>
    Effect.gen(function* () {
      const { source } = yield* asking(
        (environment) => googleMetadata({ environment, serviceAccount: email }),
        ["GCE_METADATA_HOST"]
      )
      const { audience } = yield* source.assertion({ audience: "https://demanded.example" })
      assert.deepStrictEqual(audience, ["https://demanded.example"])
    })
  )

  it.live("and is told in the broker's own words why it hands out none", () =>
    Effect.gen(function* () {
      const { source } = yield* asking(
        (environment) => azureManagedIdentity({ environment, clientId: "another" }),
        ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]
      )
      const { message, reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Rejected")
      assert.match(message, /this broker does not serve another/)
    })
  )
})
