/** Proves a trust by what comes of it. */
import { FederationError, Transient } from "@federate/core"
import type { Credential } from "@federate/core"
import * as Effect from "effect/Effect"
import { granted } from "./granted.ts"
import { patiently } from "./patiently.ts"
import type { Patience } from "./patiently.ts"
import type { Part } from "./Resource.ts"

/** A role that was just granted shows in tokens that are issued some minutes later: until then another one is taken. */
export const prove = <R1, R2>(
  parts: ReadonlyArray<Part>,
  credential: Effect.Effect<Credential.Credential, FederationError, R1>,
  patience: Patience<R2>
): Effect.Effect<Credential.Credential, FederationError, R1 | R2> => {
  const grants = parts.flatMap((part) =>
    "grants" in part && part.grants !== undefined ? [part.grants] : []
  )
  const shown = Effect.flatMap(credential, (taken) => {
    const wrong = granted(taken, grants).find(({ verdict }) => verdict === "wrong")
    return wrong === undefined
      ? Effect.succeed(taken)
      : Effect.fail(
          new FederationError({
            adapter: "federate",
            stage: "exchange",
            reason: new Transient({ detail: `${wrong.what} ${wrong.fix ?? ""}`.trim() })
          })
        )
  })
  return patiently(shown, patience)
}
