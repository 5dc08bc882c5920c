/** What a token is to hold beyond the usual: the request parameter `claims` (OpenID Connect Core §5.5). */
import { Misconfigured } from "@federate/core"
import * as Result from "effect/Result"

/**
 * A claims challenge as it came, with what the client says that it can do put in as `xms_cc`
 * (https://learn.microsoft.com/entra/identity-platform/claims-challenge); nothing where there is neither.
 */
export const claimsParameter = (
  challenge: string | undefined,
  capabilities: ReadonlyArray<string> = []
): Result.Result<{ readonly claims?: string }, Misconfigured> => {
  if (challenge === undefined && capabilities.length === 0) return Result.succeed({})
  const parsed = Result.try((): unknown => JSON.parse(challenge ?? "{}"))
  const demanded = Result.isSuccess(parsed) ? parsed.success : undefined
  if (!isObject(demanded)) return malformed
  const { access_token: token = {} } = demanded
  if (capabilities.length === 0) return Result.succeed({ claims: JSON.stringify(demanded) })
  if (!isObject(token)) return malformed
  return Result.succeed({
    claims: JSON.stringify({
      ...demanded,
      access_token: { ...token, xms_cc: { values: capabilities } }
    })
  })
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const malformed = Result.fail(
  new Misconfigured({
    setting: "claims",
    problem: "is not a JSON object of claims",
    hint: "Take the challenge's claims as they are, decoded from base64url."
  })
)
