/** What an adapter knows of its settings before any call: what is bound to fail in them, and what is unsafe. */
import type { Finding } from "./Finding.ts"

/**
 * What a document of the other side shows to be unsafe or bound to fail that is no record of a trust: the policies, pools
 * and bindings around one. Nothing where nothing is, and when the document is another's.
 */
export type DocumentRule = (document: unknown) => ReadonlyArray<Finding>

/** What is known of a flow's assertions before the first one. What is absent is not known. */
export interface Expected {
  /** Of `iss`, `aud` and `sub` those that the settings fix (RFC 7519 §4.1). */
  readonly claims: Readonly<Record<string, string>>
  /** One of these signs it (RFC 7518 §3.1). */
  readonly algorithms?: ReadonlyArray<string> | undefined
  readonly life?: Life | undefined
}

/** How long an assertion lives, and which setting says so. */
export interface Life {
  readonly setting: string
  readonly milliseconds: number
}

/** What there is besides an adapter's settings. */
export interface Besides<Config> {
  /** Of the same type in the same file, each once. */
  readonly others: ReadonlyArray<Config>
  /** As the clouds' tools print them: policies, roles, pools. */
  readonly documents: ReadonlyArray<unknown>
}

/**
 * What a constructor refuses is told without a rule. A finding's subject is the setting that it is about, as the file
 * has it: `tokenDuration`.
 *
 * @typeParam Config what the adapter's schema decodes to
 */
export interface SourceRules<Config> {
  /** The source's `type` in a config file. */
  readonly type: string
  /** The assertion's subject and its life, as far as the settings fix them. */
  readonly expected: (config: Config) => {
    readonly subject?: string | undefined
    readonly life?: Life | undefined
  }
  readonly check: (config: Config, besides: Besides<Config>) => ReadonlyArray<Finding>
}

export interface ExchangerRules<Config> {
  /** The exchanger's `type` in a config file. */
  readonly type: string
  /** Whose records are of its trust: `RelyingParty.name`. */
  readonly party: string
  readonly check: (
    config: Config,
    expected: Expected,
    besides: Besides<Config>
  ) => ReadonlyArray<Finding>
}
