/** Errors as a person wants them: what failed, at which step, the other side's code and words, the fix, the ids. */
import { ConfigError } from "@federate/config"
import { FederationError } from "@federate/core"
import type { Reason } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { printable } from "./printable.ts"
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

/** As wide as the longest name of a field. */
const nameWidth = 11

const field = (name: string, value: string | undefined): ReadonlyArray<string> =>
  value === undefined
    ? []
    : value
        .split(/\r?\n/)
        .map(
          (line, index) =>
            `  ${dim((index === 0 ? name : "").padEnd(nameWidth))}  ${printable(line)}`
        )

/** The lines for a terminal. */
export const lines = (failure: Failure, now: number): ReadonlyArray<string> => {
  switch (failure._tag) {
    case "UsageError":
      return [`${red("✗")} ${bold(printable(failure.problem))}`, ...field("fix", failure.hint)]
    case "ConfigError":
      return [
        `${red("✗")} ${bold(`${printable(failure.file)} cannot be used`)}`,
        ...failure.problems.map(
          ({ message, path }) => `  ${path === "" ? "" : `${path}: `}${printable(message)}`
        )
      ]
    case "FederationError": {
      const { adapter, reason, stage } = failure
      return [
        `${red("✗")} ${bold(`${adapter} ${headlines[reason._tag]}`)}, ${steps[stage]}`,
        ...reasonLines(reason, now)
      ]
    }
  }
}

const reasonLines = (reason: Reason, now: number): ReadonlyArray<string> => {
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
        ...field("correlation", reference?.correlationId),
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

/** The same for machines: `error` and `message` always, and what else is known. */
export const json = (failure: Failure): Readonly<Record<string, unknown>> => {
  const { message } = failure
  switch (failure._tag) {
    case "UsageError":
      return { error: "UsageError", message, problem: failure.problem, hint: failure.hint }
    case "ConfigError":
      return { error: "ConfigError", message, file: failure.file, problems: failure.problems }
    case "FederationError": {
      const { adapter, reason, stage } = failure
      const { _tag: error, ...rest } = reason
      return { error, message, adapter, stage, ...rest }
    }
  }
}

export interface Options {
  readonly json: boolean
}

/** Tells a failure on standard error. */
export const told = (failure: Failure, options: Options): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Console.error(
      options.json ? JSON.stringify(json(failure), null, 2) : lines(failure, now).join("\n")
    )
  )

const isFailure = (error: unknown): error is Failure =>
  error instanceof FederationError || error instanceof ConfigError || error instanceof UsageError

/** sysexits.h's EX_SOFTWARE. */
const ownFault = 70

/**
 * What nobody foresaw: one line. Not its message, which may quote what was being handled; where it happened is in the
 * debug log.
 */
const confess = Effect.fnUntraced(function* (defect: unknown, options: Options) {
  const name = defect instanceof Error ? defect.name : typeof defect
  const message = `This is a fault of federate's own (${name}); --log-level debug tells where it happened`
  yield* Console.error(
    options.json
      ? JSON.stringify({ error: "InternalError", message }, null, 2)
      : `${red("✗")} ${bold(message)}`
  )
  yield* Effect.logDebug(
    defect instanceof Error ? (defect.stack ?? "").split("\n").filter(isFrame).join("\n") : ""
  )
  return yield* new Stopped({ code: ownFault })
})

/** A place in a file: a message of several lines does not pass for one. */
const isFrame = (line: string): boolean => /^ {4}at .*:\d+:\d+\)?$/.test(line)

/** Tells what goes wrong on standard error, and stops with its status. */
export const report =
  (options: Options) =>
  <A, E, R>(effect: Effect.Effect<A, E | Failure, R>) =>
    effect.pipe(
      Effect.catchIf(isFailure, (failure) =>
        Effect.andThen(told(failure, options), new Stopped({ code: exitCode(failure) }))
      ),
      Effect.catchDefect((defect) => confess(defect, options))
    )
