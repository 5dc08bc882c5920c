/** How a token endpoint says no: RFC 6749 §5.2. */
import * as Data from "effect/Data"
import { json } from "../kernel/Http.ts"
import type { Response } from "../kernel/Http.ts"

export class OAuthError extends Data.TaggedError("OAuthError")<{
  readonly error:
    | "invalid_client"
    | "invalid_grant"
    | "invalid_request"
    | "invalid_scope"
    | "invalid_target"
    | "unauthorized_client"
    | "unsupported_grant_type"
  readonly description: string
}> {}

export const refuse = (error: OAuthError["error"], description: string) =>
  new OAuthError({ error, description })

/** Tokens, and what is said instead of one, are kept by nobody (§5.1). */
export const uncached = { "cache-control": "no-store", pragma: "no-cache" }

export const toResponse = ({ description, error }: OAuthError): Response =>
  json(
    error === "invalid_client" ? 401 : 400,
    { error, error_description: description },
    error === "invalid_client" ? { ...uncached, "www-authenticate": "Basic" } : uncached
  )
