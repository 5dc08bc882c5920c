import { relyingParty, trustReader } from "@federate/aws/trust"
import { assert, describe, it, vi } from "@effect/vitest"
import { compare } from "@federate/trust"
import { Effect } from "effect"

const issuer = "token.actions.githubusercontent.com"
const provider = `arn:aws:iam::123456789012:oidc-provider/${issuer}`
const roleArn = "arn:aws:iam::123456789012:role/ci/deploy"
const policy = {
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { Federated: [provider, "cognito-identity.amazonaws.com"] },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${issuer}:sub`]: "repo:o/r:ref:refs/heads/main" } }
  }
}

const xml = (action: string, result: string) =>
  `<${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${action}Result>${result}</${action}Result></${action}Response>`
const role = (arn = roleArn, document = encodeURIComponent(JSON.stringify(policy))) =>
  new Response(
    xml(
      "GetRole",
      `<Role><RoleName>deploy</RoleName><Arn>${arn}</Arn><AssumeRolePolicyDocument>${document}</AssumeRolePolicyDocument></Role>`
    )
  )
const oidc = (...ids: ReadonlyArray<string>) =>
  new Response(
    xml(
      "GetOpenIDConnectProvider",
      `<Url>${issuer}</Url><ClientIDList>${ids.map((id) => `<member>${id}</member>`).join("")}</ClientIDList>`
    )
  )
const refusal = (code: string, status: number) =>
  new Response(
    `<ErrorResponse><Error><Code>${code}</Code><Message>It said no.</Message></Error></ErrorResponse>`,
    { status }
  )

const reading = (answers: Readonly<Record<string, () => Response>>) => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "SECRET")
  const asked: Array<Readonly<Record<string, string>>> = []
  const read = trustReader.read(
    { roleArn },
    {},
    {
      fetch: async (_, { body }) => {
        const form = Object.fromEntries(new URLSearchParams(String(body)))
        asked.push(form)
        return answers[form["Action"] ?? ""]?.() ?? refusal("NoSuchEntity", 404)
      }
    }
  )
  return { asked, read }
}

const held = Effect.fnUntraced(function* (answers: Parameters<typeof reading>[0]) {
  const [document] = yield* reading(answers).read
  const [record] = relyingParty.records(document)
  assert.isDefined(record)
  const claims = { iss: `https://${issuer}`, aud: "me", sub: "repo:o/r:ref:refs/heads/main" }
  return { record, comparisons: compare({ claims }, record).comparisons }
})

describe("a role and the OIDC providers that it names", () => {
  it.effect("are read by name and by ARN, and held against a token as one", () =>
    Effect.gen(function* () {
      const { asked, read } = reading({ GetRole: role, GetOpenIDConnectProvider: () => oidc() })
      yield* read
      assert.deepEqual(
        asked.map(({ OpenIDConnectProviderArn, RoleName }) => RoleName ?? OpenIDConnectProviderArn),
        ["deploy", provider]
      )
      const { comparisons, record } = yield* held({
        GetRole: role,
        GetOpenIDConnectProvider: () => oidc("you", "me")
      })
      assert.strictEqual(record.name, "deploy")
      assert.deepEqual(
        comparisons.map(({ demand, verdict }) => [demand.setting, verdict]),
        [
          ["Principal.Federated", "agrees"],
          [`StringEquals ${issuer}:sub`, "agrees"],
          ["ClientIDList", "agrees"]
        ]
      )
      assert.deepEqual(record.problems, [])
    })
  )

  it.effect("tell that the provider lists another audience, or is not there", () =>
    Effect.gen(function* () {
      const other = yield* held({ GetRole: role, GetOpenIDConnectProvider: () => oidc("you") })
      assert.deepInclude(other.comparisons.at(-1), { claim: "aud", verdict: "differs" })
      const none = yield* held({ GetRole: role, GetOpenIDConnectProvider: () => oidc() })
      assert.deepInclude(none.comparisons.at(-1), { claim: "aud", verdict: "differs" })
      const gone = yield* held({ GetRole: role })
      assert.deepEqual(
        gone.record.problems?.map(({ what }) => what),
        [`IAM has no OIDC provider ${provider}`]
      )
    })
  )

  it.effect("are not there when there is no such role", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* reading({}).read, [])
    })
  )

  it.effect.each([
    ["another role's", () => role("arn:aws:iam::210987654321:role/ci/deploy"), "Misconfigured"],
    ["unreadable", () => role(roleArn, "%7B"), "Malformed"],
    ["not for these credentials", () => refusal("AccessDenied", 403), "Rejected"],
    ["busy", () => refusal("Throttling", 400), "Transient"]
  ] as const)("fail with the fix when the answer is %s", ([, GetRole, tag]) =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(reading({ GetRole }).read)
      assert.strictEqual(reason._tag, tag)
    })
  )
})
