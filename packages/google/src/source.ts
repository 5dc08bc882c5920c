/** The `credential_source` of Google's credential configuration files as an assertion source: a file, or a URL. */
import { readFile } from "node:fs/promises"
import {
  Assertion,
  AssertionSource,
  FederationError,
  Malformed,
  Misconfigured,
  Rejected,
  Unavailable
} from "@federate/core"
import type { Reason } from "@federate/core"
import { endpoint, overloaded, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { CredentialSource } from "./externalAccount.ts"

export interface SourceOptions {
  readonly credentialSource: CredentialSource
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

const name = "google-external-account"

/**
 * Reads the assertion where Google's own libraries would: a file (anew each time), or the answer to a GET, as text or
 * as a field of a JSON object. A file that is not there is `Unavailable`. Commands, AWS's signed requests and
 * certificates are no JWTs that a source could hand out: `Misconfigured`.
 */
export const externalAccountSource = Effect.fnUntraced(function* (
  options: SourceOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { fetch } = options
  const {
    file,
    format,
    headers = {},
    url
  } = yield* Effect.mapError(
    Effect.fromResult(checked(options.credentialSource)),
    (reason) => new FederationError({ adapter: name, stage: "configuration", reason })
  )
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* (): Effect.fn.Return<Assertion.Assertion, Reason> {
      if (url === undefined) {
        const obtainedAt = yield* Clock.currentTimeMillis
        const text = yield* read(file!)
        return yield* Effect.fromResult(
          Result.flatMap(token(text, format), (found) => Assertion.fromJwt(found, { obtainedAt }))
        )
      }
      const answer = yield* send(
        { url, headers: revealed(headers) },
        { fetch, maximumSize: 4 * Assertion.maximumSize }
      )
      if (answer.status !== 200) return yield* Effect.fail(refused(answer))
      const { body, sentAt, serverTime } = answer
      return yield* Effect.fromResult(
        Result.flatMap(token(new TextDecoder().decode(body), format), (found) =>
          Assertion.fromJwt(found, { obtainedAt: sentAt, issuerTime: serverTime })
        )
      )
    })
  })
})

const misconfigured = (problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting: "credential_source", problem, hint }))

const ownSource =
  "Leave this source out, and give the flow one of Federate's own beside `exchanger: { type: google, credentialsFile }`."

const checked = (source: CredentialSource): Result.Result<CredentialSource, Misconfigured> => {
  const { certificate, environment_id: environment, executable, file, url } = source
  if (executable !== undefined) return misconfigured("is a command, which is not run", ownSource)
  if (environment !== undefined) {
    return misconfigured(
      `is of the environment "${environment}": a request signed for AWS and no JWT`,
      `${ownSource} The pool then needs an OIDC provider.`
    )
  }
  if (certificate !== undefined) return misconfigured("is a certificate and no JWT", ownSource)
  if ((file === undefined) === (url === undefined)) {
    return misconfigured("names not exactly one of file and url", ownSource)
  }
  if (url === undefined || isLinkLocal(url)) return Result.succeed(source)
  return Result.map(endpoint("credential_source.url", url), () => source)
}

/** Clouds' metadata servers, which speak http and cannot be reached from another machine (RFC 3927). */
const isLinkLocal = (url: string): boolean =>
  /^169\.254\.\d{1,3}\.\d{1,3}$/.test(URL.parse(url)?.hostname ?? "")

const read = (file: string) =>
  Effect.tryPromise({
    try: (signal) => readFile(file, { encoding: "utf8", signal }),
    catch: (error) => {
      const code = error instanceof Error && "code" in error ? String(error.code) : "no code"
      return code === "ENOENT"
        ? new Unavailable({
            detail: `There is no file ${file}`,
            hint: "Run where the platform writes its token there."
          })
        : new Misconfigured({
            setting: "credential_source.file",
            problem: `${file} cannot be read (${code})`,
            hint: "Let this process read the file."
          })
    }
  })

/** The text, or a field of it. */
const token = (
  text: string,
  format: CredentialSource["format"]
): Result.Result<Redacted.Redacted, Malformed> => {
  if (format?.type !== "json") return Result.succeed(Redacted.make(text.trim()))
  const field = format.subject_token_field_name
  const parsed = Result.try((): unknown => JSON.parse(text))
  const value =
    Result.isSuccess(parsed) && typeof parsed.success === "object" && parsed.success !== null
      ? new Map<string, unknown>(Object.entries(parsed.success)).get(field)
      : undefined
  return typeof value === "string"
    ? Result.succeed(Redacted.make(value))
    : Result.fail(
        new Malformed({
          detail: `The credential source is no JSON object with the text "${field}"`
        })
      )
}

const revealed = (headers: NonNullable<CredentialSource["headers"]>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([header, value]) => [header, Redacted.value(value)])
  )

/** Whoever answers speaks no protocol that we knew of: the status is all there is. */
const refused = (answer: HttpAnswer): Reason => {
  if (answer.status < 400) return unexpected(answer)
  const busy = overloaded(answer)
  if (busy !== undefined) return busy
  return new Rejected({
    code: `HTTP ${answer.status}`,
    status: answer.status,
    description: "The credential source's URL gave no token",
    hint: "Compare credential_source.url and its headers with what the platform wants.",
    remedy: "none"
  })
}
