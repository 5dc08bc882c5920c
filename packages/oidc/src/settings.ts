/** What the adapters of this package check before any call, and how they tell it. */
import { Misconfigured } from "@federate/core"
import { endpoint } from "@federate/http"
import * as Result from "effect/Result"

export const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** An issuer's URL (OpenID Connect Discovery 1.0 §3): https, or http on loopback, without query and fragment. */
export const checkedIssuer = (issuer: string) =>
  Result.flatMap(endpoint("issuer", issuer), () =>
    issuer.includes("?")
      ? misconfigured(
          "issuer",
          "has a query (?…)",
          "OpenID Connect Discovery allows none: write the bare URL."
        )
      : Result.succeed(issuer)
  )

/** Each once, as RFC 6749 §3.3 writes them. */
export const checkedScopes = (scopes: ReadonlyArray<string>) => {
  const bad = scopes.find((scope) => !/^[!#-[\]-~]+$/.test(scope))
  return bad === undefined
    ? Result.succeed([...new Set(scopes)])
    : misconfigured("scopes", `"${bad}" is no scope`, "Write each scope by itself, without blanks.")
}

/** Absolute URIs without a fragment (RFC 8707 §2). */
export const checkedResources = (resources: ReadonlyArray<string>) => {
  const bad = resources.find((resource) => resource.includes("#") || !URL.canParse(resource))
  return bad === undefined
    ? Result.succeed(resources)
    : misconfigured(
        "resource",
        `"${bad}" is no absolute URI without a fragment`,
        "Write it in full, or name the target by `audience`."
      )
}

/** What a request already has a place for: RFC 6749, 7521, 8693, 8707. */
const own = new Set([
  "actor_token",
  "actor_token_type",
  "assertion",
  "client_assertion",
  "client_assertion_type",
  "client_id",
  "client_secret",
  "grant_type",
  "requested_token_type",
  "resource",
  "scope",
  "subject_token",
  "subject_token_type"
])

/** Parameters of the server's own. */
export const checkedParameters = (parameters: Readonly<Record<string, string>> = {}) => {
  const taken = Object.keys(parameters).find((name) => own.has(name))
  return taken === undefined
    ? Result.succeed(parameters)
    : misconfigured(
        `parameters.${taken}`,
        "is not a parameter of the server's own",
        "Its value has a setting, or comes from the flow itself."
      )
}
