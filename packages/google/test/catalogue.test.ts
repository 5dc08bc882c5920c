import { byReason, byStatus, exchanger, securityTokenService } from "@federate/google"
import { assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { apiError, audience, refusedBy, serviceAccount, stsError, two } from "./google.ts"

/** Words that Google is known to say, by code and by what the hint must come to. */
const known: ReadonlyArray<readonly [code: string, words: string, remedy: string, hint: RegExp]> = [
  [
    "invalid_request",
    'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
    "none",
    /project's number and not its id/
  ],
  [
    "invalid_request",
    "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
    "none",
    /has 128 bytes, and Google takes 127/
  ],
  ["invalid_request", "Something else.", "none", /malformed/],
  [
    "invalid_target",
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    "waitForTrust",
    /compare project number, pool and provider/
  ],
  [
    "invalid_grant",
    "The audience in ID Token [party] does not match the expected audience.",
    "none",
    /`allowedAudience`/
  ],
  ["invalid_grant", "ID Token issued at 0 is stale to sign-in.", "freshAssertion", /clocks/],
  [
    "invalid_grant",
    "Error connecting to the given credential's issuer.",
    "waitForTrust",
    /could not fetch the keys of https:\/\/issuer\.example/
  ],
  ["invalid_grant", "Unable to obtain signing keys.", "waitForTrust", /--jwk-json-path/],
  [
    "invalid_grant",
    "The issuer in ID Token https://issuer.example does not match the expected one.",
    "none",
    /trailing slash/
  ],
  ["invalid_grant", "Invalid JWT Signature.", "none", /RS256 and ES256/],
  ["invalid_grant", "Words of tomorrow.", "none", /did not believe the token/],
  [
    "unauthorized_client",
    "The given credential is rejected by the attribute condition.",
    "none",
    /attribute condition refuses/
  ],
  [
    "unauthorized_client",
    "The mapped attribute 'google.subject' must be of type STRING.",
    "none",
    /every expression must give a text/
  ],
  ["unauthorized_client", "Words of tomorrow.", "none", /condition and mapping/],
  ["invalid_client", "", "none", /OAuth client/],
  ["invalid_scope", "", "none", /cloud-platform/],
  ["unsupported_grant_type", "", "none", /`stsEndpoint`/],
  ["unsupported_token_type", "", "none", /takes JWTs/],
  ["access_denied", "", "none", /organization's policy/]
]

const assertion = assertionFor("s".repeat(128))

describe("the catalogue", () => {
  for (const [code, words, remedy, hint] of known) {
    it.effect(`knows ${code}${words === "" ? "" : `: ${words}`}`, () =>
      Effect.gen(function* () {
        const google = yield* exchanger({ audience, fetch: async () => stsError(code, words)() })
        const reason = yield* refusedBy(google.exchange(assertion, {}))
        assert.strictEqual(reason.code, code)
        assert.strictEqual(reason.remedy, remedy)
        assert.match(reason.hint, hint)
        assert.notMatch(reason.hint, /[{}]|undefined|\(none\)/)
      })
    )
  }

  it("has no entry that nothing proves, and ends each code with one for any words", () => {
    for (const [code, entries] of Object.entries(securityTokenService)) {
      const proven = new Set(
        known
          .filter(([of]) => of === code)
          .map(([, words]) =>
            entries.findIndex((entry) => entry.words === undefined || entry.words.test(words))
          )
      )
      assert.strictEqual(proven.size, entries.length, code)
      assert.isUndefined(entries.at(-1)?.words, code)
    }
  })

  for (const [kind, entries] of [
    ["reason", byReason],
    ["status", byStatus]
  ] as const) {
    for (const [code, { remedy }] of Object.entries(entries)) {
      it.effect(`knows the ${kind} ${code}`, () =>
        Effect.gen(function* () {
          const answer =
            kind === "reason"
              ? apiError(403, "PERMISSION_DENIED", "No", code)
              : apiError(400, code, "No")
          const google = yield* exchanger({ audience, serviceAccount, fetch: two(answer) })
          const reason = yield* refusedBy(google.exchange(assertion, {}))
          assert.strictEqual(reason.code, code)
          assert.strictEqual(reason.remedy, remedy)
          assert.strictEqual(reason.description, "No")
          assert.notMatch(reason.hint, /[{}]|undefined|\(none\)/)
        })
      )
    }
  }

  it.effect("says nothing of a service account where none is named", () =>
    Effect.gen(function* () {
      const google = yield* exchanger({
        audience,
        fetch: async () => apiError(403, "PERMISSION_DENIED", "No")()
      })
      const reason = yield* refusedBy(google.exchange(assertion, {}))
      assert.strictEqual(reason.remedy, "none")
      assert.match(reason.hint, /apis\/design\/errors/)
    })
  )

  it.effect("takes what nobody knows as a refusal with its own words", () =>
    Effect.gen(function* () {
      for (const answer of [
        apiError(418, "TEAPOT", "Short and stout"),
        () => Response.json({ error: { details: [1, {}] } }, { status: 400 })
      ]) {
        const google = yield* exchanger({ audience, serviceAccount, fetch: two(answer) })
        const reason = yield* refusedBy(google.exchange(assertion, {}))
        assert.include(["TEAPOT", "HTTP 400"], reason.code)
        assert.strictEqual(reason.remedy, "none")
        assert.include(["Short and stout", "Google gave no message"], reason.description)
      }
    })
  )
})
