/** Google's metadata server as an assertion source: the instance's service account, signed for by Google. */
import {
  Assertion,
  AssertionSource,
  configured,
  Misconfigured,
  Rejected,
  Unavailable
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { overloaded, platformEnvironment, publicText, unexpected } from "@federate/http"
import type { Environment, Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { audienceFor } from "./audience.ts"
import { addressOf, metadataServer } from "./metadataServer.ts"

export interface GoogleMetadataOptions {
  /** Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers. */
  readonly audience?: string | undefined
  /** The e-mail of one of the instance's service accounts. Default: its default one. */
  readonly serviceAccount?: string | undefined
  /** `HOST:PORT`. Default: `GCE_METADATA_HOST`; without that, the address that the server has on every instance. */
  readonly host?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "google-metadata"

/**
 * Compute Engine, GKE, Cloud Run, Cloud Functions, Cloud Build
 * (https://cloud.google.com/compute/docs/instances/verifying-instance-identity): an ID token of the service account that
 * the instance runs as, for an hour. Its subject is the account's numeric id. Elsewhere it is `Unavailable`, within a
 * second, unless somebody said where the server is.
 */
export const googleMetadata = Effect.fnUntraced(function* ({
  audience,
  environment = platformEnvironment,
  fetch,
  host,
  serviceAccount = "default"
}: GoogleMetadataOptions = {}): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const given = host ?? environment(variable)
  const address = yield* configured(
    name,
    Result.gen(function* () {
      yield* checkedAccount(serviceAccount)
      return yield* addressOf(host === undefined ? variable : "host", given ?? "169.254.169.254")
    })
  )
  const { href: instance } = new URL("/computeMetadata/v1/instance", address)
  const identity = `${instance}/service-accounts/${serviceAccount}/identity`
  const ask = metadataServer({
    known: given !== undefined,
    probe: { url: instance, headers: flavor },
    recognise: isGoogle,
    absent,
    fetch
  })
  return AssertionSource.make({
    name,
    offers: { issuer: "https://accounts.google.com", audience: "any", algorithms: ["RS256"] },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const wanted = yield* Effect.fromResult(audienceFor(request, audience))
      const query = new URLSearchParams({ audience: wanted, format: "full" })
      const answer = yield* ask({ url: `${identity}?${query}`, headers: flavor })
      if (answer.status !== 200) return yield* Effect.fail(refused(answer, serviceAccount))
      if (!isGoogle(answer)) return yield* Effect.fail(unexpected(answer))
      // The server keeps its tokens: one may have been signed a while ago, so only its clock now is a measure.
      const { body, sentAt: obtainedAt, serverTime: issuerTime } = answer
      const token = Redacted.make(new TextDecoder().decode(body).trim())
      return yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt, issuerTime }))
    })
  })
})

const variable = "GCE_METADATA_HOST"

const checkedAccount = (serviceAccount: string) =>
  /^[\w.@-]+$/.test(serviceAccount)
    ? Result.void
    : Result.fail(
        new Misconfigured({
          setting: "serviceAccount",
          problem: "is no service account's e-mail",
          hint: "Write NAME@PROJECT.iam.gserviceaccount.com; or leave it out, for the instance's default one."
        })
      )

/** Asked with, so that nobody asks by mistake; answered with, so that nobody takes another server for Google's. */
const flavor = { "metadata-flavor": "Google" }

const isGoogle = ({ headers }: HttpAnswer): boolean => headers.get("metadata-flavor") === "Google"

const absent = new Unavailable({
  detail: "Google's metadata server does not answer here",
  hint: `Run on Google Cloud, or name the server in ${variable}.`
})

const hints: Readonly<Record<number, string>> = {
  400: "Compare the audience: a text without blanks, as the relying party has it.",
  403: "The service account may not sign for itself here: on GKE it needs roles/iam.workloadIdentityUser for the pod's own account.",
  404: "Attach the service account to the instance, or name one that is attached. A GKE pod has one only when its own account is annotated with iam.gke.io/gcp-service-account."
}

const refused = (answer: HttpAnswer, serviceAccount: string): Reason => {
  const busy = overloaded(answer)
  const { body, status } = answer
  const hint = hints[status]
  if (busy !== undefined || hint === undefined || !isGoogle(answer))
    return busy ?? unexpected(answer)
  const isText = answer.headers.get("content-type")?.includes("html") !== true
  return new Rejected({
    code: `HTTP ${status}`,
    status,
    description:
      (isText && publicText(new TextDecoder().decode(body))) ||
      `The metadata server gave no identity of the service account "${serviceAccount}"`,
    hint,
    remedy: "none"
  })
}
