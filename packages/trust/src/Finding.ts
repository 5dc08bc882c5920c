/** One thing that was looked at, and what came of it. */
import type { Reason } from "@federate/core"
import type { Comparison } from "./compare.ts"

export interface Finding {
  /**
   * `risky`: it works, for more than may be meant. `unknown`: only the other side can tell. `note`: nothing is wrong,
   * and it is good to know.
   */
  readonly verdict: "right" | "wrong" | "risky" | "unknown" | "note"
  /** What was looked at: a claim's name, an error's code, `alg`, `exp`, … */
  readonly subject: string
  /** What is so, in a sentence. */
  readonly what: string
  /** Why it is so, or why it matters. */
  readonly why?: string
  /** The one thing to do. */
  readonly fix?: string
  /** Both sides, where two were compared. */
  readonly comparison?: Comparison
}

/** Why something did not come about. */
export const ofReason = (subject: string, reason: Reason): Finding => {
  const failed = (what: string, fix: string | undefined): Finding => ({
    verdict: "wrong",
    subject,
    what,
    ...(fix !== undefined && { fix })
  })
  switch (reason._tag) {
    case "Rejected":
      return failed(`${reason.code}: ${reason.description}`, reason.hint)
    case "Misconfigured":
      return failed(`\`${reason.setting}\` ${reason.problem}`, reason.hint)
    case "Unavailable":
      return failed(reason.detail, reason.hint)
    case "Transient":
      return failed(
        reason.detail,
        "Run it again: it may pass by itself. If it stays, look at the network, the proxy and the firewall between here and there."
      )
    case "Malformed":
      return failed(
        reason.detail,
        "Check that it is the real service that answers there, and not a proxy or another one; and that what it gave came whole."
      )
  }
}
