/** Errors as a person wants them: what failed, at which step, the other side's code and words, the fix, the ids. */
import { ConfigError } from "@federate/config"
import { FederationError } from "@federate/core"
import type { Reason } from "@federate/core"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { err } from "./style.ts"
import { printDistance, printTime } from "./time.ts"
import { UsageError } from "./UsageError.ts"

/** What a command can fail with. */
export type Failure = FederationError | ConfigError | UsageError

/** The command has told what was wrong, and ends with this status. */
export class Stopped extends Data.TaggedError("Stopped")<{ readonly code: number }> {}

/** 1 when refused or unreachable; 2 when it was called or configured wrong. */
const exitCode = (failure: Failure): number =>
  failure._tag === "FederationError" && failure.reason._tag !== "Misconfigured" ? 1 : 2

const steps = {
  configuration: "before any call",
  assertion: "getting the assertion",
  exchange: "exchanging the assertion"
} as const

const headlines: { readonly [Tag in Reason["_tag"]]: string } = {
  Unavailable: "is not available here",
  Misconfigured: "is set up wrong",
  Rejected: "said no",
  Transient: "could not be reached, or is busy",
  Malformed: "gave an answer that is not what its protocol says"
}

const red = err(["bold", "red"])
const dim = err("dim")
const bold = err("bold")

const field = (name: string, value: string | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : [`  ${dim(name.padEnd(8))} ${value}`]

/** The lines for a terminal. */
export const lines = (failure: Failure, now: number): ReadonlyArray<string> => {
  if (failure._tag === "UsageError")
    return [`${red("✗")} ${failure.problem}`, ...field("fix", failure.hint)]
  if (failure._tag === "ConfigError") return [`${red("✗")} ${failure.message}`]
  const { adapter, reason, stage } = failure
  return [
    `${red("✗")} ${bold(`${adapter} ${headlines[reason._tag]}`)}, ${steps[stage]}`,
    ...told(reason, now)
  ]
}

const told = (reason: Reason, now: number): ReadonlyArray<string> => {
  switch (reason._tag) {
    case "Unavailable":
      return [...field("why", reason.detail), ...field("fix", reason.hint)]
    case "Misconfigured":
      return [
        ...field("setting", reason.setting),
        ...field("problem", reason.problem),
        ...field("fix", reason.hint)
      ]
    case "Rejected": {
      const { code, description, hint, reference, status } = reason
      return [
        ...field("code", status === undefined ? code : `${code} (HTTP ${status})`),
        ...field("said", description),
        ...field("fix", hint),
        ...field("request", reference?.requestId),
        ...field("trace", reference?.traceId),
        ...field("corr.", reference?.correlationId),
        ...field("at", reference?.timestamp)
      ]
    }
    case "Transient": {
      const { detail, retryAt } = reason
      const again =
        retryAt === undefined
          ? undefined
          : `${printDistance(retryAt, now)}, at ${printTime(retryAt)}`
      return [...field("why", detail), ...field("again", again)]
    }
    case "Malformed":
      return field("why", reason.detail)
  }
}

/** The same for machines. */
export const json = (failure: Failure): Readonly<Record<string, unknown>> => {
  if (failure._tag === "UsageError")
    return { error: "UsageError", problem: failure.problem, hint: failure.hint }
  if (failure._tag === "ConfigError") {
    return { error: "ConfigError", file: failure.file, problems: failure.problems }
  }
  const { adapter, reason, stage } = failure
  const { _tag: error, ...rest } = reason
  return { error, adapter, stage, ...rest }
}

/** Tells a failure on standard error, and stops with its status. */
export const report =
  (options: { readonly json: boolean }) =>
  <A, E, R>(effect: Effect.Effect<A, E | Failure, R>) =>
    Effect.catchIf(
      effect,
      (error): error is Failure =>
        error instanceof FederationError ||
        error instanceof ConfigError ||
        error instanceof UsageError,
      Effect.fnUntraced(function* (failure) {
        yield* Console.error(
          options.json
            ? JSON.stringify(json(failure), null, 2)
            : lines(failure, Date.now()).join("\n")
        )
        return yield* new Stopped({ code: exitCode(failure) })
      })
    )
