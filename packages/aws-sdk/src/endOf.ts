/** When credentials end. */
import { Malformed } from "@federate/core"
import type { HttpAnswer } from "@federate/http"
import * as Result from "effect/Result"

/**
 * An absolute time of AWS's as one on our clock, by the answer's `Date`.
 *
 * @param expiration epoch milliseconds on AWS's clock; `NaN` when it cannot be read
 */
export const endOf = (
  expiration: number,
  { sentAt, serverTime }: HttpAnswer
): Result.Result<number, Malformed> => {
  const left = expiration - serverTime
  return left > 0
    ? Result.succeed(sentAt + left)
    : Result.fail(
        new Malformed({ detail: "AWS's credentials do not say when they end, or have ended" })
      )
}
