/** openid-client, unmodified, at a broker's token endpoint: from a CI job's own token to Microsoft Graph. */
import type { Sandbox } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeJwt } from "jose"
import * as OpenId from "openid-client"
import { brokerOf, cloud, readGraph, resource, sha256 } from "./surroundings.ts"

const sandbox = cloud()

const grant = "urn:ietf:params:oauth:grant-type:token-exchange"
const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const audience = "api://AzureADTokenExchange"

/** Lets the first journey's application be who the issuer `ci` says it is. */
const trustIn = (subject: string) =>
  Effect.promise(async () => {
    const { entra, http, issuerUrl } = sandbox()
    const response = await fetch(
      `${http}/v1.0/applications(appId='${entra.clientId}')/federatedIdentityCredentials`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${entra.adminToken}` },
        body: JSON.stringify({
          name: "ci-main",
          issuer: issuerUrl("ci"),
          subject,
          audiences: [audience]
        })
      }
    )
    assert.strictEqual(response.status, 201, await response.text())
  })

const policies = () => `
  azure: { flow: graph }
  tokenExchange:
    policies:
      forward:
        issuer: ${sandbox().issuerUrl("ci")}
        audience: [${audience}]
        subject: repo:org/app:*
        claims: { environment: [staging, prod*] }
        flows: [graph]
        scopes: [${resource}/.default]
      own:
        issuer: ${sandbox().issuerUrl("ci")}
        audience: broker
        subject: repo:org/app:main
        algorithms: [RS256]
        flows: [graph]
        mode: flow
`

/** A broker of a file with these policies, and openid-client as its metadata sets it up. */
const client = Effect.gen(function* () {
  yield* Effect.acquireRelease(
    Effect.sync(() => sandbox().trust()),
    (undo) => Effect.sync(undo)
  )
  const { handed, origin } = yield* brokerOf(sandbox(), policies())
  const config = yield* Effect.promise(() =>
    OpenId.discovery(new URL(origin), "anybody", undefined, OpenId.None(), {
      algorithm: "oauth2",
      execute: [OpenId.allowInsecureRequests]
    })
  )
  const ask = (token: string, more: Record<string, string> = {}) =>
    OpenId.genericGrantRequest(config, grant, {
      subject_token: token,
      subject_token_type: tokenType("jwt"),
      ...more
    })
  const trade = (...asked: Parameters<typeof ask>) => Effect.promise(() => ask(...asked))
  /** What it throws. */
  const refusal = (...asked: Parameters<typeof ask>) =>
    Effect.promise(() =>
      ask(...asked).then(
        () => assert.fail("it was not refused"),
        (thrown: unknown) => thrown
      )
    )
  const issue = (sub: string, more: Partial<Parameters<Sandbox.Sandbox["issueToken"]>[1]> = {}) =>
    Effect.promise(() =>
      sandbox().issueToken("ci", {
        subject: sub,
        audience,
        claims: { environment: "production" },
        ...more
      })
    )
  return { handed, issue, refusal, trade }
})

describe("openid-client", () => {
  it.live("trades a job's own token for Entra's, which trusts that job", () =>
    Effect.gen(function* () {
      const { handed, issue, trade } = yield* client
      yield* trustIn("repo:org/app:main")
      const scope = `${resource}/.default`
      const got = yield* trade(yield* issue("repo:org/app:main"), { scope })
      assert.strictEqual(got["issued_token_type"], tokenType("access_token"))
      assert.strictEqual(got.token_type, "bearer")
      assert.isTrue((got.expiresIn() ?? 0) > 3500)
      const { appid, aud, roles, tid } = decodeJwt(got.access_token)
      assert.deepEqual(
        { appid, aud, roles, tid },
        {
          appid: sandbox().entra.clientId,
          aud: resource,
          roles: ["Application.Read.All"],
          tid: sandbox().entra.tenantId
        }
      )
      yield* readGraph(sandbox(), got.access_token)
      const [told] = handed
      assert.deepInclude(told, {
        protocol: "token-exchange",
        flow: "graph",
        scope,
        tokenHash: sha256(got.access_token),
        subject: `${sandbox().issuerUrl("ci")} repo:org/app:main`
      })
    })
  )

  it.live("is told what Entra says to a job that it does not trust", () =>
    Effect.gen(function* () {
      const { issue, refusal } = yield* client
      const token = yield* issue("repo:org/app:stranger")
      // A trust that was just set up gets a second: until then the broker says 503.
      const error = yield* refusal(token).pipe(
        Effect.repeat({ until: (caught) => caught instanceof OpenId.ResponseBodyError, times: 9 })
      )
      assert.isTrue(error instanceof OpenId.ResponseBodyError)
      if (!(error instanceof OpenId.ResponseBodyError)) return
      assert.deepEqual([error.status, error.error], [400, "invalid_request"])
      assert.match(error.error_description ?? "", /AADSTS700213.*repo:org\/app:stranger/)
    })
  )

  it.live("gets the flow's own token where the policy says so", () =>
    Effect.gen(function* () {
      const { issue, trade } = yield* client
      const calls = sandbox().count("cognito.GetOpenIdTokenForDeveloperIdentity")
      const got = yield* trade(yield* issue("repo:org/app:main", { audience: "broker" }))
      assert.strictEqual(decodeJwt(got.access_token)["appid"], sandbox().entra.clientId)
      assert.strictEqual(sandbox().count("cognito.GetOpenIdTokenForDeveloperIdentity"), calls + 1)
    })
  )
})
