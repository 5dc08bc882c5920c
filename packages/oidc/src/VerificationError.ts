/** Why a JWT was not believed. */
import * as Data from "effect/Data"

/** The check that failed; the checks are made in this order. */
export type Check =
  | "form"
  | "algorithm"
  | "key"
  | "signature"
  | "issuer"
  | "audience"
  | "subject"
  | "time"

/**
 * For the operator, not for the caller: who sent the token learns no more than that it was refused (RFC 8725 §3).
 */
export class VerificationError extends Data.TaggedError("VerificationError")<{
  readonly check: Check
  readonly detail: string
}> {
  override get message(): string {
    return `${this.check}: ${this.detail}`
  }
}
