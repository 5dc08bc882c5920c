/** The access tokens that are in the world: opaque, and known here alone. */
import { randomBytes } from "node:crypto"
import type { Request } from "../kernel/Http.ts"
import { ApiError } from "./GoogleError.ts"
import type { Principal } from "./Principal.ts"
import * as Effect from "effect/Effect"

interface Issued {
  readonly principal: Principal
  readonly scopes: ReadonlyArray<string>
  /** Epoch milliseconds, on Google's clock. */
  readonly expiresAt: number
}

export interface Tokens {
  readonly issue: (issued: Issued) => string
  /** What the request's bearer token stands for. */
  readonly bearer: (request: Request, now: number) => Effect.Effect<Issued, ApiError>
}

export const make = (): Tokens => {
  const known = new Map<string, Issued>()
  return {
    issue: (issued) => {
      const token = `ya29.${randomBytes(48).toString("base64url")}`
      known.set(token, issued)
      return token
    },
    bearer: Effect.fnUntraced(function* (request, now) {
      const token = /^bearer (.+)$/i.exec(request.headers["authorization"] ?? "")?.[1]
      if (token === undefined) {
        return yield* unauthenticated(
          "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
          "CREDENTIALS_MISSING"
        )
      }
      const issued = known.get(token)
      if (issued === undefined || issued.expiresAt <= now) {
        return yield* unauthenticated(
          "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
          "ACCESS_TOKEN_INVALID"
        )
      }
      return issued
    })
  }
}

const unauthenticated = (message: string, reason: string) =>
  new ApiError({ status: "UNAUTHENTICATED", message, reason })
