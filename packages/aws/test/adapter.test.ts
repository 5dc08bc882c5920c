import { exchanger, source } from "@federate/aws/adapter"
import { AssertionSource, TokenExchanger } from "@federate/core"
import { adapterContract, assertionFor, flowContract } from "@federate/testing"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { credentials, jwt, refusal, secretKey, sessionToken, token } from "./answers.ts"

const region = "eu-central-1"
const theirs = "THE-SECRET-KEY-OF-THE-ROLE"

const settings = { roleArn: "arn:aws:iam::111122223333:role/team/reader", region }

/** Both calls go to one path, and are told apart by their form. */
const well = (_: string, { body }: RequestInit) =>
  new URLSearchParams(String(body)).get("Action") === "GetWebIdentityToken"
    ? token(jwt({ aud: "party" }))
    : credentials({ SecretAccessKey: theirs })

beforeEach(() => {
  // The SDK's own chain looks here first. Whoever runs the tests may be signed in to the real AWS.
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretKey)
  vi.stubEnv("AWS_PROFILE", undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

// It needs nothing but to be told whom the token is for, by the other side as well as by its settings.
adapterContract("AWS STS's source", { adapter: source, settings: {} })

adapterContract("AWS STS's exchanger", { adapter: exchanger, settings, well })

flowContract("AWS, for itself", {
  make: (fetch) =>
    Effect.map(source.make({ region, audiences: ["party"] }, { fetch }), (made) => ({
      source: made,
      exchanger: TokenExchanger.passThrough
    })),
  well,
  requests: 1,
  secrets: [secretKey]
})

flowContract("an assertion for AWS", {
  make: (fetch) =>
    Effect.map(exchanger.make(settings, { fetch }), (made) => ({
      source: AssertionSource.fixed(assertionFor("workload")),
      exchanger: made
    })),
  well,
  requests: 1,
  stale: refusal("ExpiredTokenException"),
  secrets: [theirs, sessionToken]
})

flowContract("AWS, for another partition of AWS", {
  make: (fetch) =>
    Effect.all({
      source: source.make({ region, audiences: ["party"] }, { fetch }),
      exchanger: exchanger.make(
        { roleArn: settings.roleArn.replace("aws", "aws-cn"), region: "cn-north-1" },
        { fetch }
      )
    }),
  well,
  stale: refusal("ExpiredTokenException"),
  secrets: [secretKey, theirs, sessionToken]
})

describe("in a config file", () => {
  it("AWS's tokens are remembered, for it counts calls, and its credentials are AWS's", () => {
    assert.isTrue(source.metered)
    assert.deepInclude(exchanger, { issues: "AwsCredentials", cloud: "aws" })
  })
})
