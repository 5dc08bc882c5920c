/** What Entra's error answers mean: by `error_codes`, never by the text. */
import { Rejected, Transient } from "@federate/core"
import type { Assertion, Reason, Reference } from "@federate/core"
import { publicText } from "@federate/http"
import { refusal } from "@federate/oidc"
import type { Refusal } from "@federate/oidc"
import * as Result from "effect/Result"
import { catalogue, tell } from "./catalogue.ts"
import type { Facts } from "./catalogue.ts"
import { claimsParameter } from "./claims.ts"

/** What the exchanger knows of a request besides its assertion. */
export type RequestFacts = Pick<Facts, "tenantId" | "clientId" | "scope" | "authority">

/**
 * @param assertion what authenticated the app
 * @param user on whose behalf a token was asked for
 */
export const classify = (
  answer: Refusal,
  assertion: Assertion.Assertion,
  request: RequestFacts,
  user?: Assertion.Assertion
): Reason => {
  const number = codes(answer.body).find((code) => code in catalogue) ?? codes(answer.body)[0]
  const reference = referenceOf(answer.body)
  if (number === undefined)
    return new Rejected({ ...refusal(answer), ...(reference && { reference }) })
  const code = `AADSTS${number}`
  const description = wordsOf(answer.description)
  const entry = catalogue[number]
  const hint = (user && entry?.onBehalfOf) ?? entry?.hint
  const facts = factsOf((entry?.isOfUser && user) || assertion, request)
  const { claims } = answer.body
  if (entry?.remedy === "passing") {
    const { retryAt, status } = answer
    return new Transient({
      detail: `${code}: ${description} ${tell(entry.hint, facts)}`,
      status,
      ...(retryAt !== undefined && { retryAt })
    })
  }
  return new Rejected({
    code,
    status: answer.status,
    description,
    hint:
      hint === undefined
        ? `Look it up at https://login.microsoftonline.com/error?code=${number}.`
        : tell(hint, facts),
    remedy: entry?.remedy ?? "none",
    ...(typeof claims === "string" && Result.getOrElse(claimsParameter(claims), () => ({}))),
    ...(reference && { reference })
  })
}

const codes = ({ error_codes: told }: Refusal["body"]): ReadonlyArray<number> =>
  Array.isArray(told) ? told.filter((code) => Number.isSafeInteger(code)) : []

/** The words alone: the code stands in front of them, the ids behind, divided by blanks or (until 2023) by lines. */
const wordsOf = (description: string): string =>
  description.replace(/^AADSTS\d+: /, "").replace(/\s+Trace ID: .*$/, "") ||
  "Entra gave no description"

const referenceOf = (body: Refusal["body"]): Reference | undefined => {
  const { correlation_id: correlationId, timestamp, trace_id: traceId } = body
  const reference = {
    ...(typeof traceId === "string" && { traceId: publicText(traceId) }),
    ...(typeof correlationId === "string" && { correlationId: publicText(correlationId) }),
    ...(typeof timestamp === "string" && { timestamp: publicText(timestamp) })
  }
  return Object.keys(reference).length === 0 ? undefined : reference
}

const absent = "(none)"

/** What a hint may name, from an assertion that was sent. */
export const factsOf = (
  { algorithm = absent, audience, header, issuer = absent, subject = absent }: Assertion.Assertion,
  request: RequestFacts
): Facts => ({
  ...request,
  issuer,
  subject,
  algorithm,
  audience: audience.length === 0 ? absent : audience.join(", "),
  kid: typeof header["kid"] === "string" ? header["kid"] : absent
})
