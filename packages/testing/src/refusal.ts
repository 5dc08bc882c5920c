/** What goes wrong in an adapter's own way, and how that must be told. */
import type { FederationError, Reason, Remedy, Stage } from "@federate/core"
import { assert } from "@effect/vitest"
import { visible } from "./visible.ts"

export interface Refusal {
  /** What goes wrong; it stands in the test's name. */
  readonly name: string
  readonly becomes: Reason["_tag"]
  /** Of a `Rejected`. */
  readonly code?: string
  readonly remedy?: Remedy
  /** What its hint, a `Misconfigured`'s or an `Unavailable`'s, must say. */
  readonly hint?: RegExp
}

/** Dies where an error does not tell it so. */
export const assertTold = (
  { reason, stage }: FederationError,
  at: Stage,
  { becomes, code, hint, remedy }: Refusal
): void => {
  assert.strictEqual(stage, at)
  assert.strictEqual(reason._tag, becomes, visible(reason))
  if (reason._tag === "Rejected") {
    assert.isNotEmpty(reason.hint)
    assert.isNotEmpty(reason.description)
    if (code !== undefined) assert.strictEqual(reason.code, code)
    if (remedy !== undefined) assert.strictEqual(reason.remedy, remedy)
  }
  if (hint !== undefined) assert.match(("hint" in reason ? reason.hint : undefined) ?? "", hint)
}
