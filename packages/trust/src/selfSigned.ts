/** What a self-signed token's settings fix of it. */
import type { SelfSignedOptions } from "@federate/oidc"
import * as Duration from "effect/Duration"
import type { SourceRules } from "./Rules.ts"

export const selfSignedRules: SourceRules<SelfSignedOptions> = {
  type: "self-signed",
  expected: ({ lifetime = "5 minutes", subject }) => ({
    subject,
    life: {
      setting: "lifetime",
      milliseconds: Duration.toMillis(Duration.fromInputUnsafe(lifetime))
    }
  }),
  check: () => []
}
