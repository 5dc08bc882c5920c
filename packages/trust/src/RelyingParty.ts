/** What a relying party shows of a trust: its records, read as demands, and its errors, read as causes. */
import type { Assertion } from "@federate/core"

/** What one side wants of one claim. */
export interface Demand {
  /** The claim's name (RFC 7519 §4). */
  readonly claim: string
  /** Looked at in its place, where the assertion has it. */
  readonly instead?: string
  /** Where it is written on that side, in that side's words. */
  readonly setting: string
  /** Any one of them does. */
  readonly expected: ReadonlyArray<string>
  /**
   * - `equals`: to the letter
   * - `equalsIgnoringCase`
   * - `like`: `*` is any text, `?` any one character
   * - `atMostBytes`: no longer, in UTF-8
   * - `unreadable`: only the other side can tell; `expected` is its rule as it stands there
   */
  readonly by: "equals" | "equalsIgnoringCase" | "like" | "atMostBytes" | "unreadable"
}

/** A trust as it is written on the other side, whoever keeps it there. */
export interface TrustRecord {
  /** What that side calls it: `federated credential`. */
  readonly kind: string
  /** Its name there, where it has one. */
  readonly name?: string | undefined
  readonly demands: ReadonlyArray<Demand>
  /** The JWS algorithms that are taken (RFC 7518 §3.1); absent: any. */
  readonly algorithms?: ReadonlyArray<string> | undefined
  /** What is wrong with the record by itself: it would refuse every assertion. */
  readonly problems?: ReadonlyArray<Problem> | undefined
  /** Whom it lets in that nobody may have meant. */
  readonly risks?: ReadonlyArray<string> | undefined
}

/** What is wrong with a record. */
export interface Problem {
  /** What is so, without a full stop. */
  readonly what: string
  /** The one thing to do. */
  readonly fix: string
}

/** What an error means, told without a call. */
export interface ErrorMeaning {
  /** The other side's own. */
  readonly code: string
  /** The one fix. */
  readonly hint: string
  /** Which claims it is about, where it is about any: those to compare. */
  readonly claims: ReadonlyArray<string>
}

/** One who trades assertions, as far as it can be known without asking. */
export interface RelyingParty {
  /** As its users call it. */
  readonly name: string
  /** The records in a document as this party's tools print it; none when the document is another's. */
  readonly records: (document: unknown) => ReadonlyArray<TrustRecord>
  /**
   * What the errors mean that are named in a text; what is known of the assertion makes it finer.
   *
   * @param said words as they were printed, and JSON
   */
  readonly errors: (
    said: string,
    assertion: Assertion.Assertion | undefined
  ) => ReadonlyArray<ErrorMeaning>
}
