/** One cached credential of a flow and all that is remembered about it. */
import type * as Clock from "effect/Clock"
import type * as Deferred from "effect/Deferred"
import { same } from "../Credential.ts"
import type { Credential } from "../Credential.ts"
import { FederationError } from "../FederationError.ts"
import type { FlowEntry } from "../Flow.ts"
import * as RefreshPolicy from "../RefreshPolicy.ts"
import * as RetryAfter from "../RetryAfter.ts"
import type { TokenRequest } from "../TokenRequest.ts"
import * as Instant from "./Instant.ts"

/** A fetch that is under way. It belongs to the flow, not to who asked. */
export interface Flight<C extends Credential> {
  readonly background: boolean
  readonly started: Instant.Instant
  readonly done: Deferred.Deferred<C, FederationError>
  /** Callers that were handed the old credential are told of once for each flight. */
  warned: boolean
}

/** A time span that starts now and is compared later: no fiber sleeps for it. */
interface Pause {
  readonly from: Instant.Instant
  readonly for: number
}

/** Pauses in milliseconds. */
const transientPause = { first: 1000, longest: 60_000 }
const refusedPause = 10_000
const backgroundPause = { first: 3000, longest: 60_000 }
const noLaterEndPause = 30_000

/** Two ends nearer than this are the same: lifetimes are told in whole seconds. */
const sameEnd = 1000

interface Held<C extends Credential> {
  readonly credential: C
  readonly obtained: Instant.Instant
  readonly points: RefreshPolicy.Points
}

export class Entry<C extends Credential> implements FlowEntry<C> {
  readonly request: TokenRequest
  hits = 0
  succeeded = 0
  failed = 0
  /** The flow's count of uses at the last one, for eviction. */
  used = 0
  flight: Flight<C> | undefined
  error: FederationError | undefined
  readonly #clock: Clock.Clock
  readonly #uses: { count: number }
  #held: Held<C> | undefined
  /** No flight starts, for nobody. */
  #closed: Pause | undefined
  /** No flight starts while there is a valid credential. */
  #quiet: Pause | undefined
  #transientPause = 0
  #backgroundPause = 0

  constructor(clock: Clock.Clock, uses: { count: number }, request: TokenRequest) {
    this.#clock = clock
    this.#uses = uses
    this.request = request
  }

  get credential(): C | undefined {
    return this.#held?.credential
  }

  get points(): RefreshPolicy.Points | undefined {
    return this.#held?.points
  }

  get age(): number | undefined {
    return this.#held && Instant.elapsed(this.#clock, this.#held.obtained)
  }

  get refreshing(): boolean {
    return this.flight !== undefined
  }

  get retryAt(): number | undefined {
    const left = this.#left(this.#closed)
    return left > 0 ? this.#clock.currentTimeMillisUnsafe() + left : undefined
  }

  current(): C | undefined {
    this.used = ++this.#uses.count
    const held = this.#held
    if (held === undefined || Instant.elapsed(this.#clock, held.obtained) >= held.points.soft)
      return undefined
    this.hits++
    return held.credential
  }

  get isValid(): boolean {
    return this.#leftOfLife > 0
  }

  get isPastHardPoint(): boolean {
    const held = this.#held
    return held !== undefined && Instant.elapsed(this.#clock, held.obtained) >= held.points.hard
  }

  /** Milliseconds until nobody is made to wait any more. */
  get beforeLastMoment(): number {
    return this.#held === undefined
      ? 0
      : this.#leftOfLife - RefreshPolicy.lastMoment(this.#held.points.life)
  }

  /** Whether a flight for a credential that is still valid may start now. */
  get mayRefresh(): boolean {
    return (
      this.flight === undefined && this.#left(this.#quiet) <= 0 && this.#left(this.#closed) <= 0
    )
  }

  /** The error that stands for every caller until its time has come. */
  get standing(): FederationError | undefined {
    const { error, retryAt } = this
    return error === undefined || retryAt === undefined ? undefined : again(error, retryAt)
  }

  drop(rejected: Credential): void {
    if (this.#held !== undefined && same(this.#held.credential, rejected)) this.#held = undefined
  }

  accept(credential: C, obtained: Instant.Instant, points: RefreshPolicy.Points): void {
    const before = Math.max(0, this.#leftOfLife)
    const left = points.life - Instant.elapsed(this.#clock, obtained)
    // Whichever lives longer is kept: a refresh never shortens what callers have.
    if (left >= before) this.#held = { credential, obtained, points }
    this.#quiet = left <= before + sameEnd ? this.#pause(noLaterEndPause) : undefined
    this.#closed = undefined
    this.#transientPause = 0
    this.#backgroundPause = 0
    this.error = undefined
    this.succeeded++
  }

  /** Takes what another entry's flight has brought, however long it lives. */
  adopt(credential: C, obtained: Instant.Instant, points: RefreshPolicy.Points): void {
    this.#held = { credential, obtained, points }
  }

  refuse(error: FederationError, background: boolean): void {
    this.failed++
    this.error = error
    if (background)
      this.#quiet = this.#pause(
        (this.#backgroundPause = grow(this.#backgroundPause, backgroundPause))
      )
    const { reason } = error
    switch (reason._tag) {
      case "Transient": {
        const asked = (reason.retryAt ?? 0) - this.#clock.currentTimeMillisUnsafe()
        if (asked > 0) {
          this.#closed = this.#pause(Math.min(asked, RetryAfter.limit))
        } else if (!background) {
          this.#closed = this.#pause(
            (this.#transientPause = grow(this.#transientPause, transientPause))
          )
        }
        break
      }
      case "Rejected":
      case "Malformed":
        if (!background) this.#closed = this.#pause(refusedPause)
        break
      // Nothing was asked of anybody: who puts it right need not wait.
      case "Unavailable":
      case "Misconfigured":
    }
  }

  get #leftOfLife(): number {
    const held = this.#held
    return held === undefined ? 0 : held.points.life - Instant.elapsed(this.#clock, held.obtained)
  }

  #pause(milliseconds: number): Pause {
    return { from: Instant.now(this.#clock), for: milliseconds }
  }

  #left(pause: Pause | undefined): number {
    return pause === undefined ? 0 : pause.for - Instant.elapsed(this.#clock, pause.from)
  }
}

const grow = (
  before: number,
  { first, longest }: { readonly first: number; readonly longest: number }
): number => (before === 0 ? first : Math.min(before * 2, longest))

const again = ({ adapter, reason, stage }: FederationError, retryAt: number): FederationError =>
  new FederationError({ adapter, stage, reason, retryAt })
