/** The other side's words, made fit to be shown. */

/** In characters; error texts of clouds are far shorter. */
const longest = 1000

/** Three segments of base64url, the first a JSON object's: a JWT, or enough of one to be worth hiding. */
const jwt = /eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g

/**
 * A text from outside that is public by its nature (an `error_description`), without control characters and what turns
 * or hides text (Unicode's format characters), at most 1,000 characters long, and without a JWT that somebody may have
 * echoed.
 */
export const publicText = (text: string): string => {
  const clean = text
    .replace(jwt, "<redacted>")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean
}
