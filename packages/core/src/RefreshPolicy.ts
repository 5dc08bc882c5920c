/** When a credential is refreshed, and how long a caller waits for it: a value, from code or the config's `refresh:`. */
import * as Duration from "effect/Duration"
import type { Credential } from "./Credential.ts"

/**
 * Past the *soft point* of its life a credential is still handed out at once, and refreshed in the background. Past
 * the *hard point* callers wait for the refresh, a little, for as long as it is still valid.
 */
export interface RefreshPolicy {
  /** The part of its life that a credential is fresh for, where the server does not say (`refresh_in`). */
  readonly freshPart: number
  /** The same for one that lives longer than two hours. */
  readonly freshPartOfLong: number
  /** How much earlier the soft point may fall, at random, as a part of the life: so that a fleet does not refresh at once. */
  readonly jitter: number
  /** How long before its end a credential's hard point is; never more than a tenth of its life. */
  readonly margin: Duration.Duration
  /** How long a caller waits past the hard point while the credential in hand is still valid. */
  readonly patience: Duration.Duration
  /** How long a background refresh may take. */
  readonly backgroundTimeout: Duration.Duration
}

export interface Options {
  /** From 0 to 0.9. Default 0.75. */
  readonly freshPart?: number
  /** From 0 to 0.9. Default 0.5. */
  readonly freshPartOfLong?: number
  /** From 0 to 0.5. Default 0.1. */
  readonly jitter?: number
  /** Default 60 s. */
  readonly margin?: Duration.Input
  /** Default 1 s. */
  readonly patience?: Duration.Input
  /** Default 5 s. */
  readonly backgroundTimeout?: Duration.Input
}

export const make = (options: Options = {}): RefreshPolicy => ({
  freshPart: options.freshPart ?? 0.75,
  freshPartOfLong: options.freshPartOfLong ?? 0.5,
  jitter: options.jitter ?? 0.1,
  margin: Duration.fromInputUnsafe(options.margin ?? "60 seconds"),
  patience: Duration.fromInputUnsafe(options.patience ?? "1 second"),
  backgroundTimeout: Duration.fromInputUnsafe(options.backgroundTimeout ?? "5 seconds")
})

export const standard: RefreshPolicy = make()

/** A credential's life and the points in it, as ages in milliseconds. `soft` < `hard` < `life`. */
export interface Points {
  readonly soft: number
  readonly hard: number
  readonly life: number
}

const longLife = 2 * 3_600_000

/**
 * @param random uniform in [0, 1)
 */
export const points = (policy: RefreshPolicy, credential: Credential, random: number): Points => {
  const life = credential.expiresAt - credential.obtainedAt
  const hard = life - Math.min(Duration.toMillis(policy.margin), life / 10)
  const advised =
    credential.refreshAt === undefined ? Number.NaN : credential.refreshAt - credential.obtainedAt
  const latest =
    advised >= life / 10 && advised < hard
      ? advised
      : life * (life > longLife ? policy.freshPartOfLong : policy.freshPart)
  return { life, hard, soft: Math.max(0, Math.min(latest, hard) - random * policy.jitter * life) }
}

/** How long before its end nobody is made to wait any more: the smaller of 5 s and a twentieth of the life. */
export const lastMoment = (life: number): number => Math.min(5000, life / 20)
