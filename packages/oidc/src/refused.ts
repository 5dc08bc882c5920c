/** What a token endpoint's refusal of an assertion means: by its code and status, never by its words. */
import { Rejected } from "@federate/core"
import type { Assertion } from "@federate/core"
import type { ClientAuthentication } from "./client.ts"
import { refusal } from "./tokenAnswer.ts"
import type { Refusal } from "./tokenAnswer.ts"

/** What the exchanger knows of a request. */
export interface Facts {
  readonly grantType: string
  readonly assertion: Assertion.Assertion
  readonly client: ClientAuthentication
  readonly tokenEndpoint: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly singleUse: boolean
}

/** RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 8707 §2, with the one fix. */
export const refused = (answer: Refusal, facts: Facts): Rejected => {
  const told = refusal(answer)
  const known = hints.get(answer.error)
  if (known !== undefined) return new Rejected({ ...told, hint: known(facts) })
  // Where a server names no code of the standard's, 400 and 401 are about what it was given: the assertion.
  const aboutAssertion = answer.status === 400 || answer.status === 401
  if (!assertionCodes.has(answer.error) && !aboutAssertion) return told
  return new Rejected({
    ...told,
    hint: compare(facts),
    // RFC 7521 §4.1.1: invalid or expired. Only an old one is worth another try.
    remedy: isOld(facts) ? "freshAssertion" : "none"
  })
}

/** An assertion as a grant is refused by the one (RFC 7521 §4.1.1), as a subject token by the other (RFC 8693 §2.2.2). */
const assertionCodes = new Set(["invalid_grant", "invalid_request"])

const compare = ({ assertion, singleUse }: Facts): string => {
  const { algorithm = "(none)", audience, issuer = "(none)", subject = "(none)" } = assertion
  return (
    `Compare with what the server trusts: issuer ${issuer}, subject ${subject}, audience ${audience.join(", ") || "(none)"}, ` +
    `algorithm ${algorithm}. It must reach the issuer's keys, and find each parameter that it wants beside the grant's own.` +
    (singleUse ? "" : " If it takes each assertion once, set `singleUse`.")
  )
}

/** Past half of its life. */
const isOld = ({ assertion: { expiresAt, lifetime }, now }: Facts): boolean =>
  expiresAt !== undefined && lifetime !== undefined && expiresAt - now <= lifetime / 2

const hints = new Map<string, (facts: Facts) => string>(
  Object.entries({
    invalid_client: ({ client: { id, method } }: Facts) =>
      id === undefined
        ? "The server wants to know the client: name it, with its credential, by `client`."
        : method === "assertion"
          ? `The assertion did not prove the client "${id}": compare its issuer, subject and audience with what the server trusts this client with.`
          : `Compare the client "${id}" and its credential with its registration, and \`client.authentication\` (${method}) with its token_endpoint_auth_method.`,
    invalid_scope: () => "Ask for scopes that this workload was granted.",
    invalid_target: () => "The server does not know this `audience` or `resource`.",
    unauthorized_client: ({ client: { id }, grantType }: Facts) =>
      `Allow ${id === undefined ? "this workload" : `the client "${id}"`} the grant type ${grantType}.`,
    unsupported_grant_type: ({ grantType, tokenEndpoint }: Facts) =>
      `${tokenEndpoint} does not know ${grantType}: compare with grant_types_supported in the server's discovery document.`
  })
)
