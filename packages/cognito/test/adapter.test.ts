import { exchanger, source } from "@federate/cognito/adapter"
import { adapterContract, assertionFor, flowContract } from "@federate/testing"
import { assert, afterEach, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const identityPoolId = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const secretKey = "wJalrXUtnFEMI-THE-SECRET-KEY"
const theirs = "THE-SECRET-KEY-OF-THE-ROLE"
const token = assertionFor("eu-central-1:identity", 0, { aud: identityPoolId })

/** Both calls go to one address, and are told apart by a header. */
const well = (_: string, { headers }: RequestInit) =>
  Response.json(
    new Headers(headers).get("x-amz-target")?.endsWith(".GetCredentialsForIdentity")
      ? {
          IdentityId: token.subject,
          Credentials: {
            AccessKeyId: "ASIAEXAMPLE",
            SecretKey: theirs,
            SessionToken: "THE-SESSION-TOKEN",
            Expiration: 3600
          }
        }
      : { IdentityId: token.subject, Token: Redacted.value(token.token) },
    {
      headers: {
        "content-type": "application/x-amz-json-1.1",
        date: "Thu, 01 Jan 1970 00:00:00 GMT"
      }
    }
  )

beforeEach(() => {
  // The SDK's own chain looks here first. Whoever runs the tests may be signed in to the real AWS.
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretKey)
  vi.stubEnv("AWS_PROFILE", undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

adapterContract("Cognito's source", {
  adapter: source,
  settings: { identityPoolId, logins: { "my.dev.provider": "MY-USER-ID" } },
  secrets: ["MY-USER-ID"],
  well
})

adapterContract("Cognito's exchanger", {
  adapter: exchanger,
  settings: { identityPoolId },
  claims: { sub: token.subject },
  well
})

flowContract("Cognito, for its own tokens", {
  make: (fetch) =>
    Effect.all({
      source: source.make(
        { identityPoolId, logins: { "my.dev.provider": Redacted.make("my_user_id") } },
        { fetch }
      ),
      exchanger: exchanger.make({ identityPoolId }, { fetch })
    }),
  well,
  secrets: [secretKey, theirs, "THE-SESSION-TOKEN"]
})

describe("in a config file", () => {
  it("Cognito's tokens are remembered, for it counts calls, and its credentials are AWS's", () => {
    assert.isTrue(source.metered)
    assert.deepInclude(exchanger, { issues: "AwsCredentials", cloud: "aws" })
  })
})
