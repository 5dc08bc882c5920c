/** What in a config file is unsafe or bound to fail, before any call. */
import { AssertionSource, RetryPolicy } from "@federate/core"
import type { Credential, FederationError, TokenExchanger } from "@federate/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { breadthOf, issuersOf, problemsOf, risksOf, subjectsOf } from "./breadth.ts"
import { nearest } from "./compare.ts"
import { ofComparison } from "./explain.ts"
import { ofReason } from "./Finding.ts"
import type { Finding } from "./Finding.ts"
import { issuerProblem } from "./issuers.ts"
import type { RelyingParty, TrustRecord } from "./RelyingParty.ts"
import type { DocumentRule, ExchangerRules, Expected, SourceRules } from "./Rules.ts"
import { shortest } from "./told.ts"

/** A flow as a config file defines it. */
export interface LintedFlow {
  readonly name: string
  /** The source's adapter, and those of the sources under it, each with what its own schema made of its settings. */
  readonly sources: ReadonlyArray<Described>
  /** The exchanger's adapter; nothing when the flow hands out its assertion. */
  readonly exchanger: string | undefined
  readonly exchangerSettings: unknown
  /** Makes both, without a call. */
  readonly parts: {
    readonly source: Effect.Effect<AssertionSource.AssertionSource, FederationError>
    readonly exchanger: Effect.Effect<
      TokenExchanger.TokenExchanger<Credential.Credential>,
      FederationError
    >
  }
}

interface Described {
  readonly type: string
  readonly settings: unknown
}

export interface Linted {
  readonly flows: ReadonlyArray<LintedFlow>
  /** What else the file is to make: each fails with what is wrong, its setting by its whole path. */
  readonly others: ReadonlyArray<Effect.Effect<unknown, FederationError>>
  /** Whom the file itself trusts, by where that stands in it. */
  readonly grants: ReadonlyArray<readonly [path: string, record: TrustRecord]>
  /** What stands on the other side, as its tools print it. */
  readonly documents: ReadonlyArray<unknown>
}

/** Nobody hands them settings but of their own type: `never` takes any of them. */
export interface LintRules {
  readonly parties: ReadonlyArray<RelyingParty>
  readonly sources: ReadonlyArray<SourceRules<never>>
  readonly exchangers: ReadonlyArray<ExchangerRules<never>>
  readonly documents: ReadonlyArray<DocumentRule>
}

/**
 * Looks at each flow, at what the file trusts, and at what stands on the other side. A finding is `wrong` where it is
 * bound to fail, `risky` where it is unsafe; what may be so, and what is worth knowing, is `unknown` and `note`. Records
 * are held against a flow where it alone has an exchanger of their kind.
 */
export const lint = Effect.fnUntraced(function* (
  { documents, flows, grants, others }: Linted,
  rules: LintRules
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const { parties } = rules
  const records = parties.flatMap(({ name: party, records: read }) =>
    documents.flatMap((document) => read(document).map((record) => ({ party, record })))
  )
  const partyOf = ({ exchanger }: LintedFlow) =>
    rules.exchangers.find(({ type }) => type === exchanger)?.party
  const ofFlows = yield* Effect.forEach(flows, (flow) => {
    const party = partyOf(flow)
    const isAlone = flows.filter((each) => partyOf(each) === party).length === 1
    return ofFlow(flow, {
      rules,
      documents,
      flows: flows.filter((each) => each !== flow),
      records: isAlone ? records.filter((each) => each.party === party) : []
    })
  })
  const ofOthers = yield* Effect.forEach(others, (other) => Effect.result(other))
  const subjects = records.flatMap(({ record }) => subjectsOf(record))
  return [
    ...ofFlows.flat(),
    ...ofOthers.flatMap((each) => (Result.isFailure(each) ? [ofSetting("", each.failure)] : [])),
    ...grants.flatMap(([path, record]) => ofRecord(path, record, subjects)),
    ...records.flatMap(({ party, record }) =>
      ofRecord(
        [`${party}:`, record.kind, ...(record.name === undefined ? [] : [record.name])].join(" "),
        record,
        subjects
      )
    ),
    ...rules.documents.flatMap((rule) => documents.flatMap(rule))
  ]
})

interface Around {
  readonly rules: LintRules
  readonly documents: ReadonlyArray<unknown>
  readonly records: ReadonlyArray<{ readonly record: TrustRecord }>
  /** The file's other ones. */
  readonly flows: ReadonlyArray<LintedFlow>
}

const ofFlow = Effect.fnUntraced(function* (
  { exchanger, exchangerSettings, name, parts, sources }: LintedFlow,
  { documents, flows, records, rules }: Around
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const path = `flows.${name}`
  const from = yield* Effect.result(parts.source)
  const to = yield* Effect.result(parts.exchanger)
  if (Result.isFailure(from) || Result.isFailure(to)) {
    return [
      ...(Result.isFailure(from) ? [ofSetting(`${path}.source`, from.failure)] : []),
      ...(Result.isFailure(to) ? [ofSetting(`${path}.exchanger`, to.failure)] : [])
    ]
  }
  const refused = AssertionSource.refusal(from.success, to.success)
  const ruleOf = ({ type }: Described) => rules.sources.find((rule) => rule.type === type)
  const [outermost] = sources
  const expected = expectedOf(
    from.success.offers,
    to.success.asks,
    (outermost && ruleOf(outermost)?.expected(settingsOf(outermost))) ?? {}
  )
  const others = flows.flatMap((other) => other.sources)
  return [
    ...(refused === undefined ? [] : [ofReason(path, refused.reason)]),
    ...sources.flatMap((source, depth) =>
      under(
        path + ".source".repeat(depth + 1),
        ruleOf(source)?.check(settingsOf(source), {
          documents,
          others: others.filter(({ type }) => type === source.type).map(settingsOf)
        }) ?? []
      )
    ),
    ...under(`${path}.source`, ofAssertion(expected)),
    ...under(
      `${path}.exchanger`,
      rules.exchangers
        .find(({ type }) => type === exchanger)
        ?.check(settingsOf({ settings: exchangerSettings }), expected, {
          documents,
          others: flows
            .filter((other) => other.exchanger === exchanger)
            .map((other) => settingsOf({ settings: other.exchangerSettings }))
        }) ?? []
    ),
    ...under(
      path,
      ofTrust(
        expected,
        records.map(({ record }) => record)
      )
    )
  ]
})

/** Decoded by the schema of the adapter of that very type, which is what its rules take. */
const settingsOf = ({ settings }: Pick<Described, "settings">) => settings as never

/** Where in the file it is. */
const under = (path: string, findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.map((finding) => ({ ...finding, subject: `${path}.${finding.subject}` }))

const ofSetting = (path: string, failure: FederationError): Finding => ({
  ...ofReason(path, failure.reason),
  ...(failure.reason._tag === "Misconfigured" && {
    subject: path === "" ? failure.reason.setting : `${path}.${failure.reason.setting}`
  })
})

/** What the two halves of a flow fix of what goes between them. */
const expectedOf = (
  offers: AssertionSource.AssertionOffer,
  asks: AssertionSource.AssertionRequest,
  own: ReturnType<SourceRules<never>["expected"]>
): Expected => {
  const { algorithms, audience, issuer } = offers
  const aud =
    typeof audience === "object"
      ? audience.only
      : (asks.audience ?? (audience === "any" ? asks.preferredAudience : undefined))
  return {
    claims: {
      ...(typeof issuer === "string" && { iss: issuer }),
      ...(aud !== undefined && { aud }),
      ...(own.subject !== undefined && { sub: own.subject })
    },
    algorithms:
      asks.algorithms === undefined
        ? algorithms
        : algorithms?.filter((each) => asks.algorithms?.includes(each)),
    life: own.life
  }
}

/** How long all attempts of a flow may take, when the file does not say otherwise, in milliseconds. */
const attempts = Duration.toMillis(RetryPolicy.standard.deadline)

/** Longer than any exchange needs, in milliseconds. */
const long = 3_600_000

const ofAssertion = ({ claims: { iss }, life }: Expected): ReadonlyArray<Finding> => {
  const problem = iss === undefined ? undefined : issuerProblem(iss)
  return [
    ...(problem === undefined
      ? []
      : [{ verdict: "wrong", subject: "issuer", what: `${problem}.` } satisfies Finding]),
    ...(life === undefined ? [] : ofLife(life))
  ]
}

const ofLife = ({
  milliseconds,
  setting: subject
}: NonNullable<Expected["life"]>): ReadonlyArray<Finding> =>
  milliseconds < shortest
    ? [
        {
          verdict: "wrong",
          subject,
          what: `An assertion lives for ${milliseconds / 1000} s: too short to be traded.`,
          why: `The network and two clocks need some of it, and a flow's attempts may take ${attempts / 1000} s.`,
          fix: "Give it 2 minutes."
        }
      ]
    : milliseconds > long
      ? [
          {
            verdict: "note",
            subject,
            what: `An assertion lives for ${milliseconds / 60_000} min, and one exchange is all that it is needed for.`,
            why: "Whoever gets hold of it is the workload for as long.",
            fix: "Give it 2 minutes: a flow asks for a fresh one whenever it needs one."
          }
        ]
      : []

/** What is known of the assertion, held against the record that comes nearest. */
const ofTrust = (
  { algorithms, claims }: Expected,
  records: ReadonlyArray<TrustRecord>
): ReadonlyArray<Finding> => {
  const known = records.map((record) => ({
    ...record,
    demands: record.demands.filter(
      ({ by, claim }) => Object.hasOwn(claims, claim) && by !== "unreadable"
    )
  }))
  const held = nearest({ claims }, known)
  if (held === undefined) return []
  const taken = held.record.algorithms
  return [
    ...held.comparisons
      .filter(({ verdict }) => verdict === "differs")
      .map((comparison) => ofComparison(comparison)),
    ...(algorithms === undefined ||
    taken === undefined ||
    algorithms.some((each) => taken.includes(each))
      ? []
      : [
          {
            verdict: "wrong",
            subject: "alg",
            what: `The assertion is signed with ${algorithms.join(" or ")}, and only ${taken.join(", ")} are taken.`,
            fix: "Have the source sign with one of them, or take another source."
          } satisfies Finding
        ])
  ]
}

const ofRecord = (
  subject: string,
  record: TrustRecord,
  subjects: ReadonlyArray<string>
): ReadonlyArray<Finding> => [
  ...problemsOf(record).map(({ fix, what }): Finding => ({
    verdict: "wrong",
    subject,
    what: `${what}.`,
    fix
  })),
  ...risksOf(record).map((what): Finding => ({ verdict: "risky", subject, what: `${what}.` })),
  ...breadthOf(record).map(({ pattern, setting }): Finding => ({
    verdict: "note",
    subject,
    what: `\`${setting}\` ${JSON.stringify(pattern)} is a pattern: it lets more than one subject in.`,
    fix: "Write the one subject out, if it is one that is meant."
  })),
  ...adviceOf(subject, record, subjects)
]

const adviceOf = (
  subject: string,
  record: TrustRecord,
  all: ReadonlyArray<string>
): ReadonlyArray<Finding> =>
  issuersOf(record).flatMap(({ advice }) =>
    subjectsOf(record).flatMap((trusted): ReadonlyArray<Finding> => {
      const what = advice?.(trusted, all)
      return what === undefined
        ? []
        : [{ verdict: "note", subject, what: `${JSON.stringify(trusted)}: ${what}` }]
    })
  )
