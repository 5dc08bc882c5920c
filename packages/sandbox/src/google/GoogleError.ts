/** How Google says no: its STS in OAuth's form (RFC 6749 §5.2), its APIs in one of their own. */
import * as Data from "effect/Data"
import { json } from "../kernel/Http.ts"
import type { Response } from "../kernel/Http.ts"

/** The STS's no; always with status 400. */
export class TokenServiceError extends Data.TaggedError("TokenServiceError")<{
  readonly error: string
  readonly description: string
}> {}

/** An API's no: https://cloud.google.com/apis/design/errors */
export class ApiError extends Data.TaggedError("ApiError")<{
  readonly status: keyof typeof codes
  readonly message: string
  /** Of `google.rpc.ErrorInfo`, where there is one. */
  readonly reason?: string
  readonly metadata?: Readonly<Record<string, string>>
}> {}

/** The HTTP status of each of Google's own. */
const codes = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503
} as const

export const refuse = (error: string, description: string) =>
  new TokenServiceError({ error, description })

export const invalid = (message: string) => new ApiError({ status: "INVALID_ARGUMENT", message })

export const notFound = (message: string) => new ApiError({ status: "NOT_FOUND", message })

/** A permission that the caller lacks; who may not see a resource learns no more of it. */
export const denied = (permission: string) =>
  new ApiError({
    status: "PERMISSION_DENIED",
    message: `Permission '${permission}' denied on resource (or it may not exist).`,
    reason: "IAM_PERMISSION_DENIED",
    metadata: { permission }
  })

export const toResponse = (error: TokenServiceError | ApiError): Response =>
  error._tag === "TokenServiceError"
    ? json(400, { error: error.error, error_description: error.description })
    : envelope(codes[error.status], error)

/** @param code the HTTP status, which a fault may choose freely */
export const envelope = (
  code: number,
  {
    message,
    metadata,
    reason,
    status
  }: Pick<ApiError, "message" | "reason" | "metadata"> & { readonly status: string }
): Response =>
  json(code, {
    error: {
      code,
      message,
      status,
      ...(reason !== undefined && {
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason,
            domain: "iam.googleapis.com",
            ...(metadata && { metadata })
          }
        ]
      })
    }
  })
