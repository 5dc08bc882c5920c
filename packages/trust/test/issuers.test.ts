import { assert, describe, it } from "@effect/vitest"
import { knownIssuer } from "@federate/trust"
import { issuerProblem } from "../src/issuers.ts"

describe("an issuer's name", () => {
  it.each([
    ["https://token.actions.githubusercontent.com/", /ends in a slash, and GitHub Actions/],
    ["https://gitlab.com/", /ends in a slash/],
    ["https://oidc.eks.eu-central-1.amazonaws.com/id/ABC/", /ends in a slash/],
    ["https://app.terraform.io/", /ends in a slash/],
    [
      "https://westeurope.oic.prod-aks.azure.com/tenant/uuid",
      /no slash at its end, and a Kubernetes cluster writes one/
    ],
    ["https://token.actions.githubusercontent.com ", /blank/],
    ["https://Token.Actions.githubusercontent.com", /capitals/],
    ["http://issuer.example", /https/],
    ["issuer.example", /https/],
    ["https://issuer.example?x=1", /query/]
  ])("that no token has is told: %s", (issuer, told) => {
    assert.match(issuerProblem(issuer) ?? "", told)
  })

  it.each([
    "https://token.actions.githubusercontent.com",
    "https://token.actions.githubusercontent.com/my-enterprise",
    "https://token.actions.acme.ghe.com",
    "https://gitlab.com",
    "https://gitlab.acme.example/git",
    "https://westeurope.oic.prod-aks.azure.com/tenant/uuid/",
    "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC",
    "https://sts.windows.net/tenant/",
    "https://login.microsoftonline.com/tenant/v2.0",
    "https://cognito-identity.amazonaws.com",
    "https://issuer.example/Path/",
    "http://127.0.0.1:8080"
  ])("that one may have is not: %s", (issuer) => {
    assert.strictEqual(issuerProblem(issuer), undefined)
  })
})

describe("GitHub's subjects", () => {
  const advice = (subject: string, ...others: ReadonlyArray<string>) =>
    knownIssuer("https://token.actions.githubusercontent.com")?.advice?.(subject, [
      subject,
      ...others
    ])

  it("without ids would not fit a newer repository", () => {
    const old = "repo:o/r:ref:refs/heads/main"
    assert.match(advice(old) ?? "", /2026-07-15/)
    assert.strictEqual(advice(old, "repo:o@1/r@2:ref:refs/heads/main"), undefined)
    assert.match(advice(old, "repo:o@1/s@2:ref:refs/heads/main") ?? "", /2026-07-15/)
    assert.strictEqual(advice("repo:o@1/r@2:ref:refs/heads/main"), undefined)
  })

  it("of pull requests are anybody's who may push", () => {
    assert.match(advice("repo:o@1/r@2:pull_request") ?? "", /pull request/)
  })
})

describe("HCP Terraform's subjects", () => {
  it("are two for each workspace", () => {
    const plan = "organization:o:project:p:workspace:w:run_phase:plan"
    const apply = "organization:o:project:p:workspace:w:run_phase:apply"
    const advice = knownIssuer("https://app.terraform.io")?.advice
    assert.match(advice?.(plan, [plan]) ?? "", /two subjects/)
    assert.strictEqual(advice?.(plan, [plan, apply]), undefined)
    assert.strictEqual(advice?.(apply, [plan, apply]), undefined)
  })
})
