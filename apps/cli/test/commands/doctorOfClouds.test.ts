import { writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  IAMClient
} from "@aws-sdk/client-iam"
import { assert, beforeAll, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const sandbox = cloud()
const subject = "repo:o/r:ref:refs/heads/main"
const tokenFile = join(folder(), "token")
const file = join(folder(), "federate.yaml")
const pools = () =>
  `projects/${sandbox().google.projectNumber}/locations/global/workloadIdentityPools`

const call = async (method: string, path: string, body: object) => {
  const { google, http } = sandbox()
  const answer = await fetch(`${http}/v1/${path}`, {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${google.adminToken}` },
    body: JSON.stringify(body)
  })
  assert.strictEqual(answer.status, 200, await answer.text())
}

beforeAll(async () => {
  const { aws, http, issuerUrl } = sandbox()
  const iam = new IAMClient({ endpoint: http, region: aws.region, credentials: aws.admin })
  const issuer = issuerUrl("ci")
  const { OpenIDConnectProviderArn: provider } = await iam.send(
    new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: ["sts.amazonaws.com"] })
  )
  const key = issuer.replace("https://", "")
  await iam.send(
    new CreateRoleCommand({
      RoleName: "deploy",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Principal: { Federated: provider },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: { [`${key}:aud`]: "sts.amazonaws.com", [`${key}:sub`]: subject }
          }
        }
      })
    })
  )
  await call("POST", `${pools()}?workloadIdentityPoolId=ours`, {})
  await call("POST", `${pools()}/ours/providers?workloadIdentityPoolProviderId=ci-jobs`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: `assertion.sub == "${subject}"`,
    oidc: { issuerUri: issuer }
  })
  writeFileSync(
    file,
    `flows:
  aws:
    source: { type: kubernetes, tokenFile: ${tokenFile} }
    exchanger: { type: aws, region: ${aws.region}, roleArn: "arn:aws:iam::${aws.accountId}:role/deploy" }
  google:
    source: { type: kubernetes, tokenFile: ${tokenFile} }
    exchanger:
      type: google
      audience: //iam.googleapis.com/${pools()}/ours/providers/ci-jobs
      stsEndpoint: ${http}/v1/token
`
  )
})

beforeEach(() => {
  const { aws, google } = sandbox()
  vi.stubEnv("FEDERATE_CONFIG", file)
  vi.stubEnv("AWS_ACCESS_KEY_ID", aws.admin.accessKeyId)
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", aws.admin.secretAccessKey)
  vi.stubEnv("GOOGLE_ADMIN", google.adminToken)
})

/** Writes what the workload's platform says of it. */
const saying = (claims: { readonly subject?: string; readonly audience?: string }) =>
  Effect.promise(async () =>
    writeFileSync(
      tokenFile,
      await sandbox().issueToken("ci", { subject, audience: "sts.amazonaws.com", ...claims })
    )
  )

const marks = (stdout: string): ReadonlyArray<string> =>
  stdout.split("\n").flatMap((line) => /^([✓✗?!]) (\S+)/.exec(line)?.slice(1, 3).join(" ") ?? [])

describe("federate doctor, of AWS", () => {
  it.live("reads the role and the provider that it names", () =>
    Effect.gen(function* () {
      yield* saying({})
      const { code, stdout } = yield* federate(["doctor", "aws"])
      assert.strictEqual(code, 0, stdout)
      assert.deepEqual(marks(stdout), [
        "✓ source",
        "✓ issuer",
        "✓ iss",
        "✓ aud",
        "✓ sub",
        "✓ aud",
        "✓ alg",
        "✓ exchange"
      ])
    })
  )

  it.live("shows both sides where they differ", () =>
    Effect.gen(function* () {
      yield* saying({ subject: "repo:o/r:environment:prod", audience: "https://github.com/o" })
      const { code, stdout } = yield* federate(["doctor", "aws"])
      assert.strictEqual(code, 1)
      assert.deepEqual(
        marks(stdout).filter((mark) => mark.startsWith("✗")),
        ["✗ aud", "✗ sub", "✗ aud", "✗ exchange"]
      )
      assert.match(stdout, /`ClientIDList`/)
    })
  )

  it.live("says whose rights do not reach, and goes on", () =>
    Effect.gen(function* () {
      yield* saying({})
      const { env } = sandbox()
      vi.stubEnv("AWS_ACCESS_KEY_ID", env["AWS_ACCESS_KEY_ID"])
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", env["AWS_SECRET_ACCESS_KEY"])
      const { code, stdout } = yield* federate(["doctor", "aws"])
      assert.strictEqual(code, 0, stdout)
      assert.match(stdout, /\? trust .*AccessDenied/)
    })
  )
})

describe("federate doctor, of Google", () => {
  const admin = ["--admin-token-command", "printenv GOOGLE_ADMIN"]

  it.live("reads the provider, and its pool", () =>
    Effect.gen(function* () {
      const audience = `https://iam.googleapis.com/${pools()}/ours/providers/ci-jobs`
      yield* saying({ audience })
      const { code, stdout } = yield* federate(["doctor", "google", ...admin])
      assert.strictEqual(code, 0, stdout)
      assert.deepEqual(marks(stdout), [
        "✓ source",
        "✓ issuer",
        "✓ iss",
        "✓ aud",
        "✓ sub",
        "? sub",
        "✓ alg",
        "✓ exchange"
      ])
      yield* Effect.acquireUseRelease(
        Effect.promise(() =>
          call("PATCH", `${pools()}/ours?updateMask=disabled`, { disabled: true })
        ),
        () =>
          Effect.gen(function* () {
            const disabled = yield* federate(["doctor", "google", ...admin])
            assert.strictEqual(disabled.code, 1)
            assert.match(disabled.stdout, /✗ trust .*the pool is disabled/)
          }),
        () =>
          Effect.promise(() =>
            call("PATCH", `${pools()}/ours?updateMask=disabled`, { disabled: false })
          )
      )
    })
  )

  it.live("shows both sides where they differ", () =>
    Effect.gen(function* () {
      yield* saying({})
      const { code, stdout } = yield* federate(["doctor", "google", ...admin])
      assert.strictEqual(code, 1)
      assert.deepEqual(
        marks(stdout).filter((mark) => mark.startsWith("✗")),
        ["✗ aud", "✗ exchange"]
      )
    })
  )
})
