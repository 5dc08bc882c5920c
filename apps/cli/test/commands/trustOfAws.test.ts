import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  GetOpenIDConnectProviderCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  PutRolePolicyCommand
} from "@aws-sdk/client-iam"
import { Fault } from "@federate/sandbox"
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { needs } from "../../../../scripts/debian.ts"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"
import { awsCli, scripted } from "../scripted.ts"
import { trustOf } from "../trusting.ts"

const sandbox = cloud({ setup: "empty" })
const subject = "repo:o/r:ref:refs/heads/main"
const tokenFile = join(folder(), "token")
const file = join(folder(), "federate.yaml")

const iam = () => {
  const { aws, http } = sandbox()
  return new IAMClient({ endpoint: http, region: aws.region, credentials: aws.admin })
}

const write = (trust = "{}") =>
  writeFileSync(
    file,
    `flows:
  ${flow()}:
    source: { type: kubernetes, tokenFile: ${tokenFile} }
    exchanger: { type: aws, region: ${sandbox().aws.region}, roleArn: "\${DEPLOY_ROLE_ARN}", duration: 2 hours }
trust:
  ${flow()}: ${trust}
`
  )

const acting = (keys: { readonly accessKeyId: string; readonly secretAccessKey: string }) => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", keys.accessKeyId)
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", keys.secretAccessKey)
}

/** Each test has a flow and an issuer of its own, and with them a role and a provider that nobody has made yet. */
let tests = 0
const flow = () => `deploy-${tests}`
const issuer = () => `ci-${tests}`
const role = () => `federate-${flow()}`

beforeEach(async () => {
  tests++
  acting(sandbox().aws.admin)
  vi.stubEnv("FEDERATE_CONFIG", file)
  writeFileSync(
    tokenFile,
    await sandbox().issueToken(issuer(), { subject, audience: "sts.amazonaws.com" })
  )
  write()
})

const arn = (kind: "role" | "provider") => {
  const { aws, issuerUrl } = sandbox()
  return kind === "role"
    ? `arn:aws:iam::${aws.accountId}:role/${role()}`
    : `arn:aws:iam::${aws.accountId}:oidc-provider/${issuerUrl(issuer()).replace("https://", "")}`
}

const { actions, ends, trusting, well } = trustOf(flow)

const settled = [
  "none account",
  "none assertion",
  "none OIDC provider",
  "none OIDC client id",
  "none role"
]

describe("the trust of an outside issuer in AWS", () => {
  it.live("is made from nothing, proved, left alone when it is there, and removed", () =>
    Effect.gen(function* () {
      write("{ exchanger: { policies: [AmazonS3ReadOnlyAccess] } }")
      const { stderr, stdout } = yield* well("apply", "--yes")
      assert.match(stderr, /A real exchange succeeded/)
      assert.strictEqual(stdout.trim(), `DEPLOY_ROLE_ARN=${arn("role")}`)
      const { Role } = yield* Effect.promise(() =>
        iam().send(new GetRoleCommand({ RoleName: role() }))
      )
      assert.strictEqual(Role?.MaxSessionDuration, 7200)
      assert.deepEqual(Role?.Tags, [{ Key: "federate", Value: flow() }])
      const url = sandbox().issuerUrl(issuer()).replace("https://", "")
      assert.deepEqual(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "")), {
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Principal: { Federated: arn("provider") },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: { [`${url}:aud`]: "sts.amazonaws.com", [`${url}:sub`]: subject }
          }
        }
      })
      assert.deepEqual(yield* actions(), [...settled, "none attached policy"])
      const before = sandbox().count("iam.*")
      yield* well("apply", "--yes")
      assert.strictEqual(sandbox().count("iam.CreateRole"), 1)
      assert.isAbove(sandbox().count("iam.*"), before)

      // With the ARN in its place it is the same.
      vi.stubEnv("DEPLOY_ROLE_ARN", arn("role"))
      yield* well("verify")
      assert.isAbove(sandbox().count("sts.AssumeRoleWithWebIdentity"), 2)

      yield* well("destroy", "--yes")
      assert.match((yield* well("destroy", "--yes")).stderr, /nothing to remove/)
      vi.stubEnv("DEPLOY_ROLE_ARN", undefined)
      assert.deepEqual(yield* actions(), [
        "none account",
        "none assertion",
        "create OIDC provider",
        "create OIDC client id",
        "create role",
        "create attached policy"
      ])
    })
  )

  it.live("adopts the issuer's provider, adds its audience, and leaves both", () =>
    Effect.gen(function* () {
      const url = sandbox().issuerUrl(issuer())
      const provider = { OpenIDConnectProviderArn: arn("provider") }
      yield* Effect.promise(() =>
        iam().send(new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: ["others"] }))
      )
      assert.deepEqual((yield* actions()).slice(2), [
        "none OIDC provider",
        "create OIDC client id",
        "create role"
      ])
      yield* well("apply", "--yes")
      const { stderr } = yield* ends
      assert.match(stderr, /= OIDC provider .*kept/)
      const left = yield* Effect.promise(() =>
        iam().send(new GetOpenIDConnectProviderCommand(provider))
      )
      assert.deepEqual(left.ClientIDList, ["others", "sts.amazonaws.com"])
      assert.deepEqual(left.Tags ?? [], [])
      yield* Effect.promise(() => iam().send(new DeleteOpenIDConnectProviderCommand(provider)))
    })
  )

  it.live("does not take its provider from a role of another's", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      yield* Effect.promise(() =>
        iam().send(
          new CreateRoleCommand({
            RoleName: "another",
            AssumeRolePolicyDocument: JSON.stringify({
              Statement: {
                Effect: "Allow",
                Principal: { Federated: arn("provider") },
                Action: "sts:AssumeRoleWithWebIdentity"
              }
            })
          })
        )
      )
      const { code, stderr } = yield* trusting("destroy", "--yes")
      assert.strictEqual(code, 2)
      assert.match(stderr, /still named by other roles: another/)
      yield* Effect.promise(() => iam().send(new DeleteRoleCommand({ RoleName: "another" })))
      yield* ends
    })
  )

  it.live("leaves a role of that name alone, and tells that it differs", () =>
    Effect.gen(function* () {
      const RoleName = role()
      yield* Effect.promise(() =>
        iam().send(
          new CreateRoleCommand({
            RoleName,
            AssumeRolePolicyDocument: JSON.stringify({
              Statement: {
                Effect: "Allow",
                Principal: { Service: "lambda.amazonaws.com" },
                Action: "sts:AssumeRole"
              }
            })
          })
        )
      )
      const { code, stdout } = yield* trusting("plan")
      assert.strictEqual(code, 1)
      assert.match(stdout, /was not made by this flow, and differs in .*trustPolicy/)
      assert.strictEqual((yield* trusting("apply", "--yes")).code, 1)
      yield* Effect.promise(() => iam().send(new DeleteRoleCommand({ RoleName })))
    })
  )

  it.live.skipIf(!needs("/usr/bin/aws", "awscli"))(
    "is made just so by what is emitted for the AWS CLI",
    () =>
      Effect.gen(function* () {
        write("{ exchanger: { policies: [AmazonS3ReadOnlyAccess] } }")
        const { stdout: script } = yield* well("emit", "--as", "aws-cli")
        const { aws, http, issuerUrl } = sandbox()
        const told = yield* scripted(awsCli(http, aws.region, aws.admin), script, {
          ISS: issuerUrl(issuer()),
          AZP: "sts.amazonaws.com",
          SUB: subject
        })
        assert.strictEqual(told.at(-1), `roleArn: ${arn("role")}`)
        assert.deepEqual(yield* actions(), [...settled, "none attached policy"])
        vi.stubEnv("DEPLOY_ROLE_ARN", arn("role"))
        yield* well("verify")
        yield* ends
        vi.stubEnv("DEPLOY_ROLE_ARN", undefined)
        assert.include(yield* actions(), "create OIDC provider")
      })
  )

  it.live("tells that the role is not where its ARN has it", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      vi.stubEnv("DEPLOY_ROLE_ARN", arn("role").replace(":role/", ":role/apps/"))
      assert.match((yield* well("plan")).stdout, /~ role[^]*path +\/ → \/apps\//)
      const { code, stderr } = yield* trusting("apply", "--yes")
      assert.strictEqual(code, 2)
      assert.match(stderr, /under the path \/apps\/, and the one of that name is under \//)
      vi.stubEnv("DEPLOY_ROLE_ARN", undefined)
      yield* ends
    })
  )

  it.live("converges when it is stopped after each of its writes", () =>
    Effect.gen(function* () {
      write("{ exchanger: { policies: [AmazonS3ReadOnlyAccess] } }")
      for (const call of [
        "iam.CreateOpenIDConnectProvider",
        "iam.CreateRole",
        "iam.AttachRolePolicy"
      ] as const) {
        const lift = sandbox().fault(call, Fault.body("<html>", { status: 403 }))
        assert.strictEqual((yield* trusting("apply", "--yes")).code, 1, call)
        lift()
      }
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), [...settled, "none attached policy"])
      for (const call of [
        "iam.DetachRolePolicy",
        "iam.DeleteRole",
        "iam.RemoveClientIDFromOpenIDConnectProvider",
        "iam.DeleteOpenIDConnectProvider"
      ] as const) {
        const lift = sandbox().fault(call, Fault.body("<html>", { status: 403 }))
        assert.strictEqual((yield* trusting("destroy", "--yes")).code, 1, call)
        lift()
      }
      yield* ends
      assert.match((yield* well("destroy", "--yes")).stderr, /nothing to remove/)
    })
  )

  it.live("is put right when it was changed by hand", () =>
    Effect.gen(function* () {
      yield* well("apply", "--yes")
      writeFileSync(
        tokenFile,
        yield* Effect.promise(() =>
          sandbox().issueToken(issuer(), {
            subject: "repo:o/r:environment:prod",
            audience: "other"
          })
        )
      )
      const { stdout } = yield* well("plan")
      assert.match(stdout, /~ role[^]*:sub[^]*repo:o\/r:environment:prod/)
      yield* well("apply", "--yes")
      assert.deepEqual(yield* actions(), settled)
      yield* ends
    })
  )

  it.live("writes nothing without the rights, half the rights, or in another account", () =>
    Effect.gen(function* () {
      const { aws } = sandbox()
      acting(aws.workload)
      const denied = yield* trusting("plan")
      assert.strictEqual(denied.code, 1)
      assert.match(denied.stdout, /AccessDenied/)
      const mayRead = {
        RoleName: aws.workload.roleName,
        PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
      }
      yield* Effect.promise(() => iam().send(new AttachRolePolicyCommand(mayRead)))
      assert.include(yield* actions(), "create role")
      const half = yield* trusting("apply", "--yes")
      assert.strictEqual(half.code, 1)
      assert.match(half.stderr, /iam:CreateOpenIDConnectProvider/)
      yield* Effect.promise(() => iam().send(new DetachRolePolicyCommand(mayRead)))
      acting(aws.admin)
      vi.stubEnv("DEPLOY_ROLE_ARN", "arn:aws:iam::210987654321:role/deploy")
      const other = yield* trusting("apply", "--yes")
      assert.strictEqual(other.code, 1)
      assert.match(other.stderr, /is of the account 210987654321, and these AWS credentials are of/)
      vi.stubEnv("DEPLOY_ROLE_ARN", "deploy")
      const wrong = yield* trusting("plan")
      assert.match(wrong.stderr, /"deploy" is no role's ARN/)
    })
  )

  it.live(
    "is made for a workload that runs elsewhere, by what the file says of its assertion",
    () =>
      Effect.gen(function* () {
        const url = sandbox().issuerUrl(issuer())
        write(
          `{ assertion: { issuer: "${url}", subject: "${subject}", audience: sts.amazonaws.com } }`
        )
        const token = readFileSync(tokenFile, "utf8")
        rmSync(tokenFile)
        const { stderr } = yield* well("apply", "--yes")
        assert.match(stderr, /No exchange was tried.*federate doctor deploy-/)
        assert.deepEqual(yield* actions(), settled)
        assert.match((yield* well("verify")).stdout, /No exchange was tried/)
        // Where the workload runs it is as good as any.
        writeFileSync(tokenFile, token)
        assert.match((yield* well("verify")).stdout, /A real exchange succeeded/)
        yield* ends
      })
  )

  it.live("says that there is no such managed policy", () =>
    Effect.gen(function* () {
      write("{ exchanger: { policies: [NoSuch] } }")
      const { code, stderr } = yield* trusting("apply", "--yes")
      assert.strictEqual(code, 2)
      assert.match(stderr, /no managed policy arn:aws:iam::aws:policy\/NoSuch/)
      yield* ends
    })
  )
})

describe("the trust of AWS's workloads elsewhere", () => {
  it.live("switches the account's issuer on for good, and lets a role ask for tokens", () =>
    Effect.gen(function* () {
      const { aws } = sandbox()
      writeFileSync(
        file,
        `flows:
  outbound:
    source: { type: aws, region: ${aws.region}, audiences: [party] }
`
      )
      const run = (command: string) => federate(["trust", command, "outbound", "--yes"])
      // Whoever sets it up must be able to take a token as well: this is the workload itself.
      yield* Effect.promise(() =>
        iam().send(
          new PutRolePolicyCommand({
            RoleName: aws.workload.roleName,
            PolicyName: "iam",
            PolicyDocument: JSON.stringify({
              Statement: { Effect: "Allow", Action: "iam:*", Resource: "*" }
            })
          })
        )
      )
      acting(aws.workload)
      const applied = yield* run("apply")
      assert.strictEqual(applied.code, 0, applied.stderr)
      assert.match(applied.stderr, /\+ outbound federation/)
      const token = yield* federate(["token", "outbound"])
      assert.match(token.stdout, /^eyJ/)
      const destroyed = yield* run("destroy")
      assert.match(destroyed.stderr, /= outbound federation .*kept/)
      const refused = yield* federate(["token", "outbound"])
      assert.match(refused.stderr, /AccessDenied/)
      yield* Effect.promise(() =>
        iam().send(
          new DeleteRolePolicyCommand({ RoleName: aws.workload.roleName, PolicyName: "iam" })
        )
      )
    })
  )
})
