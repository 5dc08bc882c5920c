/** Roles' trust policies and IAM's OIDC providers as AWS prints them, and STS's errors, read for `@federate/trust`. */
import { hintOf } from "@federate/aws-sdk"
import type { Assertion } from "@federate/core"
import type { Demand, ErrorMeaning, RelyingParty, TrustRecord } from "@federate/trust"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { roleMeanings, tokenMeanings } from "./classify.ts"
import { federating, list, withoutScheme } from "./trustPolicy.ts"
import type { Statement } from "./trustPolicy.ts"

/** `aws iam get-role`; {@link trustReader} puts beside it the providers that it names, as far as they exist. */
const Role = Schema.Struct({
  Role: Schema.Struct({ RoleName: Schema.String, AssumeRolePolicyDocument: Schema.Unknown }),
  OIDCProviders: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        Arn: Schema.String,
        ClientIDList: Schema.optionalKey(Schema.Array(Schema.String))
      })
    )
  )
})
/** `aws iam get-account-authorization-details`. */
const Account = Schema.Struct({ RoleDetailList: Schema.Array(Schema.Unknown) })
/** `aws iam get-open-id-connect-provider`. */
const Provider = Schema.Struct({ Url: Schema.String, ClientIDList: Schema.Array(Schema.String) })

const asRole = Schema.decodeUnknownOption(Role)
const asAccount = Schema.decodeUnknownOption(Account)
const asProvider = Schema.decodeUnknownOption(Provider)

const records = (document: unknown): ReadonlyArray<TrustRecord> => {
  const read = Option.getOrUndefined(asRole(document))
  if (read !== undefined) {
    const { OIDCProviders: providers, Role: role } = read
    return federating(role.AssumeRolePolicyDocument).flatMap((statement) =>
      fromStatement(statement, role.RoleName, providers)
    )
  }
  const account = Option.getOrUndefined(asAccount(document))
  if (account !== undefined)
    return account.RoleDetailList.flatMap((each) => records({ Role: each }))
  const provider = Option.getOrUndefined(asProvider(document))
  if (provider !== undefined) return [fromProvider(provider)]
  return federating(document).flatMap((statement) => fromStatement(statement))
}

/** STS's own list. */
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]

const fromProvider = ({ ClientIDList, Url }: typeof Provider.Type): TrustRecord => ({
  kind: "OIDC provider",
  name: Url,
  demands: [
    // It is printed without its scheme.
    { claim: "iss", setting: "Url", expected: [`https://${withoutScheme(Url)}`], by: "equals" },
    clientIds(ClientIDList)
  ],
  algorithms
})

const clientIds = (expected: ReadonlyArray<string>): Demand => ({
  claim: "aud",
  // AWS looks at `azp` in the audience's place, where there is one.
  instead: "azp",
  setting: "ClientIDList",
  expected,
  by: "equals"
})

/** One record for each provider that it lets in. */
const fromStatement = (
  { Action, Condition = {}, Effect, Principal }: Statement,
  name?: string,
  providers?: typeof Role.Type.OIDCProviders
): ReadonlyArray<TrustRecord> =>
  Effect !== "Allow"
    ? []
    : list(Principal.Federated).map((principal) => {
        const provider = providers?.find(({ Arn }) => Arn === principal)
        const issuer = /:oidc-provider\/(.+)$/.exec(principal)?.[1] ?? principal
        const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
          Object.entries(keys).map(([key, expected]) =>
            demand(operator, key, list(expected), issuer)
          )
        )
        return {
          kind: "role trust policy",
          name,
          demands: [
            {
              claim: "iss",
              setting: "Principal.Federated",
              expected: [`https://${issuer}`],
              by: "equals"
            },
            ...conditions,
            ...(provider?.ClientIDList === undefined ? [] : [clientIds(provider.ClientIDList)])
          ],
          algorithms,
          problems: [
            ...(list(Action).some((action) => assuming.has(action.toLowerCase()))
              ? []
              : [
                  {
                    what: "`Action` does not allow sts:AssumeRoleWithWebIdentity",
                    fix: 'Write "sts:AssumeRoleWithWebIdentity" in the statement\'s `Action`.'
                  }
                ]),
            ...conditions
              .filter(({ by, expected }) => by === "equals" && expected.every(isPattern))
              .map(({ setting }) => ({
                what: `\`${setting}\` is taken to the letter: its * stands for nothing but itself`,
                fix: "Write StringLike, which takes patterns; or the whole value."
              })),
            ...(provider !== undefined && provider.ClientIDList === undefined
              ? [
                  {
                    what: `IAM has no OIDC provider ${principal}`,
                    fix: `Make it: \`aws iam create-open-id-connect-provider --url https://${issuer} --client-id-list AUDIENCE\`, with the token's audience.`
                  }
                ]
              : [])
          ],
          risks: [
            ...conditions
              .filter(
                ({ claim, setting }) => claim !== "amr" && setting.startsWith("ForAllValues:")
              )
              .map(({ setting }) => `\`${setting}\` holds for a token without that claim, too`),
            ...ofIssuer(issuer, conditions)
          ]
        }
      })

/** In lower case: actions have none. */
const assuming = new Set(["sts:assumerolewithwebidentity", "sts:*", "*"])

const isPattern = (text: string) => /[*?]/.test(text)

/** Cognito as its tokens' provider: each speaks for every pool of its partition, guests included. */
const cognito = /^cognito-identity[\w.-]*\.amazonaws\.com(\.cn)?$/

/** Who gets in where nothing is said. */
const ofIssuer = (issuer: string, conditions: ReadonlyArray<Demand>): ReadonlyArray<string> => {
  const isSaid = (...claims: ReadonlyArray<string>) =>
    conditions.some(({ claim }) => claims.includes(claim))
  if (!cognito.test(issuer)) {
    return isSaid("sub")
      ? []
      : [`nothing is said of \`${issuer}:sub\`: whoever ${issuer} speaks for may take the role`]
  }
  return [
    ...(isSaid("aud")
      ? []
      : [
          `nothing is said of \`${issuer}:aud\`: identities of everybody's pools may take the role`
        ]),
    ...(isSaid("amr", "sub")
      ? []
      : [`nothing is said of \`${issuer}:amr\`: guests of the pool may take the role`])
  ]
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const operators: Readonly<Record<string, Demand["by"]>> = {
  StringEquals: "equals",
  StringEqualsIgnoreCase: "equalsIgnoringCase",
  StringLike: "like"
}

const demand = (
  operator: string,
  key: string,
  expected: ReadonlyArray<string>,
  issuer: string
): Demand => {
  const own = key.toLowerCase().startsWith(`${issuer.toLowerCase()}:`)
  const claim = own ? key.slice(issuer.length + 1) : key
  const by = operators[operator.replace(/^ForAnyValue:/, "").replace(/IfExists$/, "")]
  return {
    claim,
    // AWS looks at `azp` in the audience's place, where there is one.
    ...(claim === "aud" && { instead: "azp" }),
    setting: `${operator} ${key}`,
    expected,
    // What is asked of the session, and not of the token, or turned round, is not for us to tell.
    by: own && by !== undefined && !operator.startsWith("ForAllValues:") ? by : "unreadable"
  }
}

/** What a code says about claims: those to compare. */
const claims: Readonly<Record<string, ReadonlyArray<string>>> = {
  AccessDenied: ["iss", "aud", "sub"],
  InvalidIdentityToken: ["iss", "aud"]
}

const errors: RelyingParty["errors"] = (said, assertion) => {
  if (/cognito/i.test(said)) return []
  const words = new Set(said.match(/\b[A-Z]\w{5,80}\b/g) ?? [])
  // As people paste them: the words without their code.
  for (const [own, code] of ownWords) if (own.test(said)) words.add(code)
  const meanings = /GetWebIdentityToken|OutboundWebIdentity/.test(said)
    ? tokenMeanings({ audience: "AUDIENCE" })
    : roleMeanings(assertion ?? unknown, roleIn(said))
  const told = new Map(
    [...words].flatMap((word) => {
      // SDKs name some by their class, which STS itself names without its last word.
      const code = [word, word.replace(/Exception$/, ""), `${word}Exception`].find(
        (each) => hintOf(each, meanings) !== undefined
      )
      const hint = code === undefined ? undefined : hintOf(code, meanings)
      return code === undefined || hint === undefined
        ? []
        : [[code, { code, hint, claims: claims[code] ?? [] } satisfies ErrorMeaning] as const]
    })
  )
  return [...told.values()]
}

const ownWords: ReadonlyArray<readonly [words: RegExp, code: string]> = [
  [/not authorized to perform:? sts:AssumeRoleWithWebIdentity/i, "AccessDenied"],
  [
    /No OpenIDConnect provider found in your account|Incorrect token audience|Couldn't retrieve verification key/i,
    "InvalidIdentityToken"
  ],
  [/Token expired: current date\/time/i, "ExpiredTokenException"],
  [/exceeds the MaxSessionDuration/, "ValidationError"],
  [/Packed policy consumes/, "PackedPolicyTooLarge"]
]

const unknown: Pick<Assertion.Assertion, "audience" | "claims" | "issuer" | "subject"> = {
  audience: ["AUDIENCE"],
  claims: {},
  issuer: "ISSUER",
  subject: "SUBJECT"
}

const roleIn = (text: string) => {
  const [arn = "ROLE_ARN", partition = "aws", account = "ACCOUNT"] =
    /arn:([\w-]+):iam::(\d{12}):role\/[\w+=,.@/-]+/.exec(text) ?? []
  return { arn, partition, account }
}

export { sourceCheckup } from "./checkup.ts"

export const relyingParty: RelyingParty = {
  name: "AWS",
  records,
  errors
}

export { trustReader } from "./trustReader.ts"
export { exchangerSide, sourceSide } from "./trustSide.ts"
export { documentRule, exchangerRules, sourceRules } from "./rules.ts"
export { writers } from "./writers.ts"
