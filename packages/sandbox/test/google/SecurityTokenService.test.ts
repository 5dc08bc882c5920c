import { assert, describe, it } from "@effect/vitest"
import { Fault } from "@federate/sandbox"
import { running } from "../running.ts"
import { exchange, google, trust } from "./google.ts"
import type { Trust } from "./google.ts"

const sandbox = running()

/** The STS's code and words for what it refuses. */
const refused = async (
  trusted: Pick<Trust, "audience" | "token">,
  changes: Readonly<Record<string, string | undefined>> = {}
) => {
  const {
    error = "",
    error_description: words = "",
    status
  } = await exchange(sandbox(), trusted, changes)
  assert.strictEqual(status, 400)
  return `${error}: ${words}`
}

describe("a token exchange", () => {
  it("gives a federated token, as a form and as JSON", async () => {
    const trusted = await trust(sandbox())
    const { access_token: token, ...rest } = await exchange(sandbox(), trusted, {
      subject_token: await trusted.token({ lifetime: 7_200_000 })
    })
    assert.deepEqual(rest, {
      status: 200,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 3599
    })
    assert.match(token ?? "", /^ya29\./)
    const response = await fetch(`${sandbox().http}/v1/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
        audience: trusted.audience,
        scope: "https://www.googleapis.com/auth/cloud-platform",
        requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
        subjectToken: await trusted.token(),
        subjectTokenType: "urn:ietf:params:oauth:token-type:id_token"
      })
    })
    assert.strictEqual(response.status, 200)
  })

  it("gives a token that does not outlive the assertion", async () => {
    const { expires_in: life } = await exchange(sandbox(), await trust(sandbox()))
    assert.closeTo(life ?? 0, 300, 2)
  })

  it("is refused for what the request lacks or says wrong", async () => {
    const trusted = await trust(sandbox())
    await Promise.all(
      (
        [
          [{ grant_type: "client_credentials" }, /^unsupported_grant_type: /],
          [{ grant_type: undefined }, /^invalid_request: .*grant_type/],
          [{ audience: undefined }, /^invalid_request: .*audience/],
          [{ scope: undefined }, /^invalid_request: .*scope/],
          [{ requested_token_type: "x" }, /^invalid_request: .*requested_token_type/],
          [{ subject_token_type: "x" }, /^invalid_request: .*subject_token_type/],
          [{ subject_token: undefined }, /^invalid_request: .*subject_token/],
          [{ subject_token: "opaque" }, /^invalid_grant: .*malformed/]
        ] as const
      ).map(async ([changes, words]) => {
        assert.match(await refused(trusted, changes), words)
      })
    )
    const response = await fetch(`${sandbox().http}/v1/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "nonsense"
    })
    assert.strictEqual(response.status, 400)
  })

  it("is refused for an audience that is no provider's name, or nobody's", async () => {
    const trusted = await trust(sandbox())
    const { audience } = trusted
    const number = sandbox().google.projectNumber
    await Promise.all(
      [
        `https:${audience}`,
        audience.replace(number, "federate-sandbox"),
        audience.replace(/\/providers.*/, "")
      ].map(async (wrong) => {
        assert.match(
          await refused(trusted, { audience: wrong }),
          /^invalid_request: Invalid value for "audience"\. This value should be the full resource name/
        )
      })
    )
    await Promise.all(
      [
        audience.replace(number, "1"),
        audience.replace(/pool-\d+/, "no-such-pool"),
        `${audience}-x`
      ].map(async (absent) => {
        assert.match(await refused(trusted, { audience: absent }), /^invalid_target: The target/)
      })
    )
  })

  for (const part of ["pool", "provider"] as const) {
    it(`is refused while the ${part} is disabled`, async () => {
      const trusted = await trust(sandbox())
      const disable = (disabled: boolean) =>
        google(sandbox()).call("PATCH", `${trusted[part]}?updateMask=disabled`, { disabled })
      await disable(true)
      assert.match(await refused(trusted), /^invalid_target: /)
      await disable(false)
      assert.strictEqual((await exchange(sandbox(), trusted)).status, 200)
    })
  }
})

describe("the assertion", () => {
  it("must be by the provider's issuer, to the letter", async () => {
    const slash = await trust(sandbox(), {
      oidc: { issuerUri: `${sandbox().issuerUrl("elsewhere")}/` }
    })
    assert.match(await refused(slash), /^invalid_grant: The issuer in ID Token .* does not match/)
  })

  it("must be for the provider, with or without https:, or for an allowed audience", async () => {
    const trusted = await trust(sandbox())
    const { status } = await exchange(sandbox(), trusted, {
      subject_token: await trusted.token({ audience: trusted.audience })
    })
    assert.strictEqual(status, 200)
    assert.strictEqual(
      await refused(trusted, { subject_token: await trusted.token({ audience: "x" }) }),
      "invalid_grant: The audience in ID Token [x] does not match the expected audience."
    )
    const listing = await trust(sandbox(), { oidc: { allowedAudiences: ["mine"] } })
    assert.match(await refused(listing), /^invalid_grant: The audience/)
    const own = await exchange(sandbox(), listing, {
      subject_token: await listing.token({ audience: ["other", "mine"] })
    })
    assert.strictEqual(own.status, 200)
  })

  it("must be signed by a published key, by RS256 or ES256", async () => {
    const trusted = await trust(sandbox())
    await Promise.all(
      (["RS256", "ES256"] as const).map(async (algorithm) => {
        const { status } = await exchange(sandbox(), trusted, {
          subject_token: await trusted.token({ algorithm })
        })
        assert.strictEqual(status, 200, algorithm)
      })
    )
    assert.match(
      await refused(trusted, { subject_token: await trusted.token({ algorithm: "RS512" }) }),
      /^invalid_grant: Invalid JWT Signature\./
    )
    sandbox().rotateKeys({ issuer: trusted.issuer }, "old")
    assert.match(await refused(trusted), /^invalid_grant: Invalid JWT Signature\./)
  })

  it("is believed by a new key as soon as it is published", async () => {
    const trusted = await trust(sandbox())
    await exchange(sandbox(), trusted)
    sandbox().rotateKeys({ issuer: trusted.issuer })
    assert.strictEqual((await exchange(sandbox(), trusted)).status, 200)
  })

  it("is not believed while the issuer's keys cannot be fetched", async () => {
    const trusted = await trust(sandbox())
    const lift = sandbox().fault("issuer.keys", Fault.status(503))
    assert.strictEqual(
      await refused(trusted),
      "invalid_grant: Error connecting to the given credential's issuer."
    )
    lift()
    assert.strictEqual((await exchange(sandbox(), trusted)).status, 200)
  })

  it("is believed by an uploaded key set, without asking the issuer", async () => {
    const { issuer } = await trust(sandbox())
    const keys = await fetch(`${sandbox().http}/issuers/${issuer}/keys`)
    const uploaded = await trust(sandbox(), {
      oidc: { issuerUri: "https://private.example", jwksJson: await keys.text() }
    })
    const before = sandbox().count("issuer.*")
    const token = await sandbox().issueToken(issuer, {
      subject: "workload",
      audience: uploaded.audience,
      claims: { iss: "https://private.example" }
    })
    const { status } = await exchange(sandbox(), uploaded, { subject_token: token })
    assert.strictEqual(status, 200)
    assert.strictEqual(sandbox().count("issuer.*"), before)
  })

  it("must be of now, have an iat, and live a day at most", async () => {
    const trusted = await trust(sandbox())
    const now = Math.floor(Date.now() / 1000)
    await Promise.all(
      (
        [
          [{ lifetime: -120_000 }, /stale to sign-in/],
          [{ claims: { iat: now + 600 } }, /stale to sign-in/],
          [{ lifetime: 25 * 3_600_000 }, /stale to sign-in/],
          [{ claims: { iat: undefined } }, /malformed/],
          [{ claims: { exp: undefined } }, /malformed/]
        ] as const
      ).map(async ([options, words]) => {
        assert.match(
          await refused(trusted, { subject_token: await trusted.token(options) }),
          words,
          JSON.stringify(options)
        )
      })
    )
  })

  for (const minutes of [-30, 30]) {
    it(`is out of its time for a service whose clock is ${minutes} minutes off`, async () => {
      const trusted = await trust(sandbox())
      sandbox().skew("google", minutes * 60_000)
      assert.match(await refused(trusted), /^invalid_grant: ID Token issued at \d+ is stale/)
      sandbox().skew("google", 0)
    })
  }
})

describe("the attribute mapping", () => {
  it("takes a subject of 127 bytes, and not of 128", async () => {
    const trusted = await trust(sandbox())
    const of = async (subject: string) => ({ subject_token: await trusted.token({ subject }) })
    assert.strictEqual((await exchange(sandbox(), trusted, await of("s".repeat(127)))).status, 200)
    await Promise.all(
      ["s".repeat(128), `${"ä".repeat(63)}12`].map(async (subject) => {
        assert.strictEqual(
          await refused(trusted, await of(subject)),
          "invalid_request: The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes."
        )
      })
    )
  })

  it("shortens by CEL what the issuer writes", async () => {
    await Promise.all(
      (
        [
          ["assertion.sub.extract('repo:{name}:ref')", "org/app"],
          ["assertion.sub.split(':')[1]", "org/app"],
          ["assertion.sub.extract('nothing:{name}') + 'x'", "x"],
          ["assertion.sub.extract('{all}')", "repo:org/app:ref:main"]
        ] as const
      ).map(async ([expression, subject]) => {
        const trusted = await trust(sandbox(), {
          provider: { attributeMapping: { "google.subject": expression } },
          members: [`principal://{principal}/subject/${subject}`]
        })
        const { access_token: token } = await exchange(sandbox(), trusted, {
          subject_token: await trusted.token({ subject: "repo:org/app:ref:main" })
        })
        const response = await google(sandbox(), token).send(
          "POST",
          `projects/-/serviceAccounts/${trusted.serviceAccount}:generateAccessToken`,
          { scope: ["openid"] }
        )
        assert.strictEqual(response.status, 200, expression)
      })
    )
  })

  it("must give texts", async () => {
    await Promise.all(
      (
        [
          ["assertion.sub == 'workload'", "STRING"],
          ["assertion.missing", "STRING"],
          ["assertion.iat", "STRING"]
        ] as const
      ).map(async ([expression, type]) => {
        const trusted = await trust(sandbox(), {
          provider: { attributeMapping: { "google.subject": expression } }
        })
        assert.strictEqual(
          await refused(trusted),
          `unauthorized_client: The mapped attribute 'google.subject' must be of type ${type}.`
        )
      })
    )
    const groups = await trust(sandbox(), {
      provider: {
        attributeMapping: { "google.subject": "assertion.sub", "google.groups": "assertion.iat" }
      }
    })
    assert.match(await refused(groups), /'google\.groups' must be of type LIST of STRING/)
  })

  it("holds 8 KB in all", async () => {
    const trusted = await trust(sandbox(), {
      provider: {
        attributeMapping: { "google.subject": "assertion.sub", "attribute.big": "assertion.big" }
      }
    })
    const big = (length: number) => trusted.token({ claims: { big: "b".repeat(length) } })
    const { status } = await exchange(sandbox(), trusted, { subject_token: await big(8000) })
    assert.strictEqual(status, 200)
    assert.match(
      await refused(trusted, { subject_token: await big(8192) }),
      /^invalid_request: .* exceeds the 8192 bytes limit/
    )
  })
})

describe("the attribute condition", () => {
  it("lets in whom it is true for, of claims and of mapped attributes", async () => {
    const trusted = await trust(sandbox(), {
      provider: {
        attributeMapping: {
          "google.subject": "assertion.sub",
          "google.groups": "assertion.groups",
          "attribute.repository": "assertion.repository"
        },
        attributeCondition:
          "assertion.owner.name == 'org' && attribute.repository.startsWith('org/') && 'admins' in google.groups && google.subject == 'workload'"
      }
    })
    const claims = { owner: { name: "org" }, repository: "org/app", groups: ["admins"] }
    const good = await exchange(sandbox(), trusted, {
      subject_token: await trusted.token({ claims })
    })
    assert.strictEqual(good.status, 200)
    await Promise.all(
      [
        { owner: { name: "other" } },
        { owner: undefined },
        { repository: "other/app" },
        { groups: [] }
      ].map(async (change) => {
        assert.strictEqual(
          await refused(trusted, {
            subject_token: await trusted.token({ claims: { ...claims, ...change } })
          }),
          "unauthorized_client: The given credential is rejected by the attribute condition."
        )
      })
    )
  })
})
