/** What a credential is good for, held against what it is wanted for. */
import { Assertion } from "@federate/core"
import type { Credential } from "@federate/core"
import { endpoint, json, publicText, send } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Finding } from "./Finding.ts"
import { ofReason } from "./Finding.ts"

const grant =
  "Assign the role to the app, with an administrator's consent; it shows in tokens that are issued after that, some minutes later."

const why = "A token is good for one API, and there for what its roles say."

/** What a token says that it is good for, where it says it: it is opaque to flows, and a person may look into it. */
export const granted = (
  credential: Credential.Credential,
  permissions: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const claims = claimsOf(credential)
  if (claims === undefined) return []
  const held = rolesOf(claims)
  const missing = permissions.filter((permission) => !held.includes(permission))
  if (missing.length > 0) {
    return [
      {
        verdict: "wrong",
        subject: "roles",
        what: `The token has ${told(held)}, and not ${missing.join(", ")}.`,
        why,
        fix: grant
      }
    ]
  }
  return held.length === 0
    ? []
    : [{ verdict: "right", subject: "roles", what: `The token has ${told(held)}.` }]
}

/**
 * One GET with the token, of what it is wanted for.
 *
 * @param url https, or http on loopback
 */
export const called = Effect.fnUntraced(function* (
  credential: Credential.Credential,
  url: string,
  fetch?: Fetch
): Effect.fn.Return<Finding> {
  const token = tokenOf(credential)
  if (token === undefined) {
    return {
      verdict: "wrong",
      subject: "call",
      what: "AWS credentials are no token: they sign calls.",
      why,
      fix: "Try the call with the AWS CLI: `federate run FLOW -- aws …`."
    }
  }
  const answered = yield* Effect.result(
    Effect.flatMap(Effect.fromResult(endpoint("call", url)), ({ href }) =>
      send(
        {
          url: href,
          headers: { accept: "application/json", authorization: `Bearer ${Redacted.value(token)}` }
        },
        { fetch }
      )
    )
  )
  if (Result.isFailure(answered)) return { ...ofReason("call", answered.failure), why }
  const { status } = answered.success
  const claims = claimsOf(credential)
  const said = `${url} answered ${status}${wordsOf(json(answered.success))}`
  if (status < 300) return { verdict: "right", subject: "call", what: `${said}.` }
  if (status === 401) {
    return {
      verdict: "wrong",
      subject: "call",
      what: `${said}: it does not take the token${claims === undefined ? "" : `, which is for ${JSON.stringify(claims["aud"])}`}.`,
      why,
      fix: `Ask for a token of this API: its own resource in \`scopes\`, such as ${new URL(url).origin}/.default.`
    }
  }
  if (status === 403) {
    return {
      verdict: "wrong",
      subject: "call",
      what: `${said}: it knows the token, and does not let it do this${claims === undefined ? "" : `; the token has ${told(rolesOf(claims))}`}.`,
      why,
      fix: `The API's reference names the permission that this call takes. ${grant}`
    }
  }
  return {
    verdict: "unknown",
    subject: "call",
    what: `${said}, which tells nothing of the token.`
  }
})

const tokenOf = (credential: Credential.Credential): Redacted.Redacted | undefined => {
  const token = "token" in credential ? credential.token : undefined
  return Redacted.isRedacted(token) ? Redacted.make(`${Redacted.value(token)}`) : undefined
}

const claimsOf = (
  credential: Credential.Credential
): Readonly<Record<string, unknown>> | undefined => {
  const token = tokenOf(credential)
  if (token === undefined) return undefined
  const decoded = Assertion.fromJwt(token, { obtainedAt: 0 })
  return Result.isSuccess(decoded) ? decoded.success.claims : undefined
}

const rolesOf = ({ roles, scp }: Readonly<Record<string, unknown>>): ReadonlyArray<string> => [
  ...(Array.isArray(roles) ? roles.filter(Predicate.isString) : []),
  ...(typeof scp === "string" ? scp.split(" ") : [])
]

const told = (held: ReadonlyArray<string>): string =>
  held.length === 0 ? "no role at all" : held.join(", ")

/** The code and message of an API's error, as Microsoft Graph and Google write them. */
const wordsOf = (body: Readonly<Record<string, unknown>> | undefined): string => {
  const error = body?.["error"]
  if (!Predicate.isObject(error)) return ""
  const { code, message, status } = error as Readonly<Record<string, unknown>>
  const words = [typeof code === "string" ? code : status, message].filter(Predicate.isString)
  return words.length === 0 ? "" : ` (${publicText(words.join(": "))})`
}
