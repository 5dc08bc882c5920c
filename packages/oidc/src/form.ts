/** The compact form of a JWS, more strictly than JOSE libraries take it. */
import { Assertion } from "@federate/core"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { VerificationError } from "./VerificationError.ts"

/**
 * A compact JWS (RFC 7515 §7.1): at most 16 KiB, three segments of canonical base64url without blanks or padding,
 * header and payload JSON objects that name no member twice (RFC 8725 §2.4), no critical extension (§4.1.11).
 */
export const readForm = (
  token: Redacted.Redacted
): Result.Result<Assertion.Assertion, VerificationError> => {
  const fail = (detail: string) => Result.fail(new VerificationError({ check: "form", detail }))
  const assertion = Assertion.fromJwt(token, { obtainedAt: 0 })
  if (Result.isFailure(assertion)) return fail(assertion.failure.detail)
  for (const [index, segment] of Redacted.value(token).split(".").entries()) {
    const name = ["header", "payload", "signature"][index]!
    const bytes = Base64Url.decode(segment)
    if (Result.isFailure(bytes) || Base64Url.encode(bytes.success) !== segment) {
      return fail(`The JWT's ${name} is not canonical base64url`)
    }
    if (index < 2 && repeatsMember(new TextDecoder().decode(bytes.success))) {
      return fail(`The JWT's ${name} names a member twice`)
    }
  }
  if ("crit" in assertion.success.header)
    return fail("The JWT has critical extensions (crit), and none is known here")
  return Result.succeed(assertion.success)
}

/** Every string of a JSON text in its order, with the colon that makes it a member's name. */
const strings = /"(?:[^"\\]|\\.)*"(\s*:)?/g

const repeatsMember = (json: string): boolean => {
  let written = 0
  for (const [, colon] of json.matchAll(strings)) if (colon !== undefined) written++
  return written !== members(JSON.parse(json))
}

const members = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0
  const inside = Object.values(value).reduce((sum: number, each) => sum + members(each), 0)
  return Array.isArray(value) ? inside : inside + Object.keys(value).length
}
