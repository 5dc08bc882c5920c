/** What an audit needs to know: who got what, and who was refused. Never a token. */
import { hash } from "node:crypto"
import type { AccessToken, AwsCredentials } from "@federate/core"
import * as Redacted from "effect/Redacted"
import { maximumQuestions } from "./limits.ts"

/** A credential that was handed out. The same object stands for the same credential, protocol, flow and question. */
export interface Handed {
  readonly protocol: string
  readonly flow: string
  /** What was asked for: scopes or an audience; empty for the flow's own. */
  readonly scope: string
  /** The SHA-256 of the token (of AWS credentials: the session token), in hexadecimal. */
  readonly tokenHash: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Whom it was handed to, where the protocol tells more than the way in: the subject of a verified assertion. */
  readonly subject?: string
}

/** A request that was refused. */
export interface Refused {
  readonly protocol: string
  readonly status: number
  readonly code: string
  readonly message: string
}

export interface Audit {
  /** @param caller the way in: `loopback`, or a socket's name */
  readonly handed: (caller: string, handed: Handed) => void
  readonly refused: (caller: string, refused: Refused) => void
}

export const none: Audit = { handed: () => {}, refused: () => {} }

const hashes = new WeakMap<AccessToken | AwsCredentials, string>()

/** The SHA-256 that tells a credential without giving it away, in hexadecimal. */
export const tokenHash = (credential: AccessToken | AwsCredentials): string => {
  let digest = hashes.get(credential)
  if (digest === undefined) {
    const secret = credential._tag === "AccessToken" ? credential.token : credential.sessionToken
    digest = hash("sha256", Redacted.value(secret), "hex")
    hashes.set(credential, digest)
  }
  return digest
}

const handed = new WeakMap<AccessToken | AwsCredentials, Map<string, Handed>>()

/** What an audit is told of a credential that was asked for. */
export const handedOf = (
  credential: AccessToken | AwsCredentials,
  about: Pick<Handed, "protocol" | "flow" | "scope">
): Handed => {
  let known = handed.get(credential)
  if (known === undefined) handed.set(credential, (known = new Map()))
  const key = `${about.protocol} ${about.flow} ${about.scope}`
  let told = known.get(key)
  if (told === undefined) {
    if (known.size >= maximumQuestions) known.clear()
    told = { ...about, tokenHash: tokenHash(credential), expiresAt: credential.expiresAt }
    known.set(key, told)
  }
  return told
}
