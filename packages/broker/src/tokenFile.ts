/** A file that always holds a fresh assertion, as Kubernetes projects them. */
import { TokenRequest } from "@federate/core"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { isRefusal } from "./Answer.ts"
import * as Audit from "./Audit.ts"
import type { TokenFileConfig } from "./BrokerConfig.ts"
import { removeFile, replaceFile } from "./ownFile.ts"
import { isIssuing, misconfigured, named, only } from "./ServedFlow.ts"
import type { ServedFlow, ServedTokens } from "./ServedFlow.ts"

export interface TokenFile {
  readonly path: string
  /**
   * Writes the file, replaces it whenever there is a new assertion, and removes it when the scope closes, unless
   * somebody else has written it since. Ends after the first try; a flow that brought nothing then is asked again and
   * again behind, which the log tells.
   */
  readonly keep: Effect.Effect<void, FederationError, Scope.Scope>
}

/** The files of a config, each with its flow: one that hands out assertions. */
export const tokenFiles = (
  flows: ReadonlyArray<ServedFlow>,
  files: ReadonlyArray<TokenFileConfig> = [],
  audit: Audit.Audit
): Result.Result<ReadonlyArray<TokenFile>, FederationError> =>
  Result.all(
    files.map((file, index) =>
      Result.map(flowOf(flows, file, `broker.tokenFiles[${index}]`), (served) => ({
        path: file.path,
        keep: keep(served, file, audit)
      }))
    )
  )

const flowOf = (
  flows: ReadonlyArray<ServedFlow>,
  { flow }: TokenFileConfig,
  setting: string
): Result.Result<ServedTokens, FederationError> => {
  if (flow !== undefined) return named(flows, `${setting}.flow`, flow, "Assertion")
  const found = only(
    flows.filter((each) => isIssuing(each, "Assertion")),
    "assertions",
    `${setting}.flow`
  )
  return isRefusal(found)
    ? Result.fail(misconfigured(setting, "names no flow", found.message))
    : Result.succeed(found)
}

/** How soon a flow that failed, or is fetching a new assertion, is asked again, in milliseconds. */
const again = 5000

/** The longest pause, in milliseconds: a timer does not know that the machine slept. */
const longest = 60_000

const keep = (
  { flow }: ServedTokens,
  { audience, path }: TokenFileConfig,
  audit: Audit.Audit
): TokenFile["keep"] =>
  Effect.gen(function* () {
    const request = audience === undefined ? {} : { audience }
    let written: string | undefined
    const write = Effect.gen(function* () {
      const credential = yield* flow.credential(request)
      const token = Redacted.value(credential.token)
      if (token === written) return
      const protocol = "token-file"
      const about = { protocol, flow: flow.name, scope: audience ?? "" }
      // What was begun is ended: what is there is what is taken away, and what the audit tells.
      yield* Effect.uninterruptible(
        Effect.map(replaceFile(path, token, "broker.tokenFiles"), () => {
          written = token
          audit.handed(protocol, Audit.handedOf(credential, about))
        })
      )
    })
    /** How long what is written stays fresh, in milliseconds. */
    const pause = Effect.sync(() => {
      const { age, credential, points } = flow.entries.get(TokenRequest.key(request)) ?? {}
      // What has been fetched since is not written yet.
      const current = credential !== undefined && Redacted.value(credential.token) === written
      return !current || age === undefined || points === undefined
        ? again
        : Math.min(longest, Math.max(again, points.soft - age))
    })
    yield* Effect.addFinalizer(() =>
      written === undefined ? Effect.void : removeFile(path, written)
    )
    // A folder that is not there will not come by itself; a flow may.
    yield* write.pipe(
      Effect.catchIf(
        ({ stage }) => stage !== "configuration",
        ({ message }) => Effect.logWarning(`${path} is not written yet: ${message}`)
      )
    )
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          yield* Effect.sleep(yield* pause)
          yield* write.pipe(
            Effect.catch(({ message }) => Effect.logWarning(`${path} is not renewed: ${message}`))
          )
        })
      )
    )
  })
