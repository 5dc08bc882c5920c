/** A refusal as a token endpoint tells it (RFC 6749 §5.2). */
import { json, refusalHeaders } from "./Answer.ts"
import type { Answer, Refusal } from "./Answer.ts"

export const oauthRefusal = (refused: Refusal): Answer => ({
  ...json(
    refused.status,
    {
      error: codes[refused.code] ?? refused.code,
      error_description: description(refused.message)
    },
    refusalHeaders(refused)
  ),
  refused
})

const codes: { readonly [Code in Refusal["code"]]?: string } = {
  refused: "invalid_request",
  unauthorized: "invalid_client",
  forbidden: "access_denied",
  unavailable: "temporarily_unavailable"
}

/** In the characters that a description may have: no quotation mark, no backslash, ASCII alone. */
const description = (message: string): string =>
  message.replaceAll('"', "'").replace(/[^\x20-\x5B\x5D-\x7E]/g, "?")
