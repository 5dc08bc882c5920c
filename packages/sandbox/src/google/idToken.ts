/** A service account's ID token: https://cloud.google.com/docs/authentication/token-types#id */
import type * as Effect from "effect/Effect"
import { sign } from "../KeyRing.ts"
import type { SigningKey } from "../KeyRing.ts"
import { seconds } from "../kernel/ServiceClock.ts"

export interface IdToken {
  readonly issuer: string
  /** The account's unique id. */
  readonly subject: string
  readonly audience: string
  /** Where it is asked for. */
  readonly email?: string
  /** What a machine's metadata server says of the machine, where it is asked to. */
  readonly machine?: Readonly<Record<string, string>>
  /** Epoch milliseconds. */
  readonly now: number
}

/** In seconds. */
const lifetime = 3600

export const idToken = (
  key: SigningKey,
  { audience, email, issuer, machine, subject, ...options }: IdToken
): Effect.Effect<string> => {
  const now = seconds(options.now)
  return sign(
    key,
    {
      aud: audience,
      azp: subject,
      ...(email !== undefined && { email, email_verified: true }),
      exp: now + lifetime,
      ...(machine && { google: { compute_engine: machine } }),
      iat: now,
      iss: issuer,
      sub: subject
    },
    { typ: "JWT" }
  )
}
