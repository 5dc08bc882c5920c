/** A flow, one step at a time, as a person would check it. */
import { Assertion, Flow } from "@federate/core"
import type {
  AssertionSource,
  Credential,
  FederationError,
  TokenExchanger,
  TokenRequest
} from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { explain } from "./explain.ts"
import type { Finding } from "./explain.ts"
import type { RelyingParty } from "./RelyingParty.ts"

export interface Patient {
  readonly source: AssertionSource.AssertionSource
  readonly exchanger: TokenExchanger.TokenExchanger<Credential.Credential>
  /** Default: what the exchanger asks for by itself. */
  readonly request?: TokenRequest.TokenRequest | undefined
  /** Checks an assertion by the keys that its issuer publishes. The failure says what is wrong. */
  readonly verify: (
    assertion: Assertion.Assertion
  ) => Effect.Effect<void, { readonly message: string }>
  /** What stands on the other side, as documents; nothing where it cannot be read. */
  readonly trust?: Effect.Effect<ReadonlyArray<unknown>, FederationError> | undefined
  /** App roles or scopes that the token is wanted for. Default: none in particular. */
  readonly permissions?: ReadonlyArray<string> | undefined
}

/** A token that ends sooner has no time to be traded, in milliseconds. */
const shortest = 30_000

/**
 * Goes through a flow: whether the pair can work, the assertion, its claims, its issuer's keys, the trust on the other
 * side, the exchange, and what came of it. Each finding is told as soon as it is there. What needs an earlier step that
 * failed is left out. Gives whether nothing is wrong.
 */
export const diagnose = Effect.fnUntraced(function* <R>(
  { exchanger, permissions = [], request = {}, source, trust, verify }: Patient,
  parties: ReadonlyArray<RelyingParty>,
  tell: (finding: Finding) => Effect.Effect<void, never, R>
): Effect.fn.Return<boolean, never, R> {
  let isHealthy = true
  const say = (...findings: ReadonlyArray<Finding>) => {
    isHealthy &&= findings.every(({ verdict }) => verdict !== "wrong")
    return Effect.forEach(findings, tell, { discard: true })
  }

  // Refuses what cannot work before any call.
  const pair = yield* Effect.result(Effect.scoped(Flow.make({ source, exchanger })))
  if (Result.isFailure(pair)) {
    yield* say(ofFailure("flow", pair.failure))
    return false
  }

  const asked = yield* Effect.result(source.assertion(exchanger.asks))
  if (Result.isFailure(asked)) {
    yield* say(ofFailure("source", asked.failure))
    return false
  }
  const assertion = asked.success
  yield* say({ verdict: "right", subject: "source", what: `${source.name} gave an assertion.` })

  const verified = yield* Effect.result(verify(assertion))
  yield* say(
    Result.isSuccess(verified)
      ? {
          verdict: "right",
          subject: "issuer",
          what: `${assertion.issuer} publishes its keys, and one of them signed the assertion.`
        }
      : {
          verdict: "wrong",
          subject: "issuer",
          what: `The assertion cannot be verified: ${verified.failure.message}`,
          why: "The other side fetches the issuer's discovery document and keys over the internet, and believes nothing else."
        }
  )

  const read = trust === undefined ? undefined : yield* Effect.result(trust)
  if (read !== undefined && Result.isFailure(read)) {
    yield* say({ ...ofFailure("trust", read.failure), verdict: "unknown" })
  }
  const documents = read !== undefined && Result.isSuccess(read) ? read.success : []
  if (read !== undefined && Result.isSuccess(read) && documents.length === 0) {
    yield* say({
      verdict: "wrong",
      subject: "trust",
      what: "The other side has no trust record at all.",
      fix: `Make one for ${["iss", "aud", "sub"].map((claim) => `${claim} ${JSON.stringify(assertion.claims[claim])}`).join(", ")}.`
    })
  }
  const now = yield* Clock.currentTimeMillis
  yield* say(...explain({ assertion, documents, text: "", now }, parties).findings)
  if (assertion.expiresAt !== undefined && assertion.expiresAt - now < shortest) {
    yield* say({
      verdict: "wrong",
      subject: "exp",
      what: `The assertion has ${Math.round((assertion.expiresAt - now) / 1000)} s left: too few to be traded.`,
      fix: "Have the source give longer ones, or a fresh one each time; or a clock is wrong."
    })
  }

  const traded = yield* Effect.result(exchanger.exchange(assertion, request))
  if (Result.isFailure(traded)) {
    yield* say(ofFailure("exchange", traded.failure))
    return false
  }
  const credential = traded.success
  yield* say({
    verdict: "right",
    subject: "exchange",
    what: `${exchanger.name} took it; what it gave lives for ${Math.round((credential.expiresAt - credential.obtainedAt) / 60_000)} min.`
  })
  yield* say(...granted(credential, permissions))
  return isHealthy
})

const ofFailure = (subject: string, { reason }: FederationError): Finding => {
  const fix = "hint" in reason ? reason.hint : undefined
  return {
    verdict: "wrong",
    subject,
    what:
      reason._tag === "Rejected"
        ? `${reason.code}: ${reason.description}`
        : reason._tag === "Misconfigured"
          ? `\`${reason.setting}\` ${reason.problem}`
          : reason.detail,
    ...(fix !== undefined && { fix })
  }
}

/** What a token says that it is good for, where it says it: it is opaque to flows, and a person may look into it. */
const granted = (
  credential: Credential.Credential,
  permissions: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const token = "token" in credential ? credential.token : undefined
  if (!Redacted.isRedacted(token)) return []
  const decoded = Assertion.fromJwt(Redacted.make(`${Redacted.value(token)}`), { obtainedAt: 0 })
  if (Result.isFailure(decoded)) return []
  const { roles, scp } = decoded.success.claims
  const held: ReadonlyArray<string> = [
    ...(Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : []),
    ...(typeof scp === "string" ? scp.split(" ") : [])
  ]
  const missing = permissions.filter((permission) => !held.includes(permission))
  if (missing.length > 0) {
    return [
      {
        verdict: "wrong",
        subject: "roles",
        what: `The token has ${held.length === 0 ? "no role at all" : held.join(", ")}, and not ${missing.join(", ")}.`,
        fix: "Assign the role to the app, with an administrator's consent; it shows in tokens that are issued after that, some minutes later."
      }
    ]
  }
  return held.length === 0
    ? []
    : [{ verdict: "right", subject: "roles", what: `The token has ${held.join(", ")}.` }]
}
