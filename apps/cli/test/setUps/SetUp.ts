/** A set-up with one thing wrong, and what the doctor is to say of it. */
import type { Sandbox } from "@federate/sandbox"

/** A flow as the config file has it, and what surrounds it. */
export interface Built {
  readonly source: Readonly<Record<string, unknown>>
  /** Default: none, the flow hands out its assertion. */
  readonly exchanger?: Readonly<Record<string, unknown>>
  /** In place of the sandbox's own; `undefined` unsets. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly args?: ReadonlyArray<string>
  /** Puts right again what other set-ups share. */
  readonly undo?: () => unknown
}

export interface SetUp {
  /** What is wrong, in words. */
  readonly name: string
  readonly build: (place: Place) => Promise<Built>
  /** What the first `✗` is about. */
  readonly found: string
  readonly what: RegExp
  readonly why?: RegExp
  readonly fix: RegExp
  /** The code by which the other side refused, where it came to that. */
  readonly code?: string
}

/** One with nothing wrong. */
export interface WellSetUp extends Pick<SetUp, "name" | "build"> {}

/** Where set-ups are built. */
export interface Place {
  readonly sandbox: Sandbox.Sandbox
  /** A name that no other set-up has. */
  readonly name: string
  /** Writes a token into a file; gives its path. */
  readonly write: (token: string) => string
}
