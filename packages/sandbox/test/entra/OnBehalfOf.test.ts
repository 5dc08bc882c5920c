/** Entra on behalf of users: Federate's own flows, one for each user, and what the stand-in refuses. */
import { source } from "@federate/cognito"
import { Assertion, AssertionSource, Flow } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { onBehalfOf } from "@federate/entra"
import { send } from "@federate/http"
import { Sandbox } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, RcMap, Redacted, Result } from "effect"

const graph = "https://graph.microsoft.com"

/** The first journey's application, which serves users; each of their tokens has a flow of its own. */
const serving = Effect.fnUntraced(function* (consented = [`${graph}/User.Read`]) {
  const sandbox = yield* Sandbox.make()
  for (const scope of consented) sandbox.consent(scope)
  const { accessKeyId, secretAccessKey } = sandbox.aws.workload
  const workload = yield* source({
    identityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? "",
    logins: { "my.dev.provider": "my_user_id" },
    endpoint: sandbox.http,
    credentials: { accessKeyId, secretAccessKey }
  })
  const exchanger = yield* onBehalfOf({
    tenantId: sandbox.entra.tenantId,
    clientId: sandbox.entra.clientId ?? "",
    authorityHost: sandbox.http,
    client: yield* AssertionSource.cached(workload),
    scopes: [`${graph}/User.Read`]
  })
  const flows = yield* RcMap.make({
    lookup: (token: Redacted.Redacted) =>
      Effect.gen(function* () {
        const assertion = Assertion.fromJwt(token, { obtainedAt: 0 })
        const user = AssertionSource.fixed(Result.getOrThrow(assertion), "user")
        return yield* Flow.make({ name: "graph for a user", source: user, exchanger })
      }),
    idleTimeToLive: "10 minutes"
  })
  /** A token of Graph's for whoever has sent this one. */
  const tokenFor = (user: string, request = {}) =>
    Effect.scoped(
      Effect.flatMap(RcMap.get(flows, Redacted.make(user)), (flow) => flow.credential(request))
    )
  const userToken = (asked?: Sandbox.UserTokenOptions) =>
    Effect.promise(() => sandbox.userToken(asked))
  return { sandbox, tokenFor, userToken }
})

const me = Effect.fnUntraced(function* (sandbox: Sandbox.Sandbox, credential: AccessToken) {
  const authorization = `Bearer ${Redacted.value(credential.token)}`
  const answer = yield* send({ url: `${sandbox.http}/v1.0/me`, headers: { authorization } })
  return { status: answer.status, body: JSON.parse(new TextDecoder().decode(answer.body)) }
})

describe("on behalf of users", () => {
  it.live("each is served by a token of his own, which is remembered for him alone", () =>
    Effect.gen(function* () {
      const { sandbox, tokenFor, userToken } = yield* serving()
      const [alice, bob] = [
        yield* userToken({ user: "alice@sandbox.onmicrosoft.com" }),
        yield* userToken({ user: "bob@sandbox.onmicrosoft.com" })
      ]
      const forAlice = yield* tokenFor(alice)
      assert.deepInclude((yield* me(sandbox, forAlice)).body, { displayName: "alice" })
      const forBob = yield* tokenFor(bob)
      assert.deepInclude((yield* me(sandbox, forBob)).body, { displayName: "bob" })
      assert.deepStrictEqual(forAlice.scopes, [`${graph}/User.Read`])
      assert.strictEqual(sandbox.count("entra.token"), 2)

      assert.strictEqual(yield* tokenFor(alice), forAlice)
      assert.strictEqual(yield* tokenFor(bob), forBob)
      assert.strictEqual(sandbox.count("entra.token"), 2)
      // The application's own assertion is everybody's.
      assert.strictEqual(sandbox.count("cognito.GetOpenIdTokenForDeveloperIdentity"), 1)

      // Another sign-in of the same user is another token.
      const again = yield* tokenFor(yield* userToken({ user: "alice@sandbox.onmicrosoft.com" }))
      assert.notStrictEqual(again, forAlice)
    }).pipe(Effect.scoped)
  )

  it.live("short names are Graph's, and all that was consented to comes along", () =>
    Effect.gen(function* () {
      const { tokenFor, userToken } = yield* serving([`${graph}/User.Read`, `${graph}/Mail.Read`])
      const user = yield* userToken()
      for (const scopes of [["User.Read", "openid"], [`${graph}/.default`]]) {
        const { scopes: granted } = yield* tokenFor(user, { scopes })
        assert.deepStrictEqual(granted, [`${graph}/User.Read`, `${graph}/Mail.Read`])
      }
    }).pipe(Effect.scoped)
  )

  it.live("every refusal is told with its one fix", () =>
    Effect.gen(function* () {
      const { sandbox, tokenFor, userToken } = yield* serving()
      const refused = Effect.fnUntraced(function* (user: string, request = {}) {
        const { reason } = yield* Effect.flip(tokenFor(user, request))
        assert.isTrue(reason._tag === "Rejected", reason._tag)
        if (reason._tag !== "Rejected") return []
        assert.strictEqual(reason.remedy, "none")
        return [reason.code, reason.hint]
      })
      const check = (told: ReadonlyArray<string>, code: string, hint: RegExp) => {
        assert.strictEqual(told[0], code)
        assert.match(told[1] ?? "", hint)
      }
      const user = yield* userToken()
      const clientId = sandbox.entra.clientId ?? ""
      check(
        yield* refused(yield* userToken({ audience: "api://another" })),
        "AADSTS500131",
        /for "api:\/\/another": /
      )
      check(yield* refused(yield* userToken({ lifetime: -600_000 })), "AADSTS500133", /new one/)
      const foreign = yield* Effect.promise(() =>
        sandbox.issueToken("elsewhere", { subject: "x", audience: clientId })
      )
      check(yield* refused(foreign), "AADSTS50013", /issuers\/elsewhere", was not signed/)
      const app = yield* Effect.promise(() => sandbox.accessToken({ audience: clientId }))
      check(yield* refused(app), "AADSTS7000114", /client credentials/)
      const mail = { scopes: [`${graph}/Mail.Read`] }
      check(yield* refused(user, mail), "AADSTS65001", /consented to "https:\S+Mail.Read" for/)
      const unknown = { scopes: [`${graph}/Nonsense`] }
      check(yield* refused(user, unknown), "AADSTS65005", /Nonsense/)
      const two = { scopes: ["User.Read", "https://vault.azure.net/user_impersonation"] }
      assert.strictEqual((yield* refused(user, two))[0], "AADSTS28000")
    }).pipe(Effect.scoped)
  )

  it.live("Graph tells a user from an application", () =>
    Effect.gen(function* () {
      const { sandbox, tokenFor, userToken } = yield* serving([`${graph}/Mail.Read`])
      const scopes = [`${graph}/.default`]
      const withoutProfile = yield* tokenFor(yield* userToken(), { scopes })
      assert.strictEqual((yield* me(sandbox, withoutProfile)).status, 403)
      const app = yield* Effect.promise(() => sandbox.accessToken())
      const answer = yield* me(sandbox, { ...withoutProfile, token: Redacted.make(app) })
      assert.strictEqual(answer.status, 400)
      assert.match(answer.body.error.message, /delegated authentication/)
    }).pipe(Effect.scoped)
  )
})
