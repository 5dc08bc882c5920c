/** Microsoft Graph's errors: https://learn.microsoft.com/graph/errors */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import { graphAppId } from "../entra/Directory.ts"
import { json } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"

export class GraphError extends Data.TaggedError("GraphError")<{
  readonly status: number
  readonly code: string
  readonly message: string
  /** What the challenge demands of another token, as JSON. */
  readonly claims?: string
}> {}

export const badRequest = (message: string): GraphError =>
  new GraphError({ status: 400, code: "Request_BadRequest", message })

export const notFound = (key: string): GraphError =>
  new GraphError({
    status: 404,
    code: "Request_ResourceNotFound",
    message: `Resource '${key}' does not exist or one of its queried reference-property objects are not present.`
  })

export const duplicate = (message: string): GraphError =>
  new GraphError({ status: 409, code: "Request_MultipleObjectsWithSameKeyValue", message })

export const unauthenticated = (message: string): GraphError =>
  new GraphError({ status: 401, code: "InvalidAuthenticationToken", message })

/**
 * Continuous access evaluation: the token was revoked, and another one must be from then on.
 *
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 *
 * @param notBefore seconds since the epoch
 */
export const revoked = (notBefore: number): GraphError =>
  new GraphError({
    status: 401,
    code: "InvalidAuthenticationToken",
    message:
      "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
    claims: JSON.stringify({
      access_token: { nbf: { essential: true, value: `${notBefore}` } }
    })
  })

export const denied = new GraphError({
  status: 403,
  code: "Authorization_RequestDenied",
  message: "Insufficient privileges to complete the operation."
})

/**
 * @param now epoch milliseconds, on Graph's clock
 */
export const toResponse = (
  { claims, code, message, status }: GraphError,
  request: Request,
  now: number
): Response => {
  const id = randomUUID()
  const clientId = request.headers["client-request-id"] ?? id
  return json(
    status,
    {
      error: {
        code,
        message,
        innerError: {
          date: new Date(now).toISOString().slice(0, 19),
          "request-id": id,
          "client-request-id": clientId
        }
      }
    },
    {
      "request-id": id,
      "client-request-id": clientId,
      ...(status === 401 && {
        "www-authenticate":
          claims === undefined
            ? `Bearer realm="", error="invalid_token", error_description="${message}"`
            : `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="${graphAppId}", errorDescription="${message}", error="insufficient_claims", claims="${Buffer.from(claims).toString("base64")}"`
      })
    }
  )
}
