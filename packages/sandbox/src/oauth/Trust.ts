/** Whose assertions a relying party takes, and whether it has seen them before. */
import { Assertion } from "@federate/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import type { Trust } from "../Options.ts"

/** A believed assertion. */
export interface Believed {
  readonly issuer: string
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** Why it is not believed: for who runs the relying party. */
export class Disbelief extends Data.TaggedError("Disbelief")<{ readonly detail: string }> {}

export interface TrustStore {
  /** Trusts an assertion more, from now on. */
  readonly add: (trust: Trust) => void
  readonly believe: (
    token: string,
    options: {
      /** Whom it must be for, where the trust names nobody. */
      readonly audiences: ReadonlyArray<string>
      readonly now: number
      /** Remember its `jti`, or all of it where it has none, and take it once (RFC 7523 §3). */
      readonly once?: boolean
    }
  ) => Effect.Effect<Believed, Disbelief>
}

const algorithms = ["RS256", "PS256", "ES256", "ES384"]

/** How far clocks may disagree, in milliseconds. */
const clockTolerance = 60_000

/** The longest that an assertion may live, in seconds: a day, and five minutes that Entra's begin before they are issued. */
const longest = 24 * 3600 + 300

/** Who is trusted when nobody says. */
const workload: Trust = { issuer: "workload", subject: "workload" }

/** @param url of a plain issuer, by its name */
export const make = (
  keys: IssuerKeys,
  url: (issuer: string) => string,
  given: ReadonlyArray<Trust> = [workload]
): TrustStore => {
  const trusts = [...given]
  const seen = new Set<string>()
  const issuerOf = ({ issuer }: Trust) => (URL.canParse(issuer) ? issuer : url(issuer))
  return {
    add: (trust) => void trusts.push(trust),
    believe: Effect.fnUntraced(function* (token, { audiences, now, once = false }) {
      const fail = (detail: string) => new Disbelief({ detail })
      const read = Assertion.fromJwt(Redacted.make(token), { obtainedAt: now })
      if (Result.isFailure(read)) return yield* fail("The assertion is no JWT")
      const { audience, issuer, subject = "" } = read.success
      const trusted = trusts.filter((trust) => issuerOf(trust) === issuer)
      if (issuer === undefined || trusted.length === 0)
        return yield* fail("The issuer is not trusted")
      const { claims } = yield* Effect.mapError(
        keys.verify(issuer, read.success.token, { algorithms, issuer, now, clockTolerance }),
        (error) =>
          fail(
            error._tag === "VerificationError"
              ? `The assertion failed the check ${error.check}`
              : "The issuer's keys cannot be had"
          )
      )
      const { exp, iat, jti } = claims
      if (typeof exp !== "number" || typeof iat !== "number")
        return yield* fail("The assertion has no exp or iat")
      if (exp - iat > longest) return yield* fail("The assertion lives too long")
      const about = trusted.filter((trust) => trust.subject === subject)
      if (about.length === 0) return yield* fail("The subject is not trusted")
      const accepted = new Set(about.flatMap((trust) => trust.audience ?? audiences))
      if (!audience.some((each) => accepted.has(each)))
        return yield* fail("The audience is another")
      if (once) {
        // One that names itself by no id is itself.
        const name = JSON.stringify([issuer, typeof jti === "string" ? jti : token])
        if (seen.has(name)) return yield* fail("The assertion was used before")
        seen.add(name)
      }
      return { issuer, subject, claims, expiresAt: exp }
    })
  }
}
