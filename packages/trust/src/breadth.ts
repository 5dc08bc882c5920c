/** Whom a trust record lets in by its patterns, and what its issuer's name is missing. */
import { issuerProblem, knownIssuer } from "./issuers.ts"
import type { Problem, TrustRecord } from "./RelyingParty.ts"

/** What is wrong with a record by itself: its own problems, and those of any issuer's name. */
export const problemsOf = ({ demands, problems = [] }: TrustRecord): ReadonlyArray<Problem> => [
  ...problems,
  ...demands.flatMap(({ by, claim, expected, setting }) =>
    claim === "iss" && by === "equals"
      ? expected.flatMap((issuer) => {
          const problem = issuerProblem(issuer)
          return problem === undefined
            ? []
            : [
                {
                  what: `\`${setting}\` ${JSON.stringify(issuer)} ${problem}`,
                  fix: "Write the `iss` of a token, to the letter: `federate inspect` shows it."
                }
              ]
        })
      : []
  )
]

/** Whom a record lets in that nobody may have meant: its own risks, and those of any pattern for a subject. */
export const risksOf = (record: TrustRecord): ReadonlyArray<string> => [
  ...(record.risks ?? []),
  ...subjectPatterns(record).flatMap(({ pattern, setting }) => {
    if (/^[*?:/]*$/.test(pattern)) return [`\`${setting}\` lets every subject in`]
    const shared = issuersOf(record).find(
      ({ own }) => own !== undefined && !own.test(literalPart(pattern))
    )
    return shared === undefined
      ? []
      : [
          `\`${setting}\` ${JSON.stringify(pattern)} leaves open whose workload it is: ${shared.name} signs for everybody, and others' subjects fit it, too`
        ]
  })
]

/** The patterns that let in more than one subject, as far as that is no risk by itself. */
export const breadthOf = (
  record: TrustRecord
): ReadonlyArray<{ readonly setting: string; readonly pattern: string }> =>
  risksOf(record).length > 0 ? [] : subjectPatterns(record)

const subjectPatterns = ({ demands }: TrustRecord) =>
  demands.flatMap(({ by, claim, expected, setting }) =>
    claim === "sub" && by === "like"
      ? expected.filter((pattern) => /[*?]/.test(pattern)).map((pattern) => ({ setting, pattern }))
      : []
  )

/** Those that are known, of the issuers that it trusts. */
export const issuersOf = ({ demands }: TrustRecord) =>
  demands.flatMap(({ claim, expected }) =>
    claim === "iss"
      ? // A slash too many is a problem by itself.
        expected.flatMap(
          (issuer) => knownIssuer(issuer.replace(/\/+$/, "")) ?? knownIssuer(issuer) ?? []
        )
      : []
  )

/** As it has them: patterns, too. */
export const subjectsOf = ({ demands }: TrustRecord): ReadonlyArray<string> =>
  demands.flatMap(({ by, claim, expected }) =>
    claim === "sub" && (by === "equals" || by === "like") ? expected : []
  )

/** Up to the first wildcard. */
const literalPart = (pattern: string): string => pattern.replace(/[*?].*$/s, "")
