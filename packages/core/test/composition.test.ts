/** Sources, exchangers and flows put together, and what their types carry of it. */
import { AssertionSource, Credential, Flow, TokenExchanger, Unavailable } from "@federate/core"
import type { AccessToken, AwsCredentials } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { issuer, jwt, party, sourceError, text } from "./fakes.ts"

/** Trades anything for AWS credentials. */
const aws: TokenExchanger.TokenExchanger<AwsCredentials> = TokenExchanger.make({
  name: "aws",
  exchange: ({ obtainedAt, subject = "" }) =>
    Effect.succeed(
      Credential.awsCredentials({
        accessKeyId: subject,
        secretAccessKey: Redacted.make("secret"),
        sessionToken: Redacted.make("session"),
        obtainedAt,
        expiresAt: obtainedAt + 3_600_000
      })
    )
})

/** Trades anything for a JWT about another. */
const renaming = (sub: string): TokenExchanger.TokenExchanger =>
  TokenExchanger.make({
    name: sub,
    exchange: ({ obtainedAt }) =>
      Effect.succeed(
        Credential.accessToken({
          token: Redacted.make(jwt({ sub, exp: 3600, iat: 0 })),
          tokenType: "Bearer",
          obtainedAt,
          expiresAt: obtainedAt + 3_600_000
        })
      )
  })

const absent: AssertionSource.AssertionSource = {
  name: "absent",
  offers: {},
  assertion: () => sourceError(new Unavailable({ detail: "It is not here" }))
}

/** Whether a flow of such credentials can be another one's source, as the compiler says. */
type IsChainable<C extends Credential.Credential> =
  Flow.Flow<C> extends Parameters<typeof AssertionSource.fromFlow>[0] ? true : false

describe("composition", () => {
  it.effect("one source serves many targets, each with its own kind of credential", () =>
    Effect.gen(function* () {
      const from = issuer()
      const source = yield* AssertionSource.cached(from.source)
      const toAws = yield* Flow.make({ source, exchanger: aws })
      const toParty = yield* Flow.make({ source, exchanger: party().exchanger })
      const keys: AwsCredentials = yield* toAws.credential()
      const token: AccessToken = yield* toParty.credential()
      assert.strictEqual(keys.accessKeyId, "workload")
      assert.strictEqual(text(token), "token-1")
      // Both take what they were not asked to say.
      assert.lengthOf(from.requests, 1)
    })
  )

  it.effect("many sources serve one target: the first that exists", () =>
    Effect.gen(function* () {
      const to = party()
      const flow = yield* Flow.make({
        source: AssertionSource.firstAvailable(absent, issuer().source, absent),
        exchanger: to.exchanger
      })
      yield* flow.credential()
      assert.strictEqual(to.calls[0]?.assertion.subject, "workload")
    })
  )

  it.effect("a chain is a flow over a flow over a flow, behind a fallback too", () =>
    Effect.gen(function* () {
      const one = yield* Flow.make({ source: issuer().source, exchanger: renaming("one") })
      const two = yield* Flow.make({
        source: AssertionSource.firstAvailable(absent, AssertionSource.fromFlow(one)),
        exchanger: renaming("two")
      })
      const three = yield* Flow.make({ source: AssertionSource.fromFlow(two), exchanger: aws })
      assert.strictEqual((yield* three.credential()).accessKeyId, "two")
    })
  )

  it("of flows, those of tokens alone can be a source", () => {
    // Another answer does not compile.
    const answers: readonly [IsChainable<AccessToken>, IsChainable<AwsCredentials>] = [true, false]
    assert.deepStrictEqual([...answers], [true, false])
  })
})
