/** The functions of the subpaths: settings in plain words, secrets hidden, nothing done before it is asked for. */
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { expectTypeOf } from "vitest"
import * as ambient from "../src/ambient.ts"
import * as aws from "../src/aws.ts"
import * as cognito from "../src/cognito.ts"
import * as entra from "../src/entra.ts"
import * as google from "../src/google.ts"
import { createFlow, fromFunction } from "../src/index.ts"
import type { AssertionSource, AwsCredentials, Duration, TokenExchanger } from "../src/index.ts"
import * as oidc from "../src/oidc.ts"
import { failure, jwt } from "./flow.ts"

const source = fromFunction("workload", () => jwt("workload"))
const identityPoolId = "us-east-1:6f1c1a52-0000-4000-8000-000000000000"
const id = "8d2a1c35-3f5a-4bd1-9a39-6d6e1c6b3f10"
const provider =
  "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/tests"
const api = "https://api.example"

describe("settings that cannot work are told at once, under the adapter's name", () => {
  const mistakes: ReadonlyArray<readonly [string, () => unknown, RegExp]> = [
    [
      "cognito",
      () => cognito.cognito({ identityPoolId, logins: {} }),
      /^cognito: logins: names no developer provider/
    ],
    [
      "cognitoLogin",
      () => cognito.cognitoLogin({ identityPoolId: "pool", login: source }),
      /^cognito login: identityPoolId: /
    ],
    [
      "cognitoCredentials",
      () => cognito.cognitoCredentials({ identityPoolId: "pool" }),
      /^cognito credentials: identityPoolId: /
    ],
    [
      "cognitoLoginCredentials",
      () => cognito.cognitoLoginCredentials({ identityPoolId, identityId: "elsewhere:1" }),
      /^cognito login credentials: identityId: /
    ],
    ["aws", () => aws.aws({ region: "here", duration: "2 hours" }), /^aws: /],
    ["awsRole", () => aws.awsRole({ roleArn: "role", region: "eu-west-1" }), /^aws: roleArn: /],
    ["entra", () => entra.entra({ tenantId: "common", clientId: id }), /^entra: tenantId: /],
    [
      "entraOnBehalfOf",
      () => entra.entraOnBehalfOf({ tenantId: "contoso.example", clientId: "app", client: source }),
      /^entra.*: clientId: /
    ],
    ["google", () => google.google({ audience: "pool" }), /^google: audience: /],
    [
      "googleIdToken",
      () =>
        google.googleIdToken({ audience: provider, serviceAccount: "me", idTokenAudience: api }),
      /^google.*: serviceAccount: /
    ],
    [
      "clientCredentials",
      () => oidc.clientCredentials({ issuer: "http://id.example", client: { id: "me" } }),
      /issuer: is http to id\.example/
    ],
    [
      "selfSigned",
      () => oidc.selfSigned({ issuer: api, subject: "me", privateKey: "no key" }),
      /privateKey/
    ],
    ["tokenExchange", () => oidc.tokenExchange({}), /^token-exchange: /],
    ["jwtBearer", () => oidc.jwtBearer({}), /^jwt-bearer: /],
    [
      "vault",
      () => ambient.vault({ address: "vault", role: "me", token: "t" }),
      /^vault: address: /
    ]
  ]
  it.each(mistakes)("%s", async (_, make, message) => {
    const error = await failure(make)
    assert.match(error.message, message)
    assert.strictEqual(error.stage, "configuration")
  })
})

describe("secrets", () => {
  const secret = "SECRET"
  const fetch = async () => Response.json({ error: "invalid_client" }, { status: 401 })
  const client = { id: "me", secret }
  const flows = [
    createFlow({ source: ambient.vault({ address: api, role: "me", token: secret, fetch }) }),
    createFlow({ source: oidc.clientCredentials({ tokenEndpoint: api, client, fetch }) }),
    createFlow({ source, exchanger: oidc.tokenExchange({ tokenEndpoint: api, client, fetch }) }),
    createFlow({ source, exchanger: oidc.jwtBearer({ tokenEndpoint: api, client, fetch }) })
  ]
  it.each(flows)("are texts where they are set, and in no error: $name", async (flow) => {
    assert.notInclude(visible(flow), secret)
    assert.notInclude(visible(await failure(flow.getToken())), secret)
  })

  it("are sent where they belong", async () => {
    const sent: Array<string> = []
    const flow = createFlow({
      source,
      exchanger: oidc.tokenExchange({
        tokenEndpoint: api,
        client: { id: "me", secret, authentication: "client_secret_post" },
        fetch: async (_, { body }) => {
          sent.push(String(body))
          return Response.json({
            access_token: "t",
            token_type: "Bearer",
            issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
            expires_in: 60
          })
        }
      })
    })
    assert.strictEqual((await flow.getToken()).token, "t")
    assert.include(sent[0], `client_secret=${secret}`)
  })
})

describe("what a function gives", () => {
  it("is opaque, and shows nothing", () => {
    const made = ambient.vault({ address: api, role: "me", token: "SECRET" })
    assert.isFrozen(made)
    assert.notInclude(visible(made), "SECRET")
  })

  it("is typed by what it stands for, and its settings are plain", () => {
    expectTypeOf(cognito.cognito).returns.toEqualTypeOf<AssertionSource>()
    expectTypeOf(entra.entra).returns.toEqualTypeOf<TokenExchanger>()
    expectTypeOf(aws.awsRole).returns.toEqualTypeOf<TokenExchanger<AwsCredentials>>()
    expectTypeOf(cognito.cognitoCredentials).returns.toEqualTypeOf<TokenExchanger<AwsCredentials>>()
    expectTypeOf(cognito.cognitoLoginCredentials).returns.toEqualTypeOf<
      TokenExchanger<AwsCredentials>
    >()
    expectTypeOf(cognito.cognito)
      .parameter(0)
      .toHaveProperty("tokenDuration")
      .toEqualTypeOf<Duration | undefined>()
    expectTypeOf(cognito.cognitoLogin)
      .parameter(0)
      .toHaveProperty("login")
      .toEqualTypeOf<AssertionSource>()
    expectTypeOf(ambient.vault)
      .parameter(0)
      .toHaveProperty("token")
      .toEqualTypeOf<string | undefined>()
    expectTypeOf(ambient.kubernetes).parameters.toExtend<[unknown?]>()
  })
})
