/** How a resource says what it wants: the challenges of `WWW-Authenticate` (RFC 9110 §11.6.1). */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { json } from "./answer.ts"

export interface Challenge {
  /** In lower case: `bearer`. */
  readonly scheme: string
  /** By name, in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  /** What some schemes have in place of parameters (RFC 9110 §11.2). */
  readonly token68?: string
}

const token = "[!#$%&'*+.^_`|~\\dA-Za-z-]+"
const text = "[\\t !#-\\[\\]-~\\x80-\\xff]"
const quoted = `"((?:${text}|\\\\(?:${text}|["\\\\]))*)"`
const end = "[\\t ]*(?:,|$)"

/** An element of the list: a scheme alone, a scheme with its token68 or its first parameter, a further parameter. */
const element = new RegExp(
  `[\\t ]*(?:(${token})(?: +(?! )|(?=${end})))?` +
    `(?:([A-Za-z\\d._~+/-]+=*)(?=${end})|(${token})[\\t ]*=[\\t ]*(?:(${token})|${quoted}))?` +
    end,
  "y"
)

/**
 * The challenges of a `WWW-Authenticate` field, several of them divided by commas as `Headers` join them; none where it
 * is not of RFC 9110's form in every part, or where a challenge names a parameter twice.
 */
export const challenges = (field: string): ReadonlyArray<Challenge> => {
  const found: Array<Challenge & { readonly parameters: Map<string, string> }> = []
  for (element.lastIndex = 0; element.lastIndex < field.length;) {
    const [all, scheme, token68, name, plain, inQuotes] = element.exec(field) ?? []
    if (all === undefined) return []
    if (scheme !== undefined) {
      found.push({
        scheme: scheme.toLowerCase(),
        parameters: new Map(),
        ...(token68 !== undefined && { token68 })
      })
    } else if (token68 !== undefined) return []
    if (name === undefined) continue
    const challenge = found.at(-1)
    const key = name.toLowerCase()
    if (challenge === undefined || challenge.token68 !== undefined) return []
    if (challenge.parameters.has(key)) return []
    challenge.parameters.set(key, plain ?? inQuotes!.replace(/\\(.)/gs, "$1"))
  }
  return found
}

/**
 * The claims that a resource demands of a new token, as JSON text for `TokenRequest.claims`: a Bearer challenge with
 * `error="insufficient_claims"` holds them in base64url
 * (https://learn.microsoft.com/entra/identity-platform/claims-challenge). Microsoft's own services write base64, so both
 * alphabets are taken, padded or not. Nothing where there is no such challenge, or what it holds is no JSON object.
 */
export const claimsChallenge = (headers: Headers): string | undefined => {
  for (const { parameters, scheme } of challenges(headers.get("www-authenticate") ?? "")) {
    if (scheme !== "bearer" || parameters.get("error") !== "insufficient_claims") continue
    const written = parameters.get("claims") ?? ""
    const bytes = Base64Url.decode(
      written.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_")
    )
    if (Result.isFailure(bytes)) continue
    const claims = json({ body: bytes.success })
    if (claims !== undefined) return JSON.stringify(claims)
  }
  return undefined
}
