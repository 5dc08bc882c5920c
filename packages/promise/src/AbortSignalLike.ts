/** What can abort a call. */

/** An `AbortSignal`, or what an SDK has in its place. */
export interface AbortSignalLike {
  readonly aborted: boolean
  /** What the call then rejects with. Default: an `AbortError`. */
  readonly reason?: unknown
  addEventListener(type: "abort", listener: () => void): void
  removeEventListener(type: "abort", listener: () => void): void
}
