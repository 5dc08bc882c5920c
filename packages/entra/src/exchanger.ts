/** Microsoft Entra ID as a token exchanger. */
import { configured } from "@federate/core"
import type { FederationError, TokenExchanger } from "@federate/core"
import { clientCredentials } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { application, misconfigured } from "./application.ts"
import type { ApplicationOptions } from "./application.ts"
import { claimsParameter } from "./claims.ts"
import { classify } from "./classify.ts"

export interface Options extends ApplicationOptions {
  /** What a request without scopes of its own asks for: one `<resource>/.default`. */
  readonly scopes?: ReadonlyArray<string> | undefined
}

/**
 * Client credentials with a federated assertion
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow): the platform's JWT takes the
 * place of a secret. No discovery round trip; the token is opaque to us and never decoded. Every AADSTS code becomes a
 * reason with the one fix. Settings that cannot work are `Misconfigured`, before any call.
 */
export const exchanger = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const app = yield* application(name, options)
  if (options.scopes !== undefined && options.scopes.length > 0) {
    yield* configured(name, oneScope(options.scopes))
  }
  return yield* clientCredentials({
    ...app,
    name,
    parameters: ({ claims, scopes = options.scopes ?? [] }) =>
      Result.gen(function* () {
        return {
          scope: yield* oneScope(scopes),
          ...(yield* claimsParameter(claims, options.clientCapabilities))
        }
      }),
    refused: (answer, assertion, { scope = "" }) => classify(answer, assertion, { ...app, scope }),
    fetch: options.fetch
  })
})

const name = "entra"

/** What a scope is of, where it ends in a permission's name as users are asked for them. */
const resourceOf = (scope: string): string =>
  /^(\w+:\/\/[^/]+(?:\/[^/]+)*?)\/+(?:[A-Za-z]+(?:\.[A-Za-z]+)+|user_impersonation|access_as_user)$/.exec(
    scope
  )?.[1] ?? scope.replace(/\/+$/, "")

/** The one scope of a request: `<resource>/.default`; a resource that ends in a slash keeps it (`//.default`). */
const oneScope = (scopes: ReadonlyArray<string>) => {
  const [first, ...more] = new Set(scopes)
  if (first === undefined) {
    return misconfigured(
      "scopes",
      "no scope is asked for, and the exchanger has no default",
      "Name the resource: https://graph.microsoft.com/.default is Microsoft Graph."
    )
  }
  if (more.length > 0) {
    return misconfigured(
      "scopes",
      `one token is for one resource, and ${more.length + 1} scopes are asked for: ${[first, ...more].join(", ")}`,
      "Ask for each <resource>/.default by itself."
    )
  }
  if (/^[!-~]+\/\.default$/.test(first)) return Result.succeed(first)
  return misconfigured(
    "scopes",
    `"${first}" is not of the form <resource>/.default, the only one that a workload can ask for`,
    /\s/.test(first)
      ? "Ask for each <resource>/.default by itself."
      : `For all that was granted on that resource write ${resourceOf(first)}/.default; single permissions are granted to the app, not asked for.`
  )
}
