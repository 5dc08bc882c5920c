/** JWTs of one's own issuer, signed with a private key, as an assertion source. */
import { randomUUID } from "node:crypto"
import { Assertion, AssertionSource, configured, Misconfigured } from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { secretFile } from "./secretText.ts"
import { checkedIssuer, misconfigured } from "./settings.ts"
import { readSigningKey } from "./signingKey.ts"

export interface SelfSignedOptions {
  /** https, without query and fragment: where the discovery document is found. */
  readonly issuer: string
  /** Who the workload is. */
  readonly subject: string
  /** The only audience; without it whatever the relying party asks for. */
  readonly audience?: string | undefined
  /** Whole seconds, 1 s to 1 h. Default 5 minutes. */
  readonly lifetime?: Duration.Input | undefined
  /** PEM or JWK; or, read anew each time, a file of either. */
  readonly privateKey?: Redacted.Redacted | undefined
  readonly privateKeyFile?: string | undefined
  /** Default: RS256 for RSA keys; with elliptic keys the curve tells it. */
  readonly algorithm?: string | undefined
  /** What the tokens say besides. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

const name = "self-signed"

/** How far back tokens are valid, in seconds: a relying party's clock may be behind (Entra wants an `nbf`). */
const backdating = 60

/**
 * Signs a JWT each time: `iss`, `sub`, one `aud`, `iat`, `nbf`, `exp`, and a `jti` that no other has. The relying party
 * finds the key by the issuer's discovery document, which `federate issuer` writes. A key's file that is not there is
 * `Unavailable`; other settings that cannot work are `Misconfigured`.
 */
export const selfSigned = Effect.fnUntraced(function* (
  options: SelfSignedOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { algorithm, audience: only, claims, issuer, privateKey, privateKeyFile, subject } = options
  const lifetime = yield* configured(name, checked(options))
  const read =
    privateKeyFile === undefined
      ? Effect.succeed(privateKey!)
      : secretFile("privateKeyFile", privateKeyFile)
  const load = Effect.flatMap(read, (text) =>
    readSigningKey(privateKeyFile === undefined ? "privateKey" : "privateKeyFile", text, algorithm)
  )
  // What stands in the settings can be told to be wrong now.
  const known =
    privateKey === undefined ? undefined : yield* configured(name, yield* Effect.result(load))
  const signs = known?.algorithm ?? algorithm

  return AssertionSource.make({
    name,
    offers: {
      issuer,
      audience: only === undefined ? "any" : { only },
      ...(signs !== undefined && { algorithms: [signs] })
    },
    assertion: Effect.fnUntraced(function* ({
      audience,
      preferredAudience
    }): Effect.fn.Return<Assertion.Assertion, Reason> {
      const aud = only ?? audience ?? preferredAudience
      if (aud === undefined) return yield* Effect.fail(noAudience)
      const key = known ?? (yield* load)
      const obtainedAt = yield* Clock.currentTimeMillis
      const iat = Math.floor(obtainedAt / 1000)
      const token = yield* key.sign({
        ...claims,
        iss: issuer,
        sub: subject,
        aud,
        iat,
        nbf: iat - backdating,
        exp: iat + lifetime,
        jti: randomUUID()
      })
      return yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt }))
    })
  })
})

const noAudience = new Misconfigured({
  setting: "audience",
  problem: "is absent, and the relying party asks for none",
  hint: "Write the audience that the relying party trusts."
})

/** In seconds. */
const longest = 3600

const set = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]

/** The lifetime in seconds, when all is well. */
const checked = ({
  claims = {},
  issuer,
  lifetime = "5 minutes",
  privateKey,
  privateKeyFile,
  subject
}: SelfSignedOptions) =>
  Result.gen(function* () {
    yield* checkedIssuer(issuer)
    if (subject === "")
      return yield* misconfigured("subject", "is empty", "Name the workload, as the trust does.")
    const seconds = Duration.toSeconds(Duration.fromInputUnsafe(lifetime))
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > longest) {
      return yield* misconfigured(
        "lifetime",
        `is ${seconds} s`,
        "Whole seconds, from 1 s to 1 h; one exchange is all that it is needed for."
      )
    }
    const taken = set.find((claim) => Object.hasOwn(claims, claim))
    if (taken !== undefined) {
      return yield* misconfigured(
        `claims.${taken}`,
        "is set by the source itself",
        "Leave it out here: it has a setting, or follows from the time."
      )
    }
    if ((privateKey === undefined) === (privateKeyFile === undefined)) {
      return yield* misconfigured(
        privateKey === undefined ? "privateKeyFile" : "privateKey",
        privateKey === undefined ? "is absent" : "stands beside `privateKeyFile`",
        "Name one key: `privateKeyFile`, which `federate issuer create` writes, or `privateKey`."
      )
    }
    return seconds
  })
