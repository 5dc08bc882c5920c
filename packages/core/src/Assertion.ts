/** A signed statement about a workload, made by its own platform: a JWT (RFC 7521, RFC 7523). */
import * as Equal from "effect/Equal"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Malformed } from "./FederationError.ts"

/**
 * The JWT with what it says of itself, decoded for choosing and for diagnosis, *never trusted*: nothing here was
 * verified. Times are epoch milliseconds on our clock, as in `Credential`.
 */
export interface Assertion {
  /** The compact JWS (RFC 7515 §7.1). */
  readonly token: Redacted.Redacted
  /** When the request that brought it left, or when it was read. */
  readonly obtainedAt: number
  /** When it ends on our clock; absent when it has no readable `exp`. */
  readonly expiresAt?: number
  /** How long the issuer meant it to live, in milliseconds: `exp − iat`; absent without both. */
  readonly lifetime?: number
  readonly issuer?: string
  readonly subject?: string
  /** `aud`, always as a list; empty when absent. */
  readonly audience: ReadonlyArray<string>
  /** The header's `alg`. */
  readonly algorithm?: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Platforms' tokens are far smaller; what is larger is not decoded. In bytes. */
export const maximumSize = 16 * 1024

export interface FromJwtOptions {
  /** Epoch milliseconds on our clock: when the request for it left, or when it was read. */
  readonly obtainedAt: number
  /**
   * The issuer's clock at `obtainedAt`: epoch milliseconds from the answer's `Date`, or `"iat"` for an issuer that
   * signs when asked. It makes `exp` a duration, so that clocks that disagree do no harm. Without it (a token that
   * was read from a file) `exp` is taken as a time on our clock.
   */
  readonly issuerTime?: number | "iat"
}

/**
 * Decodes a compact JWS: at most 16 KiB, exactly three segments of `[A-Za-z0-9_-]`, header and payload JSON objects.
 * The failure says where it is bad and never quotes the token.
 */
export const fromJwt = (
  token: Redacted.Redacted,
  options: FromJwtOptions
): Result.Result<Assertion, Malformed> => {
  const text = Redacted.value(token)
  const fail = (detail: string) => Result.fail(new Malformed({ detail }))
  if (text === "") return fail("The token is empty")
  if (text.length > maximumSize) {
    return fail(`The token is ${text.length} bytes long; at most ${maximumSize} are taken`)
  }
  const segments = text.split(".")
  if (segments.length !== 3) {
    return fail(
      `The token is not a JWT: it is ${segments.length === 1 ? "one part" : `${segments.length} parts`}, and not three divided by dots`
    )
  }
  const header = segment("header", segments[0]!)
  if (Result.isFailure(header)) return fail(header.failure)
  const claims = segment("payload", segments[1]!)
  if (Result.isFailure(claims)) return fail(claims.failure)
  const signature = alphabetProblem("signature", segments[2]!)
  if (signature !== undefined) return fail(signature)
  return Result.succeed(describe(token, header.success, claims.success, options))
}

/** Whether both are one and the same token. */
export const same = (a: Assertion, b: Assertion): boolean => Equal.equals(a.token, b.token)

const describe = (
  token: Redacted.Redacted,
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  { issuerTime, obtainedAt }: FromJwtOptions
): Assertion => {
  const { alg } = header
  const { aud, exp, iat, iss, sub } = claims
  const issuedAt = isTime(iat) ? iat * 1000 : undefined
  const endsAt = isTime(exp) ? exp * 1000 : undefined
  const theirs = issuerTime === "iat" ? issuedAt : issuerTime
  return {
    token,
    obtainedAt,
    ...(endsAt !== undefined && {
      expiresAt: theirs === undefined ? endsAt : obtainedAt + (endsAt - theirs)
    }),
    ...(endsAt !== undefined && issuedAt !== undefined && { lifetime: endsAt - issuedAt }),
    ...(typeof iss === "string" && { issuer: iss }),
    ...(typeof sub === "string" && { subject: sub }),
    ...(typeof alg === "string" && { algorithm: alg }),
    audience:
      typeof aud === "string"
        ? [aud]
        : Array.isArray(aud)
          ? aud.filter((value) => typeof value === "string")
          : [],
    header,
    claims
  }
}

const isTime = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value)

const segment = (
  name: string,
  text: string
): Result.Result<Readonly<Record<string, unknown>>, string> => {
  const problem = alphabetProblem(name, text)
  if (problem !== undefined) return Result.fail(problem)
  const decoded = Base64Url.decodeString(text)
  if (Result.isFailure(decoded)) return Result.fail(`The JWT's ${name} is not base64url`)
  // Not the parser's own message: it quotes the text.
  const json = Result.try({
    try: (): unknown => JSON.parse(decoded.success),
    catch: () => `The JWT's ${name} is not JSON`
  })
  if (Result.isFailure(json)) return Result.fail(json.failure)
  return isRecord(json.success)
    ? Result.succeed(json.success)
    : Result.fail(`The JWT's ${name} is not a JSON object`)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const alphabetProblem = (name: string, text: string): string | undefined => {
  if (text === "") return `The JWT's ${name} is empty`
  const at = text.search(/[^A-Za-z0-9_-]/)
  return at === -1
    ? undefined
    : `The JWT's ${name} has a character at ${at + 1} that base64url does not have`
}
