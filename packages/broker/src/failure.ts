/** Why a flow failed, as far as anybody may read it. */
import type { FederationError } from "@federate/core"

export interface Failure {
  readonly stage: FederationError["stage"]
  /** The source, exchanger or flow that tells it. */
  readonly adapter: string
  readonly reason: FederationError["reason"]["_tag"]
  /** The other side's own code. */
  readonly code?: string
  /** What was wrong. */
  readonly description: string
  /** What to do. */
  readonly hint?: string
}

/** In characters; the adapters of this repository stay far below. */
const longest = 2000

export const failureOf = ({ adapter, reason, stage }: FederationError): Failure => ({
  stage,
  adapter,
  reason: reason._tag,
  ...(reason._tag === "Rejected" && { code: reason.code }),
  description: (reason._tag === "Rejected"
    ? reason.description
    : reason._tag === "Misconfigured"
      ? `${reason.setting}: ${reason.problem}`
      : reason.detail
  ).slice(0, longest),
  ...("hint" in reason && reason.hint !== undefined && { hint: reason.hint.slice(0, longest) })
})
