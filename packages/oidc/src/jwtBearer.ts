/** The JWT bearer grant (RFC 7523 §2.1) at any server: the assertion itself is what is traded. */
import { Misconfigured } from "@federate/core"
import type { FederationError, TokenExchanger } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { exchanger } from "./exchange.ts"
import type { ExchangeOptions } from "./exchange.ts"
import { bearerServices } from "./services.ts"

export interface JwtBearerOptions extends ExchangeOptions<keyof typeof bearerServices> {}

/** Makes the exchanger. Settings that cannot work are `Misconfigured`, before any call. */
export const jwtBearer = (
  options: JwtBearerOptions
): Effect.Effect<TokenExchanger.TokenExchanger, FederationError> =>
  exchanger(
    {
      name: options.service ?? "jwt-bearer",
      grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      services: bearerServices,
      parameters: ({ token }, { audience }) =>
        audience === undefined
          ? Effect.succeed([["assertion", Redacted.value(token)]])
          : Effect.fail(noAudience)
    },
    options
  )

const noAudience = new Misconfigured({
  setting: "audience",
  problem: "is asked for, and this grant has no parameter for it",
  hint: "Ask for scopes, or name the target by `resource` in the exchanger's settings."
})
