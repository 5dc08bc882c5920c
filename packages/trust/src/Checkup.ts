/** What an adapter can look at by itself, before anything is asked of it. */
import type * as Effect from "effect/Effect"
import type { Finding } from "./Finding.ts"

/**
 * @typeParam Config what the adapter's schema decodes to
 * @typeParam Platform what an app lends to every adapter (its `fetch`)
 */
export interface Checkup<Config, Platform> {
  /** The adapter's `type` in a config file. */
  readonly type: string
  /**
   * In the order in which a person would look, with reads alone. What may not be looked at is `unknown`; `wrong` is
   * only what must fail for certain, and what comes after it is left out.
   */
  readonly look: (config: Config, platform: Platform) => Effect.Effect<ReadonlyArray<Finding>>
}
