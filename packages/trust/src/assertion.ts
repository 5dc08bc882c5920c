/** The assertion that a trust is about, as a part of it: taken for the claims that the other side has to name. */
import type { AssertionSource, FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import type { Prerequisite, Known } from "./Resource.ts"

/** The claims by which it is known there (RFC 7519 §4.1). */
export interface Claims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
}

/** `azp` is the authorized party (OpenID Connect Core §2), which some look at in the audience's place; else the audience. */
const assertion = (flow: string, told: Pick<Prerequisite, "ask" | "foresee">): Prerequisite => ({
  side: "Workload",
  kind: "assertion",
  name: flow,
  makes: ["iss", "sub", "aud", "azp"],
  ...told
})

/** Where they are known beforehand: nobody is asked. */
export const givenAssertion = (flow: string, { aud, iss, sub }: Claims): Prerequisite => {
  const given = () => Effect.succeed({ iss, sub, aud, azp: aud })
  return assertion(flow, { ask: given, foresee: given })
}

/**
 * Takes one assertion for its claims.
 *
 * @param source the source, as far as its settings are known; nothing while they are not
 * @param asks what the other side asks of it; nothing while that is not known
 */
export const takenAssertion = (
  flow: string,
  source: (
    known: Known
  ) => Effect.Effect<AssertionSource.AssertionSource, FederationError> | undefined,
  asks: (known: Known) => AssertionSource.AssertionRequest | undefined
): Prerequisite =>
  assertion(flow, {
    ask: Effect.fnUntraced(function* (known) {
      const request = asks(known)
      const made = source(known)
      if (request === undefined || made === undefined) return undefined
      const {
        audience: [aud = ""],
        claims: { azp },
        issuer = "",
        subject = ""
      } = yield* (yield* made).assertion(request)
      return { iss: issuer, sub: subject, aud, azp: typeof azp === "string" ? azp : aud }
    }),
    foresee: Effect.fnUntraced(
      function* (known, named) {
        const made = source(known)
        if (made === undefined) return {}
        const { audience, issuer } = (yield* made).offers
        const { audience: demanded, preferredAudience } = asks(named) ?? {}
        const aud = audience === "any" ? (demanded ?? preferredAudience) : audience?.only
        return {
          ...(typeof issuer === "string" && { iss: issuer }),
          ...(aud !== undefined && { aud })
        }
      },
      // A source that is only to be had where the workload runs tells nothing here.
      Effect.orElseSucceed(() => ({}))
    )
  })
