/** The statement that the trust is about, as one of the things that it is made of: read, never written. */
import type { AssertionSource, FederationError } from "@federate/core"
import { FederationError as Failure, Transient } from "@federate/core"
import * as Effect from "effect/Effect"
import type { Known, Resource } from "./Resource.ts"

/**
 * Takes one assertion, for its issuer, subject and audience: what the other side has to name. Where it cannot be had yet
 * (before the first half is there) they are not known.
 *
 * @param asks what the other side asks of it
 * @param source the source, as far as its settings are known; nothing while they are not
 */
export const assertionResource = (
  name: string,
  asks: AssertionSource.AssertionRequest,
  source: (
    known: Known
  ) => Effect.Effect<AssertionSource.AssertionSource, FederationError> | undefined
): Resource => {
  const take = (known: Known) =>
    source(known)?.pipe(
      Effect.flatMap(({ assertion }) => assertion(asks)),
      Effect.map(({ audience, issuer = "", subject = "" }) => ({
        state: { issued: true },
        known: { issuer, subject, audience: audience[0] ?? "" },
        isOurs: false
      }))
    )
  return {
    side: "Workload",
    kind: "assertion",
    name,
    desired: () => ({ issued: true }),
    read: (known) => Effect.orElseSucceed(take(known) ?? Effect.undefined, () => undefined),
    // A right that was just granted takes its time: whatever is said against it may pass.
    create: (_, known) =>
      Effect.mapError(
        Effect.asVoid(take(known) ?? Effect.void),
        ({ adapter, message, reason, stage }) =>
          reason._tag === "Rejected"
            ? new Failure({ adapter, stage, reason: new Transient({ detail: message }) })
            : new Failure({ adapter, stage, reason })
      ),
    update: () => Effect.void,
    remove: () => Effect.void
  }
}
