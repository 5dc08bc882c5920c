/** What the error answers of Google's STS and of its APIs mean: by `error`, or by status and reason. */
import { Rejected, Transient } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import { json, overloaded, publicText, unexpected } from "@federate/http"
import type { HttpAnswer } from "@federate/http"
import { refusal } from "@federate/oidc"
import type { Refusal } from "@federate/oidc"
import type { Provider } from "./audience.ts"
import { byReason, byStatus, management, securityTokenService, tell } from "./catalogue.ts"
import type { CatalogueEntry, Facts } from "./catalogue.ts"

/** What the exchanger knows of a request besides its assertion. */
export interface RequestFacts {
  readonly audience: string
  readonly provider: Provider
  readonly scopes: ReadonlyArray<string>
  /** Where a service account is asked for something: its e-mail, and the permission that it takes. */
  readonly serviceAccount?: string
  readonly permission?: string
}

const absent = "(none)"

export const factsOf = (
  { algorithm = absent, audience, issuer = absent, subject = absent }: Assertion.Assertion,
  request: RequestFacts
): Facts => ({
  issuer,
  subject,
  algorithm,
  audience: audience.length === 0 ? absent : audience.join(", "),
  subjectBytes: `${new TextEncoder().encode(subject).length}`,
  provider: request.audience,
  pool: request.provider.pool,
  principal: request.provider.principal(subject),
  scope: request.scopes.join(" "),
  serviceAccount: request.serviceAccount ?? absent,
  permission: request.permission ?? absent
})

/** An error of the STS (RFC 6749 §5.2). */
export const refusedByTokenService = (answer: Refusal, facts: Facts): Reason => {
  const { description, error } = answer
  const entries = Object.hasOwn(securityTokenService, error) ? securityTokenService[error]! : []
  const entry = entries.find(({ words }) => words === undefined || words.test(description))
  const told = refusal(answer)
  return entry === undefined
    ? told
    : new Rejected({ ...told, hint: tell(entry.hint, facts), remedy: entry.remedy })
}

/** An answer in the form of Google's APIs (https://cloud.google.com/apis/design/errors#http_mapping), or in none. */
export const refusedByApi = (answer: HttpAnswer, facts: Facts): Reason =>
  refusalOfApi(answer, ({ code, status }) => {
    // A status says what it means only of a service account; before the STS stand quotas and switches, with a reason.
    const ofAccount = facts.serviceAccount === absent ? undefined : find(byStatus, status)
    const entry = find(byReason, code) ?? ofAccount
    return entry && { ...entry, hint: tell(entry.hint, facts) }
  })

/** The same of the APIs that keep a trust. */
export const refusedByManagement = (answer: HttpAnswer): Reason =>
  refusalOfApi(answer, ({ code, status }) => find(management, code) ?? find(management, status))

/** An error as Google's APIs name it: `code` by its reason, where it has one. */
interface ApiError {
  readonly code: string
  readonly status: string
}

const refusalOfApi = (
  answer: HttpAnswer,
  meaningOf: (error: ApiError) => CatalogueEntry | undefined
): Reason => {
  const busy = overloaded(answer)
  const error = json(answer)?.["error"]
  if (answer.status < 400 || !isRecord(error)) return busy ?? unexpected(answer)
  const details: ReadonlyArray<unknown> = Array.isArray(error["details"]) ? error["details"] : []
  const reason = details.filter(isRecord).find((detail) => typeof detail["reason"] === "string")
  const name = textOf(error["status"])
  const code = textOf(reason?.["reason"]) ?? name ?? `HTTP ${answer.status}`
  const description = textOf(error["message"]) ?? "Google gave no message"
  const { retryAt, status } = answer
  if (busy !== undefined) {
    return new Transient({
      detail: `${code}: ${description}`,
      status,
      ...(retryAt !== undefined && { retryAt })
    })
  }
  const entry = meaningOf({ code, status: name ?? "" })
  return new Rejected({
    code,
    status,
    description,
    hint: entry?.hint ?? "Look the reason up at https://cloud.google.com/apis/design/errors.",
    remedy: entry?.remedy ?? "none"
  })
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? publicText(value) : undefined

const find = <A>(entries: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(entries, name) ? entries[name] : undefined
