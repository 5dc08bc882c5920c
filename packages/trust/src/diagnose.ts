/** A flow, one step at a time, as a person would check it. */
import { Flow } from "@federate/core"
import type {
  Assertion,
  AssertionSource,
  Credential,
  FederationError,
  TokenExchanger,
  TokenRequest
} from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { clockFinding, tolerance } from "./clocks.ts"
import type { ClockReading, Clocks } from "./clocks.ts"
import { explain, signatures } from "./explain.ts"
import { ofReason } from "./Finding.ts"
import type { Finding } from "./Finding.ts"
import { called, granted } from "./granted.ts"
import { publishedKeys } from "./publicKeys.ts"
import type { Problem, RelyingParty } from "./RelyingParty.ts"
import { span, told, untimely } from "./told.ts"

export interface Patient {
  /** What the flow is made of; the failure is of its settings. */
  readonly parts: Effect.Effect<
    {
      readonly source: AssertionSource.AssertionSource
      readonly exchanger: TokenExchanger.TokenExchanger<Credential.Credential>
    },
    FederationError
  >
  /** What the adapters look at by themselves. Default: nothing. */
  readonly checkups?: ReadonlyArray<Effect.Effect<ReadonlyArray<Finding>>> | undefined
  /** Where the flow's calls are made over its `fetch`, how the other sides' clocks go. Default: they are not read. */
  readonly clocks?: Clocks | undefined
  /** For what is asked of the issuer and of what is called. Default: that of `clocks`, else the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: what the exchanger asks for by itself. */
  readonly request?: TokenRequest.TokenRequest | undefined
  /** What stands on the other side, as documents; nothing where it cannot be read. */
  readonly trust?: Effect.Effect<ReadonlyArray<unknown>, FederationError> | undefined
  /** What it means that nothing of that is a record. Default: that one is to be made. */
  readonly missing?: ((assertion: Assertion.Assertion) => Problem) | undefined
  /** App roles or scopes that the token is wanted for. Default: none in particular. */
  readonly permissions?: ReadonlyArray<string> | undefined
  /** URLs that the token is wanted for: each is asked for once (GET). Default: none. */
  readonly calls?: ReadonlyArray<string> | undefined
}

/**
 * Goes through a flow: its settings, what its adapters look at by themselves, the assertion and what it says, its
 * issuer's keys, the clocks, the trust on the other side, the exchange, and what came of it. Each finding is told as
 * soon as it is there; the first that is `wrong` is where to begin. What needs an earlier step that failed is left out.
 * Gives whether nothing is wrong.
 */
export const diagnose = Effect.fnUntraced(function* <R>(
  patient: Patient,
  parties: ReadonlyArray<RelyingParty>,
  tell: (finding: Finding) => Effect.Effect<void, never, R>
): Effect.fn.Return<boolean, never, R> {
  const { calls = [], checkups = [], clocks, permissions = [], request = {}, trust } = patient
  const fetch = patient.fetch ?? clocks?.fetch
  let isHealthy = true
  const say = (...findings: ReadonlyArray<Finding>) => {
    isHealthy &&= findings.every(({ verdict }) => verdict !== "wrong")
    return Effect.forEach(findings, tell, { discard: true })
  }

  const seen: Array<ClockReading> = []
  let areClocksTold = false
  /** After what was called: who is wrong by the clock is told before what comes of it, once. */
  const sayClocks = Effect.gen(function* () {
    const readings = clocks === undefined ? [] : yield* clocks.readings
    const finding = clockFinding(readings, seen)
    seen.push(...readings)
    if (finding === undefined || areClocksTold) return
    areClocksTold = true
    yield* say(finding)
  })
  const attempt = <A>(step: () => Effect.Effect<A, FederationError>) =>
    Effect.tap(Effect.result(Effect.retry(Effect.suspend(step), once)), () => sayClocks)

  // Refuses what cannot work before any call.
  const made = yield* Effect.result(
    Effect.tap(patient.parts, (parts) => Effect.scoped(Flow.make(parts)))
  )
  if (Result.isFailure(made)) {
    yield* say({ ...ofReason("flow", made.failure.reason), why: matters.flow })
    return false
  }
  const { exchanger, source } = made.success

  let canGoOn = true
  for (const checkup of checkups) {
    const findings = yield* checkup
    yield* sayClocks
    yield* say(...findings)
    canGoOn &&= findings.every(({ verdict }) => verdict !== "wrong")
  }
  if (!canGoOn) return false

  const asked = yield* attempt(() => source.assertion(exchanger.asks))
  if (Result.isFailure(asked)) {
    yield* say({ ...ofReason("source", asked.failure.reason), why: matters.source })
    return false
  }
  const assertion = asked.success
  yield* say(
    { verdict: "right", subject: "source", what: `${source.name} gave an assertion.` },
    told(assertion)
  )
  const keys = yield* publishedKeys(assertion, fetch)
  yield* sayClocks
  const late = untimely(assertion, yield* Clock.currentTimeMillis, tolerance)
  yield* say(...(late === undefined ? [] : [late]), keys)

  const read = trust === undefined ? undefined : yield* Effect.result(trust)
  if (read !== undefined && Result.isFailure(read)) {
    yield* say({ ...ofReason("trust", read.failure.reason), verdict: "unknown" })
  }
  const documents = read !== undefined && Result.isSuccess(read) ? read.success : []
  const { findings, trust: nearest } = explain({ assertion, documents, text: "" }, parties)
  if (read !== undefined && Result.isSuccess(read) && nearest === undefined) {
    const { fix, what } = (patient.missing ?? noRecord)(assertion)
    yield* say({ verdict: "wrong", subject: "trust", what: `${what}.`, why: matters.trust, fix })
  }
  yield* say(
    ...findings,
    ...(findings.some(({ subject }) => subject === "alg")
      ? []
      : ofAlgorithm(assertion, exchanger.asks.algorithms))
  )

  const traded = yield* attempt(() => exchanger.exchange(assertion, request))
  if (Result.isFailure(traded)) {
    yield* say({ ...ofReason("exchange", traded.failure.reason), why: matters.exchange })
    return false
  }
  const credential = traded.success
  yield* say(
    {
      verdict: "right",
      subject: "exchange",
      what: `${exchanger.name} took it; what it gave lives for ${span(credential.expiresAt - credential.obtainedAt)}.`
    },
    ...granted(credential, permissions)
  )
  for (const url of calls) yield* say(yield* called(credential, url, fetch))
  return isHealthy
})

/** Why each step matters, where it fails. */
const matters = {
  flow: "With these settings no call can succeed, and none was made.",
  source: "Without an assertion there is nothing to trade.",
  trust: "Nobody is let in whom no record names.",
  exchange: "For an assertion that the other side does not take it gives nothing."
}

const noRecord = ({ claims }: Assertion.Assertion): Problem => ({
  what: "The other side has no trust record at all",
  fix: `Make one for ${["iss", "aud", "sub"].map((claim) => `${claim} ${JSON.stringify(claims[claim])}`).join(", ")}.`
})

/** A flow tries again as well; and the AWS SDK reckons with the clock's difference from its second call on. */
const once = {
  times: 1,
  while: ({ reason }: FederationError) =>
    reason._tag === "Transient" && reason.retryAt === undefined
}

const ofAlgorithm = (
  { algorithm = "nothing" }: Assertion.Assertion,
  taken: ReadonlyArray<string> | undefined
): ReadonlyArray<Finding> => {
  if (taken === undefined) return []
  return [
    taken.includes(algorithm)
      ? { verdict: "right", subject: "alg", what: `${algorithm} is taken.` }
      : {
          verdict: "wrong",
          subject: "alg",
          what: `The token is signed with ${algorithm}, and only ${taken.join(", ")} are taken.`,
          why: signatures,
          fix: `Have the issuer sign with ${taken[0]}.`
        }
  ]
}
