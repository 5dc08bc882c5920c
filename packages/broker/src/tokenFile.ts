/** A file that always holds a fresh assertion, as Kubernetes projects them. */
import { randomBytes } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import { TokenRequest } from "@federate/core"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { isRefusal } from "./Answer.ts"
import * as Audit from "./Audit.ts"
import type { TokenFileConfig } from "./BrokerConfig.ts"
import { isIssuing, misconfigured, named, only } from "./ServedFlow.ts"
import type { ServedFlow, ServedTokens } from "./ServedFlow.ts"

export interface TokenFile {
  readonly path: string
  /**
   * Writes the file, replaces it whenever there is a new assertion, and removes it when the scope closes, unless
   * somebody else has written it since. Ends once it was written; goes on until then, whatever the flow says.
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
      yield* replace(path, token)
      written = token
      audit.handed("token-file", {
        protocol: "token-file",
        flow: flow.name,
        scope: audience ?? "",
        tokenHash: Audit.tokenHash(credential),
        expiresAt: credential.expiresAt
      })
    })
    /** How long what is written stays fresh, in milliseconds. */
    const pause = Effect.sync(() => {
      const { age, points } = flow.entries.get(TokenRequest.key(request)) ?? {}
      return age === undefined || points === undefined ? again : Math.max(again, points.soft - age)
    })
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        if (written === undefined) return
        const there = await readFile(path, "utf8").catch(() => undefined)
        if (there === written) await rm(path, { force: true })
      })
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

/** Whole or not at all: readers find the old assertion or the new one. */
const replace = (path: string, token: string): Effect.Effect<void, FederationError> =>
  Effect.tryPromise({
    try: async () => {
      const draft = `${path}.${randomBytes(6).toString("hex")}`
      try {
        await writeFile(draft, token, { flag: "wx", mode: 0o600 })
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    catch: (error) =>
      misconfigured(
        "broker.tokenFiles",
        `${path} cannot be written: ${error instanceof Error && "code" in error ? String(error.code) : "unknown"}`,
        "Its folder must exist, and this process must be let write there."
      )
  })
