/** Where two texts part, to the character, and what that usually means. */

/** From the one index up to the other, in UTF-16 code units. */
export interface Range {
  readonly start: number
  readonly end: number
}

export interface Difference {
  /** What of the presented text is not in the expected one. */
  readonly presented: Range
  /** What of the expected text is not in the presented one. */
  readonly expected: Range
  /** What it is, in a sentence; absent where it is just another text. */
  readonly meaning?: string
}

/** Nothing when both are the same. */
export const difference = (presented: string, expected: string): Difference | undefined => {
  if (presented === expected) return undefined
  const shorter = Math.min(presented.length, expected.length)
  let start = 0
  while (start < shorter && presented[start] === expected[start]) start++
  let tail = 0
  while (tail < shorter - start && presented.at(-1 - tail) === expected.at(-1 - tail)) tail++
  const meaning = meaningOf(presented, expected)
  return {
    presented: { start, end: presented.length - tail },
    expected: { start, end: expected.length - tail },
    ...(meaning !== undefined && { meaning })
  }
}

/** What is told of a pair of texts that it knows. */
type Reading = (presented: string, expected: string) => string | undefined

const meaningOf: Reading = (presented, expected) => {
  for (const reading of readings) {
    const meaning = reading(presented, expected)
    if (meaning !== undefined) return meaning
  }
  return undefined
}

/** Blanks of every kind, and characters that have no width. */
const invisible = /[\s\u00ad\u180e\u200b-\u200f\u2060\ufeff]/g

const withoutSlash = (text: string) => text.replace(/\/+$/, "")

/** Sets a reading on both directions: it names neither side. */
const either =
  (holds: (one: string, other: string) => boolean, meaning: string): Reading =>
  (presented, expected) =>
    holds(presented, expected) || holds(expected, presented) ? meaning : undefined

/** The subjects that GitHub writes (https://docs.github.com/actions/reference/security/oidc). */
const github =
  /^repo:(?<owner>[^/:@]+)(?:@(?<ownerId>\d+))?\/(?<name>[^/:@]+)(?:@(?<id>\d+))?:(?<context>.+)$/

const githubSubjects: Reading = (presented, expected) => {
  const token = github.exec(presented)?.groups
  const trust = github.exec(expected)?.groups
  if (token === undefined || trust === undefined) return undefined
  if (!isSame(token["owner"], trust["owner"]) || !isSame(token["name"], trust["name"])) {
    return `The token is of the repository ${token["owner"]}/${token["name"]}, and ${trust["owner"]}/${trust["name"]} is trusted.`
  }
  if (token["id"] !== undefined && trust["id"] === undefined) {
    return "GitHub now writes the ids of owner and repository into the subject (repositories that were made, renamed or moved since 2026-07-15, or opted in); the trust has the form without."
  }
  if (token["id"] === undefined && trust["id"] !== undefined) {
    return "The trust has GitHub's form with the ids of owner and repository; this repository still writes the one without."
  }
  if (token["ownerId"] !== trust["ownerId"] || token["id"] !== trust["id"]) {
    return "The names are the same, and the ids are not: it is another repository, or one that was made anew."
  }
  const [context = "", wanted = ""] = [token["context"], trust["context"]]
  if (context.startsWith("environment:") && !wanted.startsWith("environment:")) {
    return "The job names an environment, so GitHub writes that in place of the branch or tag."
  }
  if (!context.startsWith("environment:") && wanted.startsWith("environment:")) {
    return "The trust is for an environment, and the job names none (`environment:` in the job)."
  }
  if (context === "pull_request" || wanted === "pull_request") {
    return "A pull request has a subject of its own, whatever its branch."
  }
  return undefined
}

const isSame = (one: string | undefined, other: string | undefined): boolean =>
  one?.toLowerCase() === other?.toLowerCase()

/** The session of a role, and the role (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html). */
const session = /^arn:(?<partition>[\w-]+):sts::(?<account>\d+):assumed-role\/(?<name>[^/]+)\/.+$/

const isSessionOf = (one: string, other: string): boolean => {
  const { account, name, partition } = session.exec(one)?.groups ?? {}
  return (
    name !== undefined &&
    other.startsWith(`arn:${partition}:iam::${account}:role/`) &&
    other.endsWith(`/${name}`)
  )
}

const pool = /^[a-z]{2}(-[a-z]+)+-\d:[0-9a-f-]{36}$/i
const exchange = /^api:\/\/AzureADTokenExchange/i

const entraTenant =
  /^https:\/\/(?:sts\.windows\.net\/(?<first>[^/]+)\/?|login\.microsoftonline\.(?:com|us)\/(?<second>[^/]+)\/v2\.0)$/

const tenantOf = (issuer: string): string | undefined => {
  const { first, second } = entraTenant.exec(issuer)?.groups ?? {}
  return first ?? second
}

/** The first that knows a pair tells it: the narrow ones stand first. */
const readings: ReadonlyArray<Reading> = [
  either(
    (one, other) => one.toLowerCase() === other.toLowerCase(),
    "They differ in upper and lower case alone, and that counts."
  ),
  either(
    (one, other) => one !== other && withoutSlash(one) === withoutSlash(other),
    "They differ in a slash at the end, and that counts."
  ),
  either(
    (one, other) => one.replace(invisible, "") === other.replace(invisible, ""),
    "They differ in a blank, a line's end or a character that cannot be seen: it was copied along."
  ),
  either(
    (one, other) => `https://${one}` === other || `https:${one}` === other,
    "One has `https:` before it, and the other has not."
  ),
  either(
    (one, other) => one === other.replace(/^https:/, "http:"),
    "One is http, the other https."
  ),
  either(
    isSessionOf,
    "One is a session of the role, the other the role itself: AWS's tokens are about the role, with its path."
  ),
  either(
    (one, other) => pool.test(one) && exchange.test(other),
    "Cognito's tokens are always for their identity pool: that id is their audience, and the trust must list it."
  ),
  either(
    (one, other) => tenantOf(one) !== undefined && tenantOf(one) === tenantOf(other),
    "Both are the same tenant: Entra's tokens of version 1 and of version 2 have different issuers."
  ),
  githubSubjects
]
