import { assert, describe, it } from "@effect/vitest"
import { explain } from "@federate/trust"
import type { Finding, Given, RelyingParty, TrustRecord } from "@federate/trust"
import { assertionOf } from "./tokens.ts"

const now = Date.parse("2026-03-04T14:00:00Z")
const second = 1000

const claims = {
  iss: "https://token.actions.githubusercontent.com",
  sub: "repo:o/r:environment:prod",
  aud: "api://exchange",
  iat: now / second,
  exp: now / second + 300
}

const token = (changed: Readonly<Record<string, unknown>> = {}, alg?: string) =>
  assertionOf({ ...claims, ...changed }, alg, now)

const record: TrustRecord = {
  kind: "credential",
  name: "main",
  demands: [
    { claim: "iss", setting: "issuer", expected: [claims.iss], by: "equals" },
    { claim: "aud", setting: "audiences", expected: [claims.aud], by: "equals" },
    { claim: "sub", setting: "subject", expected: [claims.sub], by: "equals" }
  ],
  algorithms: ["RS256"]
}

/** Its documents are records themselves. */
const party: RelyingParty = {
  name: "A cloud",
  records: (document) => [document as TrustRecord],
  errors: (said) =>
    said.includes("E1") ? [{ code: "E1", hint: "Compare them.", claims: ["sub"] }] : []
}

const found = (given: Partial<Given>) =>
  explain({ documents: [], text: "", now, ...given }, [party])

const wrong = (given: Partial<Given>): ReadonlyArray<Finding> =>
  found(given).findings.filter(({ verdict }) => verdict === "wrong")

describe("a token and the record that takes it", () => {
  it("are told to agree, claim by claim", () => {
    const { findings, issuer, trust } = found({ assertion: token(), documents: [record] })
    assert.strictEqual(issuer, "GitHub Actions")
    assert.deepEqual(trust, { party: "A cloud", kind: "credential", name: "main" })
    assert.deepEqual(
      findings.map(({ subject, verdict }) => [subject, verdict]),
      [
        ["iss", "right"],
        ["aud", "right"],
        ["sub", "right"],
        ["alg", "right"]
      ]
    )
  })
})

describe("a token and a record that does not take it", () => {
  it("are compared, with why and the one fix", () => {
    const [finding, ...more] = wrong({
      assertion: token({ sub: "repo:o/r:ref:refs/heads/main" }),
      documents: [record]
    })
    assert.deepEqual(more, [])
    assert.strictEqual(finding?.subject, "sub")
    assert.match(finding?.why ?? "", /the job names none/)
    assert.match(finding?.fix ?? "", /Write exactly "repo:o\/r:ref:refs\/heads\/main" in `subject`/)
  })

  it("may differ in what the source can choose", () => {
    const [finding] = wrong({ assertion: token({ aud: "other" }), documents: [record] })
    assert.match(finding?.fix ?? "", /Write "other" in `audiences`; or, .* "api:\/\/exchange"/)
  })

  it("may differ in a claim that is not there", () => {
    const [finding] = wrong({
      assertion: token(),
      documents: [
        {
          ...record,
          demands: [{ claim: "ref", setting: "ref", expected: ["main"], by: "equals" }]
        }
      ]
    })
    assert.match(finding?.what ?? "", /has no `ref`/)
    assert.match(finding?.fix ?? "", /take `ref` out/)
  })

  it("may differ in the algorithm", () => {
    const [finding] = wrong({ assertion: token({}, "ES384"), documents: [record] })
    assert.strictEqual(finding?.subject, "alg")
  })

  it("are told with how many records there are", () => {
    const { findings } = found({
      assertion: token(),
      documents: [{ ...record, demands: [] }, record, record]
    })
    assert.match(findings.at(-1)?.what ?? "", /There are 3/)
  })
})

describe("a record", () => {
  it("is told by itself, with what is wrong with it and what is risky", () => {
    const { findings } = found({
      documents: [{ ...record, problems: [{ what: "bad", fix: "Mend it." }], risks: ["wide"] }]
    })
    assert.deepEqual(
      findings.map(({ subject, verdict, what }) => [verdict, subject, what]),
      [
        ["wrong", "trust", "bad."],
        ["risky", "trust", "wide."],
        ["note", "iss", `\`issuer\` wants "${claims.iss}".`],
        ["note", "aud", `\`audiences\` wants "${claims.aud}".`],
        ["note", "sub", `\`subject\` wants "${claims.sub}".`]
      ]
    )
  })
})

describe("a token", () => {
  it("is told as what a trust must name", () => {
    assert.deepEqual(
      found({ assertion: token() }).findings.map(({ subject, verdict }) => [subject, verdict]),
      [
        ["iss", "note"],
        ["aud", "note"],
        ["sub", "note"]
      ]
    )
  })

  it("that is old does to compare", () => {
    const { findings } = found({ assertion: token({ exp: now / second - 3600 }) })
    assert.deepEqual([findings[0]?.subject, findings[0]?.verdict], ["exp", "note"])
  })

  it.each([
    [{ exp: undefined }, "exp"],
    [{ iat: now / second + 600 }, "nbf"],
    [{ nbf: now / second + 600 }, "nbf"],
    [{ sub: undefined }, "sub"],
    [{ iss: "https://oidc.circleci.com/org/1" }, "iss"],
    [{ iss: "https://api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc" }, "iss"],
    [{ iss: "https://agent.buildkite.com", sub: "organization:o:pipeline:p:commit:c" }, "iss"],
    [{ iss: "https://oidc.fly.io/o" }, "iss"],
    [{ iss: "https://cognito-idp.eu-central-1.amazonaws.com/p" }, "iss"],
    [{ iss: "https://sts.windows.net/t/", aud: "https://graph.microsoft.com" }, "iss"],
    [{ iss: "https://login.microsoftonline.com/t/v2.0", scp: "User.Read" }, "iss"]
  ] as const)("that can never do is told so: %j", (changed, subject) => {
    assert.deepEqual(
      wrong({ assertion: token(changed) }).map((finding) => finding.subject),
      [subject]
    )
  })

  it.each([
    { iss: "https://agent.buildkite.com" },
    { iss: "https://sts.windows.net/t/", aud: "api://AzureADTokenExchange" },
    { iss: "https://nobody-known.example" },
    { exp: now / second - 30 },
    { nbf: now / second + 30 }
  ])("that may do is not: %j", (changed) => {
    assert.deepEqual(wrong({ assertion: token(changed) }), [])
  })
})

describe("an error", () => {
  it("alone tells what to compare", () => {
    const [finding] = wrong({ text: "E1 happened" })
    assert.strictEqual(finding?.subject, "E1")
    assert.match(finding?.fix ?? "", /Paste the token and the trust record/)
  })

  it("in a document is one as well", () => {
    assert.strictEqual(
      explain({ documents: [{ error: "E1" }], text: "", now }, [{ ...party, records: () => [] }])
        .findings[0]?.subject,
      "E1"
    )
  })

  it("with the token tells what the record must say", () => {
    const [finding] = wrong({ text: "E1", assertion: token() })
    assert.match(finding?.fix ?? "", /sub "repo:o\/r:environment:prod"/)
  })

  it("with both asks for nothing", () => {
    assert.isUndefined(wrong({ text: "E1", assertion: token(), documents: [record] })[0]?.fix)
  })
})
