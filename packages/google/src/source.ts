/** The `credential_source` of Google's credential configuration files as an assertion source: a file, a URL, a command. */
import {
  Assertion,
  AssertionSource,
  configured,
  Malformed,
  Misconfigured,
  Rejected
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { endpoint, isLinkLocal, overloaded, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import { readTokenFile } from "@federate/local"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { executable } from "./executable.ts"
import type { CredentialSource, ExternalAccount } from "./externalAccount.ts"
import { jwtType } from "./settings.ts"

export interface SourceOptions extends ExternalAccount {
  /** Runs a command that the file names; without it none is run. Default false. */
  readonly allowExecutables?: boolean | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

const name = "google-external-account"

/**
 * Reads the assertion where Google's own libraries would: a file (anew each time), the answer to a GET, as text or as a
 * field of a JSON object, or a command's, where that is allowed. A file that is not there is `Unavailable`. AWS's signed
 * requests and certificates are no JWTs that a source could hand out: `Misconfigured`.
 */
export const externalAccountSource = Effect.fnUntraced(function* (
  options: SourceOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const assertion = yield* configured(name, reader(options))
  return AssertionSource.make({ name, assertion: () => assertion })
})

/** What reads the assertion, after all that can be checked before. */
const reader = (
  options: SourceOptions
): Result.Result<Effect.Effect<Assertion.Assertion, Reason>, Misconfigured> =>
  Result.gen(function* () {
    const { certificate, environment_id: environment, ...source } = options.credentialSource
    if (environment !== undefined) {
      return yield* misconfigured(
        `is of the environment "${environment}": a request signed for AWS and no JWT`,
        `${ownSource} The pool then needs an OIDC provider.`
      )
    }
    if (certificate !== undefined) {
      return yield* misconfigured("is a certificate and no JWT", ownSource)
    }
    const { executable: command, file, format, headers = {}, url } = source
    if ([command, file, url].filter((each) => each !== undefined).length !== 1) {
      return yield* misconfigured("names not exactly one of file, url and executable", ownSource)
    }
    if (file !== undefined) {
      const read = readTokenFile({ setting: "credential_source.file", path: file })
      return timed(Effect.flatMap(read, told(format)))
    }
    if (command !== undefined) {
      const { audience, serviceAccount, subjectTokenType = jwtType } = options.options
      if (options.allowExecutables !== true) {
        return yield* misconfigured(
          "is a command, and none of a file's is run unasked",
          `Read the command, and set \`allowExecutables: true\`. Or: ${ownSource}`
        )
      }
      return timed(
        yield* executable({
          command: command.command,
          timeoutMillis: command.timeout_millis,
          outputFile: command.output_file,
          audience,
          serviceAccount,
          subjectTokenType
        })
      )
    }
    // It is the one that is left.
    const target = url!
    // Clouds' metadata servers speak http.
    if (!isLinkLocal(URL.parse(target)?.hostname ?? "")) {
      yield* endpoint("credential_source.url", target)
    }
    return fetched(target, revealed(headers), format, options.fetch)
  })

type Format = CredentialSource["format"]

/** By our clock: nobody says what time it is where the token was made. */
const timed = Effect.fnUntraced(function* (found: Effect.Effect<Redacted.Redacted, Reason>) {
  const obtainedAt = yield* Clock.currentTimeMillis
  return yield* Effect.fromResult(Assertion.fromJwt(yield* found, { obtainedAt }))
})

const fetched = Effect.fnUntraced(function* (
  url: string,
  headers: Readonly<Record<string, string>>,
  format: Format,
  fetch: Fetch | undefined
) {
  const answer = yield* send({ url, headers }, { fetch, maximumSize: 4 * Assertion.maximumSize })
  if (answer.status !== 200) return yield* Effect.fail(refused(answer))
  const { body, sentAt: obtainedAt, serverTime: issuerTime } = answer
  const found = yield* told(format)(Redacted.make(new TextDecoder().decode(body).trim()))
  return yield* Effect.fromResult(Assertion.fromJwt(found, { obtainedAt, issuerTime }))
})

const misconfigured = (problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting: "credential_source", problem, hint }))

const ownSource =
  "Leave this source out, and give the flow one of Federate's own beside `exchanger: { type: google, credentialsFile }`."

/** The text, or a field of it. */
const told =
  (format: Format) =>
  (text: Redacted.Redacted): Effect.Effect<Redacted.Redacted, Malformed> => {
    if (format?.type !== "json") return Effect.succeed(text)
    const field = format.subject_token_field_name
    const parsed = Result.try((): unknown => JSON.parse(Redacted.value(text)))
    const value =
      Result.isSuccess(parsed) && typeof parsed.success === "object" && parsed.success !== null
        ? new Map<string, unknown>(Object.entries(parsed.success)).get(field)
        : undefined
    return typeof value === "string"
      ? Effect.succeed(Redacted.make(value))
      : Effect.fail(
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
