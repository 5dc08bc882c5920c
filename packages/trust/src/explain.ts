/** What is wrong between a token, a trust record and an error, from as many of them as are at hand, without a call. */
import type { Assertion } from "@federate/core"
import { problemsOf, risksOf } from "./breadth.ts"
import { nearest } from "./compare.ts"
import { tolerance } from "./clocks.ts"
import type { Comparison } from "./compare.ts"
import type { Finding } from "./Finding.ts"
import { knownIssuer } from "./issuers.ts"
import type { ErrorMeaning, RelyingParty, TrustRecord } from "./RelyingParty.ts"

export interface Given {
  /** Decoded, never trusted. */
  readonly assertion?: Assertion.Assertion | undefined
  readonly documents: ReadonlyArray<unknown>
  readonly text: string
  /** Epoch milliseconds. Absent: the token's times are not looked at. */
  readonly now?: number
}

export interface Explanation {
  /** What is known of the token's issuer, in words. */
  readonly issuer?: string
  /** Whose record it is, and which. */
  readonly trust?: {
    readonly party: string
    readonly kind: string
    readonly name?: string | undefined
  }
  readonly findings: ReadonlyArray<Finding>
}

/**
 * Holds the token against the record that comes nearest to taking it, and tells what each error means. With a token
 * alone, what a trust would have to say; with a record alone, what it demands; with an error alone, what to compare.
 */
export const explain = (given: Given, parties: ReadonlyArray<RelyingParty>): Explanation => {
  const { assertion, documents } = given
  const records = parties.flatMap(({ name: party, records: read }) =>
    documents.flatMap((document) => read(document).map((record) => ({ party, record })))
  )
  const said = [given.text, ...documents.map((document) => JSON.stringify(document))].join("\n")
  const errors = parties.flatMap((party) => party.errors(said, assertion))
  const held =
    assertion === undefined
      ? undefined
      : nearest(
          assertion,
          records.map(({ record }) => record)
        )
  const record = held?.record ?? records[0]?.record
  const party = records.find((each) => each.record === record)?.party
  const issuer = assertion?.issuer === undefined ? undefined : knownIssuer(assertion.issuer)
  return {
    ...(issuer !== undefined && { issuer: issuer.name }),
    ...(record !== undefined &&
      party !== undefined && { trust: { party, kind: record.kind, name: record.name } }),
    findings: [
      ...errors.map((error) => ofError(error, assertion, held !== undefined)),
      ...(assertion === undefined
        ? []
        : ofToken(assertion, issuer?.caution?.(assertion.claims), given.now)),
      ...(held?.comparisons ?? []).map(ofComparison),
      ...(record === undefined ? [] : ofRecord(record, assertion)),
      ...(records.length > 1
        ? [note("records", `There are ${records.length} of them; this one comes nearest.`)]
        : []),
      ...(record === undefined && assertion !== undefined && errors.length === 0
        ? toWrite(assertion)
        : [])
    ]
  }
}

const note = (subject: string, what: string): Finding => ({ verdict: "note", subject, what })

const ofError = (
  { claims, code, hint }: ErrorMeaning,
  assertion: Assertion.Assertion | undefined,
  isCompared: boolean
): Finding => ({
  verdict: "wrong",
  subject: code,
  what: hint,
  ...(claims.length > 0 &&
    !isCompared && {
      fix:
        assertion === undefined
          ? `Paste the token and the trust record as well: ${claims.join(", ")} must agree to the letter.`
          : `Paste the trust record as well: it must agree, to the letter, with ${claims
              .map((claim) => `${claim} ${JSON.stringify(assertion.claims[claim])}`)
              .join(", ")}.`
    })
})

const ofToken = (
  { claims }: Assertion.Assertion,
  caution: string | undefined,
  now: number | undefined
): ReadonlyArray<Finding> => {
  const { exp, iat, nbf, sub } = claims
  return [
    ...(caution === undefined
      ? []
      : [{ verdict: "wrong", subject: "iss", what: caution } satisfies Finding]),
    ...(typeof sub === "string" && sub !== ""
      ? []
      : [
          {
            verdict: "wrong",
            subject: "sub",
            what: "The token is about nobody: it has no subject that a trust could name."
          } satisfies Finding
        ]),
    ...(now === undefined ? [] : ofTimes(exp, typeof nbf === "number" ? nbf : iat, now))
  ]
}

const ofTimes = (exp: unknown, from: unknown, now: number): ReadonlyArray<Finding> => {
  if (typeof exp !== "number") {
    return [{ verdict: "wrong", subject: "exp", what: "The token does not say when it ends." }]
  }
  if (exp * 1000 + tolerance < now) {
    return [
      note("exp", "The token has ended, which does no harm here: an exchange takes a new one.")
    ]
  }
  return typeof from === "number" && from * 1000 - tolerance > now
    ? [
        {
          verdict: "wrong",
          subject: "nbf",
          what: "The token is not valid yet.",
          fix: "A clock is wrong: this machine's, or the issuer's."
        }
      ]
    : []
}

export const ofComparison = (comparison: Comparison): Finding => {
  const { claim, demand, nearest: pair, presented, verdict } = comparison
  const at = `\`${demand.setting}\``
  switch (verdict) {
    case "agrees":
      return { verdict: "right", subject: claim, what: `It is what ${at} wants.`, comparison }
    case "unknown":
      return {
        verdict: "unknown",
        subject: claim,
        what: `Only the other side can tell whether it fits ${at}.`,
        comparison
      }
    case "differs":
      return {
        verdict: "wrong",
        subject: claim,
        what:
          presented.length === 0
            ? `The token has no \`${claim}\`, and ${at} wants one.`
            : demand.by === "atMostBytes"
              ? `It is longer than the ${demand.expected.join()} bytes that are taken.`
              : `It is not what ${at} wants.`,
        why: pair?.difference.meaning ?? matters(claim),
        fix: fixOf(comparison),
        comparison
      }
  }
}

/** Why a claim is looked at. */
const matters = (claim: string): string => {
  switch (claim) {
    case "iss":
      return "The other side takes the tokens of exactly this issuer: a character more or less is another one."
    case "aud":
    case "azp":
      return "A token that is for somebody else is none for the other side."
    default:
      return "It tells which workload it is: whom the trust names is let in, and nobody else."
  }
}

const fixOf = ({ claim, demand, nearest: pair, presented }: Comparison): string => {
  if (demand.by === "atMostBytes") return "Map something shorter than the whole subject."
  const said = pair?.presented ?? presented[0]
  const at = `\`${demand.setting}\``
  if (said === undefined) return `Have the issuer write \`${claim}\`, or take ${at} out.`
  const wanted = pair?.expected ?? demand.expected[0]
  if (claim === "aud") {
    return `Write ${JSON.stringify(said)} in ${at}; or, where the source can choose, ask for the audience ${JSON.stringify(wanted)}.`
  }
  return claim === "iss"
    ? `Write exactly ${JSON.stringify(said)} in ${at}.`
    : `Write exactly ${JSON.stringify(said)} in ${at}, if that is the workload that is meant.`
}

/** Why an algorithm matters. */
export const signatures = "What it cannot verify the other side does not believe."

const ofRecord = (
  record: TrustRecord,
  assertion: Assertion.Assertion | undefined
): ReadonlyArray<Finding> => [
  ...(record.algorithms === undefined || assertion?.algorithm === undefined
    ? []
    : record.algorithms.includes(assertion.algorithm)
      ? [
          {
            verdict: "right",
            subject: "alg",
            what: `${assertion.algorithm} is taken.`
          } satisfies Finding
        ]
      : [
          {
            verdict: "wrong",
            subject: "alg",
            what: `The token is signed with ${assertion.algorithm}, and only ${record.algorithms.join(", ")} are taken.`,
            why: signatures,
            fix: `Have the issuer sign with ${record.algorithms[0]}.`
          } satisfies Finding
        ]),
  // What is wrong with the issuer's name shows in the comparison, where there is one.
  ...(assertion === undefined ? problemsOf(record) : (record.problems ?? [])).map(
    ({ fix, what }): Finding => ({
      verdict: "wrong",
      subject: "trust",
      what: `${what}.`,
      why: "As it stands it lets nobody in.",
      fix
    })
  ),
  ...risksOf(record).map((what): Finding => ({
    verdict: "risky",
    subject: "trust",
    what: `${what}.`
  })),
  ...(assertion === undefined
    ? record.demands.map(({ claim, expected, setting }) =>
        note(
          claim,
          `\`${setting}\` wants ${expected.map((each) => JSON.stringify(each)).join(" or ")}.`
        )
      )
    : [])
]

/** What a trust in this token would have to name. */
const toWrite = ({ claims }: Assertion.Assertion): ReadonlyArray<Finding> =>
  ["iss", "aud", "sub"].flatMap((claim) =>
    Object.hasOwn(claims, claim)
      ? [note(claim, `A trust in this token names exactly ${JSON.stringify(claims[claim])}.`)]
      : []
  )
