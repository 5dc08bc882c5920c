/** A private key that signs JWTs (RFC 7515, RFC 7518). */
import { createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { promisify } from "node:util"
import { Misconfigured } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { calculateJwkThumbprint, CompactSign } from "jose"
import type { JWK } from "jose"
import { kinds, publicKeyFor } from "./key.ts"

export interface SigningKey {
  readonly algorithm: string
  /** The key's thumbprint (RFC 7638): nobody has to agree on names. */
  readonly kid: string
  /** What the issuer publishes of it (RFC 7517), without any private member. */
  readonly published: JWK
  /** A compact JWS over the claims, with `kid` and `typ: JWT`. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Effect.Effect<Redacted.Redacted>
}

/**
 * Reads a private key: PEM (PKCS#8, or the older forms of RSA and EC keys) or a JWK. RSA keys sign RS256 unless
 * another algorithm of theirs is named; with elliptic keys the curve tells it. Weak, public, encrypted or symmetric keys
 * are `Misconfigured`. Nothing quotes the text.
 *
 * @param setting the setting's name, for errors
 */
export const readSigningKey = Effect.fnUntraced(function* (
  setting: string,
  text: Redacted.Redacted,
  algorithm?: string
): Effect.fn.Return<SigningKey, Misconfigured> {
  const fail = (problem: string, hint: string) =>
    Effect.fail(new Misconfigured({ setting, problem, hint }))
  const parsed = Result.try(() => parse(Redacted.value(text).trim()))
  if (Result.isFailure(parsed)) {
    return yield* fail(
      "is no private key that can be read",
      "Write it as PEM (-----BEGIN PRIVATE KEY-----) or as a JWK, unencrypted."
    )
  }
  const { jwk, key } = parsed.success
  const chosen = algorithm ?? usual(jwk)
  const kind = chosen === undefined ? undefined : kinds[chosen]
  if (chosen === undefined || kind === undefined || !fits(kind, jwk)) {
    return yield* fail(
      `is ${jwk.kty === "RSA" ? "an RSA" : `a ${jwk.crv ?? jwk.kty}`} key, which cannot sign ${chosen ?? "JWTs"}`,
      `Name an \`algorithm\` that fits it, or take a key for one of ${Object.keys(kinds).join(", ")}.`
    )
  }
  const usable = publicKeyFor(chosen, jwk)
  if (usable === undefined) {
    return yield* fail(
      "is too weak",
      "RSA keys have 2048 bits at least (RFC 7518 §3.3): make a new one."
    )
  }
  const kid = yield* Effect.promise(() => calculateJwkThumbprint(usable))
  return {
    algorithm: chosen,
    kid,
    published: { ...usable, use: "sig", alg: chosen, kid },
    sign: (claims) =>
      Effect.promise(async () =>
        Redacted.make(
          await new CompactSign(Buffer.from(JSON.stringify(claims)))
            .setProtectedHeader({ alg: chosen, typ: "JWT", kid })
            .sign(key)
        )
      )
  }
})

const parse = (text: string): { readonly key: KeyObject; readonly jwk: JWK } => {
  const key = text.startsWith("{")
    ? createPrivateKey({ key: JSON.parse(text), format: "jwk" })
    : createPrivateKey(text)
  // Every kind of key that has a JWK form has a kty; what has none throws.
  return { key, jwk: { kty: "", ...createPublicKey(key).export({ format: "jwk" }) } }
}

const fits = (kind: (typeof kinds)[string], { crv, kty }: JWK): boolean =>
  kind.kty === kty && (kind.crv === undefined || kind.crv === crv)

/** What a key signs when nobody says: the first that fits it. */
const usual = (jwk: JWK): string | undefined =>
  Object.keys(kinds).find((algorithm) => fits(kinds[algorithm]!, jwk))

const generate = promisify(generateKeyPair)

/** In bits: what every cloud takes. */
const modulusLength = 2048

/** A new private key for this algorithm, as PKCS#8 in PEM. */
export const generateSigningKey = (algorithm: string): Effect.Effect<Redacted.Redacted> =>
  Effect.promise(async () => {
    const { crv = "", kty } = kinds[algorithm]!
    const { privateKey } =
      kty === "RSA"
        ? await generate("rsa", { modulusLength })
        : kty === "EC"
          ? await generate("ec", { namedCurve: crv })
          : await generate("ed25519")
    return Redacted.make(privateKey.export({ type: "pkcs8", format: "pem" }).toString())
  })
