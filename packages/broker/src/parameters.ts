/** What stands in a query or a form. */
import { refusal } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"
import { maximumParameter } from "./limits.ts"

export type Parameters = ReadonlyMap<string, string>

/** Without control characters, what turns or hides text (Unicode's format characters), or broken UTF-8. */
export const visible = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]*$/u

/**
 * Each parameter once (RFC 6749 §3.1), none longer than is taken, all of them visible text.
 *
 * @param longer parameters that may be longer, each with its own limit in characters
 */
export const parameters = (
  text: string,
  longer: ReadonlyMap<string, number> = new Map()
): Parameters | Refusal => {
  const found = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    const shown = /^[\w.-]{1,64}$/.test(name) ? name : undefined
    if (shown === undefined) return refusal("invalid_request", "A parameter has no proper name.")
    if (found.has(name)) {
      return refusal("invalid_request", `The parameter ${shown} is there twice. Send it once.`)
    }
    const limit = longer.get(name) ?? maximumParameter
    if (value.length > limit) {
      return refusal(
        "invalid_request",
        `The parameter ${shown} is ${value.length} characters long; at most ${limit} are taken.`
      )
    }
    if (!visible.test(value)) {
      return refusal(
        "invalid_request",
        `The parameter ${shown} holds control or format characters, or is not UTF-8.`
      )
    }
    found.set(name, value)
  }
  return found
}

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Whether a text may be a scope (RFC 6749 §3.3), or a part of one. */
export const isScope = (text: string): boolean => scopeToken.test(text)
