/** One thing that a trust is made of, on one of its sides. */
import type { FederationError } from "@federate/core"
import type * as Effect from "effect/Effect"

/** Ids and names that one thing must know of another, by name: `identityPoolId`, `subject`. Nothing secret. */
export type Known = Readonly<Record<string, string>>

/** What a side tells of a thing, as JSON has it. `undefined`: not known until something before it was made. */
export type State = Readonly<Record<string, unknown>>

/** A thing that is there. */
export interface Found {
  readonly state: State
  /** What others may need of it. */
  readonly known: Known
  /** Whether it bears our mark: `destroy` removes nothing else. */
  readonly isOurs: boolean
}

/** Reads and writes are single calls, without retries. They must be written so that doing one twice does no harm. */
export interface Resource {
  /** Whose it is: `AWS`, `Microsoft Entra`. */
  readonly side: string
  /** What it is: `identity pool`. */
  readonly kind: string
  /** What a person calls it. */
  readonly name: string
  /** What should be there, as far as it is known; members that are left out do not matter. */
  readonly desired: (known: Known) => State
  /** Nothing when it is not there, or when what would find it is not. */
  readonly read: (known: Known) => Effect.Effect<Found | undefined, FederationError>
  readonly create: (desired: State, known: Known) => Effect.Effect<void, FederationError>
  readonly update: (
    found: Found,
    desired: State,
    known: Known
  ) => Effect.Effect<void, FederationError>
  readonly remove: (found: Found, known: Known) => Effect.Effect<void, FederationError>
}
