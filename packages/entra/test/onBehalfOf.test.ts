import { AssertionSource } from "@federate/core"
import type { Assertion } from "@federate/core"
import { onBehalfOf } from "@federate/entra"
import type { OnBehalfOfOptions } from "@federate/entra"
import type { Fetch } from "@federate/http"
import { assertionFor, flowContract, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const tenantId = "11111111-2222-3333-4444-555555555555"
const clientId = "66666666-7777-8888-9999-aaaaaaaaaaaa"
const token = "THE-ACCESS-TOKEN"
const scopes = ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"]
const workload = assertionFor("workload")
const alice = assertionFor("alice", 0, { aud: "api://another" })
const options: OnBehalfOfOptions = {
  tenantId,
  clientId,
  scopes,
  client: AssertionSource.fixed(workload, "workload")
}

const good = () =>
  Response.json({
    token_type: "Bearer",
    scope: "https://graph.microsoft.com/User.Read",
    expires_in: 3599,
    access_token: token
  })

const refusal = (code: number, error: string, more: Readonly<Record<string, unknown>> = {}) =>
  Response.json(
    {
      error,
      error_description: `AADSTS${code}: It said no.`,
      error_codes: [code],
      ...more
    },
    { status: 400 }
  )

tokenExchangerContract("Entra on behalf of a user", {
  make: (fetch) => onBehalfOf({ ...options, fetch }),
  well: good,
  life: 3599,
  secrets: [token],
  refused: [
    {
      name: "AADSTS500131",
      answer: () => refusal(500_131, "invalid_grant"),
      becomes: "Rejected",
      code: "AADSTS500131",
      hint: new RegExp(`token is for "party": .* of the app "${clientId}"`)
    },
    {
      name: "AADSTS500133",
      answer: () => refusal(500_133, "invalid_grant"),
      becomes: "Rejected",
      hint: /must fetch a new one/
    },
    {
      name: "AADSTS65001",
      answer: () => refusal(65_001, "invalid_grant", { suberror: "consent_required" }),
      becomes: "Rejected",
      hint: /consented to "https:\/\/graph.microsoft.com\/User.Read https/
    },
    {
      name: "AADSTS700213, of the app's own assertion",
      answer: () => refusal(700_213, "invalid_client"),
      becomes: "Rejected",
      remedy: "waitForTrust",
      hint: /subject is "workload"/
    },
    {
      name: "AADSTS90033",
      answer: () => refusal(90_033, "temporarily_unavailable"),
      becomes: "Transient"
    }
  ]
})

flowContract("A user for Entra", {
  make: (fetch) =>
    Effect.map(onBehalfOf({ ...options, fetch }), (exchanger) => ({
      source: AssertionSource.fixed(alice, "user"),
      exchanger
    })),
  well: good,
  requests: 1,
  secrets: [token]
})

/** What is sent in one exchange, each answered by the next of these, the last of them again and again. */
const exchanged = Effect.fnUntraced(function* (
  answers: ReadonlyArray<() => Response>,
  change: Partial<OnBehalfOfOptions> = {},
  request: { readonly scopes?: ReadonlyArray<string>; readonly claims?: string } = {}
) {
  const sent: Array<Readonly<Record<string, string>>> = []
  const fetch: Fetch = async (_url, { body }) => {
    sent.push(Object.fromEntries(new URLSearchParams(String(body))))
    return (answers[sent.length - 1] ?? answers.at(-1)!)()
  }
  const entra = yield* onBehalfOf({ ...options, ...change, fetch })
  const result = yield* Effect.result(entra.exchange(alice, request))
  return { sent, result }
})

describe("on behalf of a user", () => {
  it.effect("trades the user's token, and proves the app by an assertion of its own", () =>
    Effect.gen(function* () {
      const { result, sent } = yield* exchanged([good])
      assert.deepStrictEqual(sent, [
        {
          grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
          requested_token_use: "on_behalf_of",
          client_id: clientId,
          assertion: Redacted.value(alice.token),
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: Redacted.value(workload.token),
          scope: scopes.join(" ")
        }
      ])
      assert.isTrue(result._tag === "Success")
      if (result._tag === "Success")
        assert.deepStrictEqual(result.success.scopes, ["https://graph.microsoft.com/User.Read"])
    })
  )

  it.effect("asks for the caller's scopes, each once, with a challenge's claims", () =>
    Effect.gen(function* () {
      const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
      const asked = ["api://other/read", "api://other/read", "api://other/write"]
      const { sent } = yield* exchanged([good], {}, { scopes: asked, claims })
      assert.strictEqual(sent[0]?.["scope"], "api://other/read api://other/write")
      assert.strictEqual(sent[0]?.["claims"], claims)
      const capable = yield* exchanged([good], { clientCapabilities: ["cp1"] })
      assert.include(capable.sent[0]?.["claims"], '"xms_cc":{"values":["cp1"]}')
    })
  )

  it.effect("takes a fresh assertion of the app's once where that one is out of its time", () =>
    Effect.gen(function* () {
      const stale = () => refusal(700_024, "invalid_client")
      const requests: Array<Assertion.Assertion | undefined> = []
      const client = AssertionSource.make({
        name: "minting",
        assertion: ({ rejected }) =>
          Effect.sync(() => assertionFor(`mint-${requests.push(rejected)}`))
      })
      const cured = yield* exchanged([stale, good], { client })
      assert.strictEqual(cured.result._tag, "Success")
      assert.deepStrictEqual(
        requests.map((rejected) => rejected?.subject),
        [undefined, "mint-1"]
      )
      const again = yield* exchanged([stale], { client })
      assert.strictEqual(again.sent.length, 2)
      // The flow over it must not look for another user.
      assert.isTrue(
        again.result._tag === "Failure" &&
          again.result.failure.reason._tag === "Rejected" &&
          again.result.failure.reason.remedy === "none"
      )
    })
  )

  it.effect("hands out what the user must bring where the user alone can cure it", () =>
    Effect.gen(function* () {
      const claims = `{"access_token":{"capolids":{"essential":true,"values":["${"x".repeat(2000)}"]}}}`
      const { result } = yield* exchanged([
        () => refusal(50_076, "interaction_required", { claims })
      ])
      const reason = result._tag === "Failure" ? result.failure.reason : undefined
      assert.isTrue(reason?._tag === "Rejected" && reason.claims === claims)
      assert.isTrue(
        reason?._tag === "Rejected" && /`claims` to the user's client/.test(reason.hint)
      )
      const unreadable = yield* exchanged([
        () => refusal(50_076, "interaction_required", { claims: "{" })
      ])
      const other = unreadable.result._tag === "Failure" && unreadable.result.failure.reason
      assert.isTrue(other && other._tag === "Rejected" && other.claims === undefined)
    })
  )

  it.effect(
    "is refused before any call where scopes, settings or the app's source cannot work",
    () =>
      Effect.gen(function* () {
        for (const wrong of [[], ["a b"], [""], ["ä"]]) {
          const { result, sent } = yield* exchanged([good], {}, { scopes: wrong })
          assert.strictEqual(sent.length, 0)
          assert.match(result._tag === "Failure" ? result.failure.message : "", /: scopes: /)
        }
        const made = (change: Partial<OnBehalfOfOptions>) =>
          Effect.map(Effect.flip(onBehalfOf({ ...options, ...change })), ({ message }) => message)
        assert.match(yield* made({ tenantId: "common" }), /^entra-on-behalf-of: tenantId: /)
        const elliptic = { ...options.client, offers: { algorithms: ["ES384"] } }
        assert.match(yield* made({ client: elliptic }), /signs with ES384/)
      })
  )
})
