/** What is unsafe or bound to fail with AWS STS, before any call. */
import { grantsOf } from "@federate/aws-sdk/policies"
import type { Grant } from "@federate/aws-sdk/policies"
import type { DocumentRule, ExchangerRules, Finding, SourceRules } from "@federate/trust"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ExchangerOptions } from "./exchanger.ts"
import type { SourceOptions } from "./source.ts"

const millisecondsOf = (duration: Duration.Input | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Duration.toMillis(Duration.fromInputUnsafe(duration))

export const sourceRules: SourceRules<SourceOptions> = {
  type: "aws",
  expected: ({ duration }) => ({
    life: { setting: "duration", milliseconds: millisecondsOf(duration, 300_000) }
  }),
  check: () => []
}

/** `aws iam get-role`. */
const asRole = Schema.decodeUnknownOption(
  Schema.Struct({ Role: Schema.Struct({ Arn: Schema.String, MaxSessionDuration: Schema.Number }) })
)

/** What a role's sessions may last unless it says otherwise, in milliseconds. */
const usualSession = 3_600_000

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html, in characters. */
const longestName = 255

export const exchangerRules: ExchangerRules<ExchangerOptions> = {
  type: "aws",
  party: "AWS",
  check: ({ duration, roleArn }, { claims: { aud, iss } }, { documents }) => {
    const role = documents
      .flatMap((document) => Option.toArray(asRole(document)))
      .find(({ Role }) => Role.Arn === roleArn)?.Role
    const asked = millisecondsOf(duration, usualSession)
    const longest = role === undefined ? usualSession : role.MaxSessionDuration * 1000
    const tooLong = (what: string, text: string | undefined): ReadonlyArray<Finding> =>
      text === undefined || text.length <= longestName
        ? []
        : [
            {
              verdict: "wrong",
              subject: "roleArn",
              what: `The assertion's ${what} has ${text.length} characters, and an OIDC provider in IAM takes ${longestName}.`,
              fix: "Take another source, or a shorter one."
            }
          ]
    return [
      ...(asked <= longest
        ? []
        : [
            {
              verdict: role === undefined ? "unknown" : "wrong",
              subject: "duration",
              what: `A session of ${asked / 60_000} min is asked for, and the role ${role === undefined ? "must allow it: an hour is all that it allows unless it was raised" : `allows ${longest / 60_000}`}.`,
              fix: `Raise it (\`aws iam update-role --role-name NAME --max-session-duration ${asked / 1000}\`), or ask for less: a flow refreshes.`
            } satisfies Finding
          ]),
      ...tooLong("issuer", iss),
      ...tooLong("audience", aud),
      ...(iss !== undefined && /^https:\/\/[^/]+:\d+(\/|$)/.test(iss)
        ? [
            {
              verdict: "wrong",
              subject: "roleArn",
              what: `The assertion's issuer ${JSON.stringify(iss)} names a port, and an OIDC provider in IAM has none.`,
              fix: "Publish the issuer at port 443."
            } satisfies Finding
          ]
        : [])
    ]
  }
}

const minting = "sts:GetWebIdentityToken"
const audienceKey = "sts:identitytokenaudience"

/** IAM's policies, as far as they let somebody have tokens of `GetWebIdentityToken`. */
export const documentRule: DocumentRule = (document) =>
  grantsOf(document, minting).flatMap((grant): ReadonlyArray<Finding> => {
    const subject = ["IAM policy", grant.policy, grant.holder && `of ${grant.holder}`]
      .filter((word) => word !== undefined)
      .join(" ")
    const operators = operatorsOn(grant, audienceKey)
    if (operators.length === 0) {
      return [
        {
          verdict: "note",
          subject,
          what: `It allows ${minting} for any audience.`,
          why: "Whoever has it can present itself to every relying party that trusts the account's issuer.",
          fix: 'Add the condition "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": ["the one"] }.'
        }
      ]
    }
    return operators.every((operator) => operator.startsWith("ForAnyValue:"))
      ? [
          {
            verdict: "risky",
            subject,
            what: `Its condition on sts:IdentityTokenAudience holds when any one audience fits: a second one may be asked for beside it.`,
            fix: "Write ForAllValues:StringEquals."
          }
        ]
      : []
  })

const operatorsOn = ({ condition }: Grant, key: string): ReadonlyArray<string> =>
  Object.entries(condition).flatMap(([operator, keys]) =>
    Object.keys(keys).some((each) => each.toLowerCase() === key) ? [operator] : []
  )
