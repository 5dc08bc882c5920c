/** Credentials and errors of core as plain values, and back. */
import { Credential } from "@federate/core"
import * as Core from "@federate/core"
import * as Redacted from "effect/Redacted"
import type { AccessToken, AwsCredentials } from "../Credential.ts"
import { FederationError } from "../FederationError.ts"
import type { Reason } from "../FederationError.ts"

/** Handing out a credential again costs a look here. What is shared is frozen. */
const plain = new WeakMap<object, AccessToken | AwsCredentials>()

const accessToken = ({ _tag, token, ...rest }: Core.AccessToken): AccessToken => ({
  token: Redacted.value(token),
  ...rest
})

const awsCredentials = ({
  _tag,
  secretAccessKey,
  sessionToken,
  ...rest
}: Core.AwsCredentials): AwsCredentials => ({
  ...rest,
  secretAccessKey: Redacted.value(secretAccessKey),
  sessionToken: Redacted.value(sessionToken)
})

/** Each kind of credential as it is handed out: the same one as the same value. */
export const credential = (
  held: Core.AccessToken | Core.AwsCredentials
): AccessToken | AwsCredentials => {
  const known = plain.get(held)
  if (known !== undefined) return known
  const made = Object.freeze(held._tag === "AccessToken" ? accessToken(held) : awsCredentials(held))
  plain.set(held, made)
  return made
}

/** The same credential to core, which compares. */
export const ofCore = (
  given: AccessToken | AwsCredentials
): Core.AccessToken | Core.AwsCredentials =>
  "token" in given
    ? Credential.accessToken({ ...given, token: Redacted.make(given.token) })
    : Credential.awsCredentials({
        ...given,
        secretAccessKey: Redacted.make(given.secretAccessKey),
        sessionToken: Redacted.make(given.sessionToken)
      })

export const error = ({
  adapter,
  message,
  reason: { _tag: type, ...fields },
  retryAt,
  stage
}: Core.FederationError): FederationError =>
  // Taking a union apart loses what belongs to which of its members; a test holds the two sets of reasons together.
  new FederationError(message, {
    adapter,
    stage,
    retryAt: retryAt && Math.ceil(retryAt),
    reason: { type, ...fields } as Reason
  })

const reasons = {
  Unavailable: Core.Unavailable,
  Misconfigured: Core.Misconfigured,
  Rejected: Core.Rejected,
  Transient: Core.Transient,
  Malformed: Core.Malformed
}

/** An error that a function of the user's own threw, as its reason for core. */
export const reason = ({ type, ...fields }: Reason): Core.Reason =>
  // As above.
  new (reasons[type] as new (fields: object) => Core.Reason)(fields)
