import { exchanger, externalAccount } from "@federate/google"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"
import { audience, serviceAccount } from "./google.ts"

/** What `gcloud iam workload-identity-pools create-cred-config` writes. */
const file = {
  universe_domain: "googleapis.com",
  type: "external_account",
  audience,
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  credential_source: { file: "/var/run/token", format: { type: "text" } },
  service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`,
  service_account_impersonation: { token_lifetime_seconds: 1200 },
  quota_project_id: "other-project",
  token_info_url: "https://sts.googleapis.com/v1/introspect"
}

const problem = (document: unknown) => {
  const { hint, problem: told, setting } = Result.getOrThrow(Result.flip(externalAccount(document)))
  return `${setting}: ${told}. ${hint}`
}

describe("a credential configuration file", () => {
  it.effect("is an exchanger's settings and a source's", () =>
    Effect.gen(function* () {
      const { credentialSource, options } = Result.getOrThrow(externalAccount(file))
      assert.deepStrictEqual(options, {
        audience,
        subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
        universeDomain: "googleapis.com",
        stsEndpoint: "https://sts.googleapis.com/v1/token",
        iamCredentialsEndpoint: "https://iamcredentials.googleapis.com",
        serviceAccount,
        lifetime: Duration.seconds(1200)
      })
      assert.deepStrictEqual(credentialSource, {
        file: "/var/run/token",
        format: { type: "text" }
      })
      yield* exchanger(options)
    })
  )

  it.effect("of a workforce pool, or without an account to act as, is one too", () =>
    Effect.gen(function* () {
      const { options } = Result.getOrThrow(
        externalAccount({
          type: "external_account",
          audience: "//iam.googleapis.com/locations/global/workforcePools/people/providers/okta",
          subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
          token_url: "https://sts.googleapis.com/v1/token",
          workforce_pool_user_project: "123",
          credential_source: { file: "/x" }
        })
      )
      assert.deepInclude(options, { userProject: "123" })
      assert.notProperty(options, "serviceAccount")
      yield* exchanger(options)
    })
  )

  it("that sends assertions elsewhere than to Google is refused, unless that is wanted", () => {
    for (const [field, value] of [
      ["token_url", "https://sts.evil.example/v1/token"],
      ["token_url", "https://sts.googleapis.com.evil.example/v1/token"],
      ["token_url", "https://evilgoogleapis.com/v1/token"],
      ["token_url", "http://sts.googleapis.com/v1/token"],
      ["token_url", "https://sts.googleapis.com:8443/v1/token"],
      ["token_url", "nonsense"],
      [
        "service_account_impersonation_url",
        `https://evil.example/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`
      ]
    ] as const) {
      const changed = { ...file, [field]: value }
      assert.match(problem(changed), new RegExp(`^credentialsFile: its ${field} is not at Google`))
      const wanted = externalAccount(changed, { foreignHosts: true })
      assert.isTrue(Result.isSuccess(wanted), value)
    }
    // The file's own universe does not vouch for itself.
    assert.match(
      problem({
        ...file,
        universe_domain: "evil.example",
        token_url: "https://sts.evil.example/v1/token"
      }),
      /is not at Google: sts\.evil\.example/
    )
  })

  it("that is none is told by what is wrong, and quotes nothing", () => {
    for (const [document, text] of [
      [undefined, /is no JSON object/],
      ["x", /is no JSON object/],
      [{}, /no credential configuration: type is absent or wrong/],
      [{ type: "service_account", private_key: "SECRET" }, /of the type "service_account"/],
      [{ ...file, audience: 1 }, /audience is absent or wrong/],
      [{ ...file, token_url: undefined }, /token_url is absent or wrong/],
      [
        { ...file, credential_source: { url: "https://x", headers: { a: ["SECRET"] } } },
        /credential_source\.headers\.a is absent or wrong/
      ],
      [
        { ...file, credential_source: { file: "x", format: { type: "json" } } },
        /credential_source\.format\.subject_token_field_name is absent or wrong/
      ],
      [{ ...file, client_id: "x", client_secret: "SECRET" }, /has a client_id/],
      [
        {
          ...file,
          service_account_impersonation_url: "https://iamcredentials.googleapis.com/v1/x"
        },
        /service_account_impersonation_url is not of the form/
      ]
    ] as const) {
      const told = problem(document)
      assert.match(told, text)
      assert.notInclude(told, "SECRET")
    }
  })
})
