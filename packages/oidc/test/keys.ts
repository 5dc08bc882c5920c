/** Private keys of every kind, as people have them. */
import { generateKeyPairSync } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { Redacted } from "effect"

const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength }).privateKey
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey

export const privateKeys = {
  rsa: rsa(2048),
  weak: rsa(1024),
  p256: ec("P-256"),
  p384: ec("P-384"),
  secp256k1: ec("secp256k1"),
  ed25519: generateKeyPairSync("ed25519").privateKey,
  x25519: generateKeyPairSync("x25519").privateKey
}

export const pem = (key: KeyObject) =>
  Redacted.make(key.export({ type: "pkcs8", format: "pem" }).toString())

export const jwk = (key: KeyObject) => Redacted.make(JSON.stringify(key.export({ format: "jwk" })))
