/** Flows of a `federate.yaml` into AWS and out of it, against the sandbox: real HTTP, real keys, real errors. */
import {
  CreateIdentityPoolCommand,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import * as aws from "@federate/aws/adapter"
import * as cognito from "@federate/cognito/adapter"
import { decode } from "@federate/config"
import { Assertion, AssertionSource, FlowMetrics } from "@federate/core"
import type { AccessToken, Adapter, AwsCredentials, Credential, Flow } from "@federate/core"
import * as entra from "@federate/entra/adapter"
import * as google from "@federate/google/adapter"
import type { Platform } from "@federate/http"
import { remoteKeys, verify } from "@federate/oidc"
import { Fault, Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Fiber, Metric, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { cognitoClient } from "../aws.ts"
import { trust as googleTrust } from "../google/google.ts"
import { graph, until } from "../running.ts"
import {
  allow,
  callerOf as awsCaller,
  createRole,
  enableOutbound,
  federated,
  trustIssuer
} from "../sts.ts"

const subject = "repo:octo/app:ref:refs/heads/main"
const github = { aws: { trust: { issuer: "github", subject: "repo:octo/app:*" } } }

const platformConfig = Schema.Struct({
  issuer: Schema.String,
  subject: Schema.optionalKey(Schema.String),
  lifetime: Schema.optionalKey(Schema.Number)
})

/** One of the sandbox's plain issuers as the platform that this workload runs on, such as GitHub Actions. */
const platform = (
  sandbox: Sandbox.Sandbox
): Adapter.SourceAdapter<typeof platformConfig, typeof platformConfig.Type, Platform> => ({
  type: "platform",
  description: "The tests' own platform",
  metered: false,
  config: platformConfig,
  make: ({ issuer, lifetime = 300_000, ...asked }) =>
    Effect.succeed(
      AssertionSource.make({
        name: "platform",
        offers: { audience: "any" },
        assertion: Effect.fnUntraced(function* ({ audience, preferredAudience = "nobody" }) {
          const token = yield* Effect.promise(() =>
            sandbox.issueToken(issuer, {
              subject,
              audience: audience ?? preferredAudience,
              lifetime,
              ...asked
            })
          )
          return yield* Effect.fromResult(
            Assertion.fromJwt(Redacted.make(token), { obtainedAt: Date.now() })
          )
        })
      })
    )
})

/** A sandbox whose variables this process has, as a workload on AWS would. */
const start = Effect.fnUntraced(function* (options: Options = {}) {
  const sandbox = yield* Sandbox.make(options)
  // Whoever runs the tests may be signed in to the real AWS.
  const own = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined }
  yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
  for (const [name, value] of Object.entries({ ...own, ...sandbox.env })) vi.stubEnv(name, value)
  return sandbox
})

/** The flow that a config file describes. */
const flowOf = Effect.fnUntraced(function* (
  sandbox: Sandbox.Sandbox,
  inside: string,
  variables: Readonly<Record<string, string | undefined>> = {}
) {
  const { flows } = yield* decode(`flows:\n  x:\n${inside.replace(/^/gm, "    ")}`, {
    file: "federate.yaml",
    adapters: {
      sources: [aws.source, cognito.source, cognito.loginSource, platform(sandbox)],
      exchangers: [aws.exchanger, cognito.exchanger, entra.exchanger, google.exchanger]
    },
    platform: {},
    environment: (name) => ({ HTTP: sandbox.http, ...sandbox.env, ...variables })[name]
  }).pipe(Effect.orDie)
  return yield* flows.get("x")!.make()
})

/** How often such flows have begun to wait for another attempt after a refusal. */
const retries = Metric.value(
  Metric.withAttributes(FlowMetrics.retries, { flow: "x", reason: "Rejected" })
).pipe(Effect.map(({ count }) => count))

/** Why a flow that is made brings nothing. */
const reasonOf = (flow: Flow.Flow<Credential.Credential>) =>
  Effect.map(Effect.flip(flow.credential()), ({ reason }) => reason)

/** Who AWS says that a credential's holder is; the flow's exchanger issues these. */
const callerOf = (sandbox: Sandbox.Sandbox, credential: Credential.Credential) =>
  Effect.promise(() => awsCaller(sandbox, credential as AwsCredentials))

const intoAws = (source = "type: platform, issuer: github", more = "") => `
source: { ${source} }
exchanger: { type: aws, roleArn: "\${AWS_ROLE_ARN}", region: "\${AWS_REGION}", endpoint: "\${HTTP}" ${more} }
retry: { attempts: 1 }`

describe("from GitHub into AWS", () => {
  it.live("brings a role's credentials, whose calls AWS accepts", () =>
    Effect.gen(function* () {
      const sandbox = yield* start(github)
      const flow = yield* flowOf(sandbox, intoAws())
      const credential = yield* flow.credential()
      assert.closeTo(credential.expiresAt - credential.obtainedAt, 3_600_000, 2000)
      assert.strictEqual(
        yield* callerOf(sandbox, credential),
        `arn:aws:sts::${sandbox.aws.accountId}:assumed-role/federated/federate`
      )
    })
  )

  it.live("asks for as long, and as little, as the file says", () =>
    Effect.gen(function* () {
      const sandbox = yield* start(github)
      const policy = `{ Statement: { Effect: Deny, Action: "*", Resource: "*" } }`
      const flow = yield* flowOf(
        sandbox,
        intoAws(undefined, `, duration: 15m, roleSessionName: ci, policy: ${policy}`)
      )
      const credential = yield* flow.credential()
      assert.closeTo(credential.expiresAt - credential.obtainedAt, 900_000, 2000)
      // Who one is, AWS always tells.
      assert.match(yield* callerOf(sandbox, credential), /assumed-role\/federated\/ci$/)
    })
  )

  const refusals: ReadonlyArray<
    readonly [what: string, source: string, more: string, code: string, hint: RegExp]
  > = [
    [
      "another repository",
      "type: platform, issuer: github, subject: 'repo:evil/app'",
      "",
      "AccessDenied",
      /"Federated": "arn:aws:iam::111122223333:oidc-provider\/localhost:\d+\/issuers\/github".*:sub" = "repo:evil\/app"/
    ],
    [
      "a role that is not there",
      "type: platform, issuer: github",
      ", roleArn: arn:aws:iam::111122223333:role/nobody",
      "AccessDenied",
      /Either there is no role arn:aws:iam::111122223333:role\/nobody, or/
    ],
    [
      "an issuer that the account does not know",
      "type: platform, issuer: gitlab",
      "",
      "InvalidIdentityToken",
      /create-open-id-connect-provider --url https:\/\/localhost:\d+\/issuers\/gitlab --client-id-list sts.amazonaws.com`/
    ],
    [
      "an audience that the provider does not list",
      "type: platform, issuer: github",
      ", audience: another",
      "InvalidIdentityToken",
      /that lists the audience another/
    ],
    [
      "more time than the role gives",
      "type: platform, issuer: github",
      ", duration: 2h",
      "ValidationError",
      /MaxSessionDuration/
    ]
  ]
  for (const [what, source, more, code, hint] of refusals) {
    it.live(`is refused ${what}, with what to compare`, () =>
      Effect.gen(function* () {
        const sandbox = yield* start(github)
        const yaml = intoAws(source, more)
        const flow = yield* flowOf(
          sandbox,
          more.includes("roleArn") ? yaml.replace(/roleArn: "[^"]*", /, "") : yaml
        )
        const reason = yield* reasonOf(flow)
        assert.isTrue(reason._tag === "Rejected" && reason.code === code, visible(reason))
        assert.match(reason._tag === "Rejected" ? reason.hint : "", hint)
      })
    )
  }

  it.live("says that a clock is wrong where a brand-new assertion has ended", () =>
    Effect.gen(function* () {
      const sandbox = yield* start(github)
      sandbox.skew("sts", 3_600_000)
      const reason = yield* reasonOf(yield* flowOf(sandbox, intoAws()))
      assert.isTrue(
        reason._tag === "Rejected" && reason.code === "ExpiredTokenException",
        visible(reason)
      )
      assert.match(reason._tag === "Rejected" ? reason.hint : "", /a clock is wrong/)
    })
  )

  it.live("tries again while AWS cannot reach the issuer, and while it is busy", () =>
    Effect.gen(function* () {
      const sandbox = yield* start(github)
      const flow = yield* flowOf(sandbox, intoAws().replace("attempts: 1", "firstDelay: 1ms"))
      sandbox.fault("issuer.discovery", Fault.reset, { first: 1 })
      sandbox.fault("sts.AssumeRoleWithWebIdentity", Fault.throttled(), { call: 2 })
      yield* flow.credential()
      assert.strictEqual(sandbox.count("sts.AssumeRoleWithWebIdentity"), 3)
    })
  )

  it.effect("waits for a trust that is being set up, when asked", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const sandbox = yield* start({ setup: "empty" })
      const flow = yield* flowOf(sandbox, intoAws().replace("attempts: 1", "waitForTrust: 5m"), {
        AWS_ROLE_ARN: `arn:aws:iam::${sandbox.aws.accountId}:role/late`
      })
      // The issuer's key is made at its first token, and takes its time.
      yield* Effect.promise(() => sandbox.issueToken("github", { subject, audience: "nobody" }))
      const before = yield* retries
      const caller = yield* Effect.forkChild(flow.credential())
      yield* until(Effect.map(retries, (count) => count > before))
      yield* Effect.promise(async () =>
        createRole(
          sandbox,
          "late",
          federated(await trustIssuer(sandbox, sandbox.issuerUrl("github"), "sts.amazonaws.com"))
        )
      )
      const isDone = () => caller.pollUnsafe() !== undefined
      // Each attempt is really made before time passes to the next one.
      for (let made = yield* retries; !isDone(); made++) {
        yield* until(Effect.map(retries, (count) => isDone() || count >= made))
        yield* TestClock.adjust("5 seconds")
      }
      assert.match(yield* callerOf(sandbox, yield* Fiber.join(caller)), /\/late\/federate$/)
    })
  )
})

const intoEntra = (source = "") => `
source: { type: aws, endpoint: "\${HTTP}" ${source} }
exchanger:
  type: entra
  tenantId: \${AZURE_TENANT_ID}
  clientId: \${AZURE_CLIENT_ID}
  authorityHost: \${HTTP}
  scopes: [https://graph.microsoft.com/.default]
retry: { attempts: 1 }`

/** The account's own issuer, switched on, with a role that may ask for its tokens, and an app that trusts them. */
const outbound = Effect.fnUntraced(function* (options: Options = {}) {
  const sandbox = yield* start(options)
  const issuer = yield* Effect.promise(async () => {
    await allow(sandbox, "federate-workload", "sts:GetWebIdentityToken")
    const enabled = await enableOutbound(sandbox)
    await graph(sandbox).create(
      `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`,
      {
        name: "aws",
        issuer: enabled,
        subject: sandbox.aws.workload.roleArn,
        audiences: ["api://AzureADTokenExchange"]
      }
    )
    return enabled
  })
  return { sandbox, issuer }
})

describe("from AWS into Entra", () => {
  it.live("brings a token that Graph takes", () =>
    Effect.gen(function* () {
      const { issuer, sandbox } = yield* outbound()
      const flow = yield* flowOf(sandbox, intoEntra(`, duration: 1m, issuer: "${issuer}"`))
      // Entra issues these.
      const { token } = (yield* flow.credential()) as AccessToken
      const { value } = yield* Effect.promise(() =>
        graph(sandbox, Redacted.value(token)).get("applications")
      )
      assert.isArray(value)
      assert.strictEqual(sandbox.count("sts.GetWebIdentityToken"), 1)
    })
  )

  it.live("cannot be with ES384, which Entra does not take: told when the flow is made", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* outbound()
      const { message, reason } = yield* Effect.flip(
        flowOf(sandbox, intoEntra(", signingAlgorithm: ES384"))
      )
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.match(message, /entra takes RS256.*, and aws signs with ES384/)
      assert.strictEqual(sandbox.count("sts.*"), 0)
    })
  )

  it.live("is refused where outbound federation is off, with how to switch it on", () =>
    Effect.gen(function* () {
      const sandbox = yield* start()
      yield* Effect.promise(() => allow(sandbox, "federate-workload", "sts:GetWebIdentityToken"))
      const reason = yield* reasonOf(yield* flowOf(sandbox, intoEntra()))
      assert.isTrue(
        reason._tag === "Rejected" && /enable-outbound-web-identity-federation/.test(reason.hint),
        visible(reason)
      )
    })
  )

  it.live("is refused to a role that may not ask, with what it needs", () =>
    Effect.gen(function* () {
      const sandbox = yield* start()
      yield* Effect.promise(() => enableOutbound(sandbox))
      const reason = yield* reasonOf(yield* flowOf(sandbox, intoEntra()))
      assert.isTrue(reason._tag === "Rejected" && reason.code === "AccessDenied", visible(reason))
      assert.match(
        reason._tag === "Rejected" ? reason.hint : "",
        /needs `sts:GetWebIdentityToken` on "\*", for the audience api:\/\/AzureADTokenExchange/
      )
    })
  )

  it.live("is refused with another account's issuer pinned", () =>
    Effect.gen(function* () {
      const { issuer, sandbox } = yield* outbound()
      const reason = yield* reasonOf(
        yield* flowOf(sandbox, intoEntra(", issuer: https://issuer.example"))
      )
      assert.isTrue(reason._tag === "Misconfigured" && reason.problem.includes(issuer))
    })
  )

  it.live("is refused where Entra trusts another subject, with the role's ARN to compare", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* outbound()
      const path = `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
      yield* Effect.promise(async () => {
        const { value } = await graph(sandbox).get(path)
        // Graph's list; the second one is AWS's.
        const { id } = (value as ReadonlyArray<{ id: string; name: string }>).find(
          ({ name }) => name === "aws"
        )!
        await graph(sandbox).patch(`${path}/${id}`, {
          subject: `arn:aws:sts::${sandbox.aws.accountId}:assumed-role/federate-workload/sandbox`
        })
      })
      const reason = yield* reasonOf(yield* flowOf(sandbox, intoEntra()))
      assert.isTrue(reason._tag === "Rejected" && reason.code === "AADSTS700213", visible(reason))
      assert.include(
        reason._tag === "Rejected" ? reason.hint : "",
        `"${sandbox.aws.workload.roleArn}"`
      )
    })
  )
})

describe("from AWS into Google", () => {
  const intoGoogle = (source = "") => `
source: { type: aws, endpoint: "\${HTTP}" ${source} }
exchanger:
  type: google
  audience: \${GOOGLE_PROVIDER}
  stsEndpoint: \${HTTP}/v1/token
retry: { attempts: 1 }`

  it.live("brings a token, signed by what Google takes", () =>
    Effect.gen(function* () {
      const { issuer, sandbox } = yield* outbound()
      const { audience } = yield* Effect.promise(() =>
        googleTrust(sandbox, { oidc: { issuerUri: issuer } })
      )
      const flow = yield* flowOf(sandbox, intoGoogle(), { GOOGLE_PROVIDER: audience })
      assert.propertyVal(yield* flow.credential(), "_tag", "AccessToken")
      const { message } = yield* Effect.flip(
        flowOf(sandbox, intoGoogle(", signingAlgorithm: ES384"), { GOOGLE_PROVIDER: audience })
      )
      assert.match(message, /google takes RS256, ES256, and aws signs with ES384/)
    })
  )
})

const own = `source: { type: aws, endpoint: "\${HTTP}", audiences: [me], signingAlgorithm: ES384 }`

describe("AWS's own token", () => {
  it.live("is signed with ES384 for who is named so, and verified by anyone", () =>
    Effect.gen(function* () {
      const { issuer, sandbox } = yield* outbound()
      const flow = yield* flowOf(sandbox, own)
      // A flow without an exchanger hands out its assertion in this form.
      const { token } = (yield* flow.credential()) as AccessToken
      const keys = yield* remoteKeys({
        issuer,
        fetch: (url, init) => fetch(url.replace(sandbox.https, sandbox.http), init)
      })
      const { claims } = yield* verify(token, {
        keys,
        algorithms: ["ES384"],
        issuer,
        audience: "me",
        subject: sandbox.aws.workload.roleArn
      })
      assert.strictEqual(claims["aud"], "me")
    })
  )

  it.live("does not go back into AWS: told when the flow is made", () =>
    Effect.gen(function* () {
      const sandbox = yield* start(github)
      // What is known is known of AWS itself, in the region that a workload there has.
      vi.stubEnv("AWS_ENDPOINT_URL_STS", undefined)
      const { message, reason } = yield* Effect.flip(flowOf(sandbox, intoAws("type: aws")))
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.match(
        message,
        /aws does not take the assertions of aws, whose issuer is in tokens\.sts/
      )
    })
  )
})

describe("clocks", () => {
  it.live("that differ by minutes do not shorten or lengthen what AWS gives", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* outbound(github)
      sandbox.skew("sts", 4 * 60_000)
      const credential = yield* (yield* flowOf(sandbox, intoAws())).credential()
      assert.closeTo(credential.expiresAt - credential.obtainedAt, 3_600_000, 2000)
      for (const minutes of [-4, 4]) {
        sandbox.skew("sts", minutes * 60_000)
        const flow = yield* flowOf(sandbox, own)
        const { expiresAt, obtainedAt } = yield* flow.credential()
        assert.strictEqual(expiresAt - obtainedAt, 300_000)
        assert.approximately(obtainedAt, Date.now(), 60_000)
      }
    })
  )

  it.live("that differ by more cost one attempt, for a signature is not taken then", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* outbound()
      sandbox.skew("sts", -20 * 60_000)
      const flow = yield* flowOf(sandbox, `${own}\nretry: { attempts: 2, firstDelay: 1ms }`)
      yield* flow.credential()
      assert.strictEqual(sandbox.count("sts.GetWebIdentityToken"), 2)
    })
  )
})

describe("from GitHub through Cognito", () => {
  /** A pool that GitHub's assertions log in to, with a role for who does. */
  const pool = Effect.fnUntraced(function* (options: { readonly classic?: boolean } = {}) {
    const sandbox = yield* start()
    const identityPoolId = yield* Effect.promise(async () => {
      const provider = await trustIssuer(
        sandbox,
        sandbox.issuerUrl("github"),
        "cognito-identity.amazonaws.com"
      )
      const { IdentityPoolId } = await cognitoClient(sandbox).send(
        new CreateIdentityPoolCommand({
          IdentityPoolName: "github",
          AllowUnauthenticatedIdentities: false,
          AllowClassicFlow: options.classic ?? true,
          OpenIdConnectProviderARNs: [provider]
        })
      )
      assert.isDefined(IdentityPoolId)
      const authenticated = await createRole(
        sandbox,
        "from-github",
        federated("cognito-identity.amazonaws.com", {
          StringEquals: { "cognito-identity.amazonaws.com:aud": IdentityPoolId },
          "ForAnyValue:StringLike": { "cognito-identity.amazonaws.com:amr": "authenticated" }
        })
      )
      await cognitoClient(sandbox).send(
        new SetIdentityPoolRolesCommand({ IdentityPoolId, Roles: { authenticated } })
      )
      return IdentityPoolId
    })
    // Nothing here needs keys of AWS's.
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, undefined)
    return { sandbox, identityPoolId }
  })

  const login = `
source:
  type: cognito-login
  identityPoolId: \${POOL}
  endpoint: \${HTTP}
  source: { type: platform, issuer: github }
retry: { attempts: 1 }`

  it.live("brings credentials of the pool's role", () =>
    Effect.gen(function* () {
      const { identityPoolId, sandbox } = yield* pool()
      const flow = yield* flowOf(
        sandbox,
        `${login}
exchanger: { type: cognito, identityPoolId: "\${POOL}", endpoint: "\${HTTP}" }`,
        { POOL: identityPoolId }
      )
      const credential = yield* flow.credential()
      assert.match(
        yield* callerOf(sandbox, credential),
        /assumed-role\/from-github\/CognitoIdentityCredentials$/
      )
    })
  )

  it.live("brings an Entra token, where the identity is trusted", () =>
    Effect.gen(function* () {
      const { identityPoolId, sandbox } = yield* pool()
      const made = yield* flowOf(sandbox, login, { POOL: identityPoolId })
      // A flow without an exchanger hands out its assertion in this form.
      const { token } = (yield* made.credential()) as AccessToken
      const { subject: identity } = yield* Effect.fromResult(
        Assertion.fromJwt(token, { obtainedAt: 0 })
      )
      yield* Effect.promise(() =>
        graph(sandbox).create(
          `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`,
          {
            name: "github",
            issuer: sandbox.issuer,
            subject: identity,
            audiences: [identityPoolId]
          }
        )
      )
      const flow = yield* flowOf(
        sandbox,
        intoEntra().replace(/source:.*/, login.replace(/retry:.*/, "")),
        { POOL: identityPoolId }
      )
      assert.propertyVal(yield* flow.credential(), "_tag", "AccessToken")
    })
  )

  it.live("is refused without the classic flow, with what the pool needs", () =>
    Effect.gen(function* () {
      const { identityPoolId, sandbox } = yield* pool({ classic: false })
      const reason = yield* reasonOf(yield* flowOf(sandbox, login, { POOL: identityPoolId }))
      assert.isTrue(
        reason._tag === "Rejected" && reason.code === "NotAuthorizedException",
        visible(reason)
      )
      assert.match(
        reason._tag === "Rejected" ? `${reason.description} ${reason.hint}` : "",
        /classic.* not enabled.*AllowClassicFlow/
      )
    })
  )
})
