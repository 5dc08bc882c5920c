/** Amazon Cognito's errors, read for `@federate/trust`. */
import { hintOf } from "@federate/aws-sdk"
import type { ErrorMeaning, RelyingParty } from "@federate/trust"
import { hints } from "./classify.ts"
import type { Facts } from "./classify.ts"

const errors: RelyingParty["errors"] = (said) => {
  // The names are AWS's at large: Cognito must be named beside them, or its own words stand there.
  if (!/cognito|identity ?pool|developer|login token|Logins don't match/i.test(said)) return []
  const facts = known(said)
  const codes = new Set(said.match(/\b[A-Z]\w{5,80}\b/g) ?? [])
  // As people paste them: the words without their code.
  for (const [words, code] of ownWords) if (words.test(said)) codes.add(code)
  return [...codes].flatMap((code): ReadonlyArray<ErrorMeaning> => {
    const hint = hintOf(code, { hints, facts })
    return hint === undefined ? [] : [{ code, hint, claims: [] }]
  })
}

const ownWords: ReadonlyArray<readonly [words: RegExp, code: string]> = [
  [/does not support the specified developer provider/, "InvalidParameterException"],
  [/^(?:IdentityPool|Identity) '.*' not found/m, "ResourceNotFoundException"],
  [/Check assigned IAM roles for this pool/, "InvalidIdentityPoolConfigurationException"],
  [/already registered with another identity/, "DeveloperUserAlreadyRegisteredException"],
  [
    /Unauthenticated access is not supported|Invalid login token|Logins don't match|not from a supported provider of this identity pool|\(classic\) flow is not enabled/,
    "NotAuthorizedException"
  ]
]

/** What the error's words quote, else what it is called. */
const known = (text: string): Facts => {
  const [identityPoolId = "POOL_ID", region = "REGION"] =
    /\b([a-z]{2}(?:-[a-z]+)+-\d):[0-9a-f-]{36}/.exec(text) ?? []
  return { identityPoolId, region, provider: "the one in `logins`" }
}

export { exchangerCheckup, sourceCheckup } from "./checkup.ts"
export { documentRule, loginRules, sourceRules } from "./rules.ts"

export const relyingParty: RelyingParty = { name: "Amazon Cognito", records: () => [], errors }

export { sourceSide } from "./trustSide.ts"

export { writers } from "./writers.ts"
