/** Whether a token that the platform has made can be handed out: only the platform can make another. */
import { Misconfigured } from "@federate/core"
import type { Assertion, AssertionSource } from "@federate/core"
import * as Result from "effect/Result"

/**
 * Where the source cannot choose: the assertion, if it is for whom is demanded.
 *
 * @param hint where on the platform the audience is set
 */
export const forAudience = (
  { audience }: AssertionSource.AssertionRequest,
  assertion: Assertion.Assertion,
  hint: (audience: string) => string
): Result.Result<Assertion.Assertion, Misconfigured> =>
  audience === undefined || assertion.audience.includes(audience)
    ? Result.succeed(assertion)
    : Result.fail(
        new Misconfigured({
          setting: "audience",
          problem: `"${audience}" is demanded, and the token is for ${assertion.audience.map((each) => `"${each}"`).join(", ") || "nobody"}`,
          hint: hint(audience)
        })
      )

/** What the platform has left somewhere. */
export interface Left {
  /** What names the place, for errors. */
  readonly setting: string
  /** The place, in words. */
  readonly place: string
  /** Where on the platform the audience is set. Without it the platform makes another token for another audience. */
  readonly audience?: (audience: string) => string
  /** What puts a new one in its place. */
  readonly renewal: string
}

/** The assertion, if it has not ended yet and is for whom is demanded. */
export const fit = (
  request: AssertionSource.AssertionRequest,
  assertion: Assertion.Assertion,
  { audience: hint, place, renewal, setting }: Left
): Result.Result<Assertion.Assertion, Misconfigured> => {
  const { expiresAt, obtainedAt } = assertion
  if (expiresAt !== undefined && expiresAt <= obtainedAt) {
    return Result.fail(
      new Misconfigured({
        setting,
        problem: `the token in ${place} ended at ${new Date(expiresAt).toISOString()}, and nobody has put a new one in its place`,
        hint: renewal
      })
    )
  }
  return hint === undefined ? Result.succeed(assertion) : forAudience(request, assertion, hint)
}
