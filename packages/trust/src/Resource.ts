/** The things that a trust is made of, on one of its sides. */
import type { FederationError } from "@federate/core"
import type * as Effect from "effect/Effect"

/** Ids and names that one thing must know of another, by name: `identityPoolId`, `sub`. Nothing secret. */
export type Known = Readonly<Record<string, string>>

/**
 * What stands for an id or a name: itself, where it is known; a text in its place where it is not known yet, and where
 * the trust is written as code (`aws_cognito_identity_pool.this.id`).
 */
export type Reference = (name: string) => string

/** What there is to tell of a thing, as JSON has it. */
export type State = Readonly<Record<string, unknown>>

interface Named {
  /** Whose it is: `AWS`, `Microsoft Entra`. */
  readonly side: string
  /** What it is, the same for each of its kind: `identity pool`. */
  readonly kind: string
  /** What a person calls it. */
  readonly name: string
  /** The names that are known once it is there. */
  readonly makes: ReadonlyArray<string>
  /**
   * Those of its names that can be told before any call; all others cannot.
   *
   * @param known what is known
   * @param named the same, with references in the place of what is not
   */
  readonly foresee?: (known: Known, named: Known) => Effect.Effect<Known, FederationError>
}

/** What must be there by itself, and is only asked: the workload's role, its assertion. Nobody makes or removes it. */
export interface Prerequisite extends Named {
  /** All that it `makes`; nothing while what would find it is not there. A single call, without retries. */
  readonly ask: (known: Known) => Effect.Effect<Known | undefined, FederationError>
}

/** A thing that is there. */
export interface Found {
  readonly state: State
  /** All that the resource `makes`. */
  readonly known: Known
  /** Whether it bears our mark: `destroy` removes nothing else. */
  readonly isOurs: boolean
  /**
   * That it was deleted, on a side that keeps what is: its name is taken, its `state` tells so, and an update restores it.
   * `destroy` passes it by.
   */
  readonly isDeleted?: boolean | undefined
}

/**
 * What is made. Reads and writes make no retries of their own; a write is asked for again when its answer was lost, and
 * what is there is read before each try.
 */
export interface Resource extends Named {
  /** What should be there; members that are left out do not matter. Pure: it calls nobody, and any text may come in. */
  readonly desired: (of: Reference) => State
  /** A role or scope that the credential shows once this is seen everywhere: what a proof looks for. */
  readonly grants?: string | undefined
  /** Members that do not matter on what is another's: names, and our mark, which is put on nothing that was there. */
  readonly own: ReadonlyArray<string>
  /** Nothing when it is not there, or when what would find it is not. */
  readonly read: (known: Known) => Effect.Effect<Found | undefined, FederationError>
  readonly create: (desired: State, known: Known) => Effect.Effect<void, FederationError>
  /** Only what bears our mark is ever changed. */
  readonly update: (
    found: Found,
    desired: State,
    known: Known
  ) => Effect.Effect<void, FederationError>
  readonly remove: (found: Found, known: Known) => Effect.Effect<void, FederationError>
}

/** Told apart by `ask`. */
export type Part = Prerequisite | Resource
