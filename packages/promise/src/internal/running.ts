/** How effects run behind promises. */
import type * as Core from "@federate/core"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import type { AbortSignalLike } from "../AbortSignalLike.ts"
import * as translate from "./translate.ts"

/** What a flow warns of goes where Node's own warnings go, and never to standard output. */
const logger = Logger.make(({ message }) => {
  process.emitWarning([message].flat().join(" "), "FederateWarning")
})

const fork = Effect.runForkWith(Context.make(Logger.CurrentLoggers, new Set([logger])))

/** Throws what `signal.reason` says, once it is aborted. */
export const throwIfAborted = (signal: AbortSignalLike | undefined): void => {
  if (signal?.aborted === true) throw abortion(signal)
}

const abortion = (signal: AbortSignalLike): unknown =>
  signal.reason ?? new DOMException("This operation was aborted", "AbortError")

/**
 * Rejects with a plain error; the signal interrupts. The error is made where it is awaited, so that its stack leads to
 * who called.
 */
export const run = async <A>(
  effect: Effect.Effect<A, Core.FederationError>,
  signal?: AbortSignalLike
): Promise<A> => {
  throwIfAborted(signal)
  const exit = await ended(fork(effect), signal)
  if (Exit.isSuccess(exit)) return exit.value
  throw failure(exit.cause)
}

const ended = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  signal: AbortSignalLike | undefined
): Promise<Exit.Exit<A, E>> =>
  new Promise((resolve, reject) => {
    const abort = () => {
      // Before the fiber's own end is heard of.
      reject(abortion(signal!))
      fiber.interruptUnsafe()
    }
    signal?.addEventListener("abort", abort)
    fiber.addObserver((exit) => {
      signal?.removeEventListener("abort", abort)
      resolve(exit)
    })
  })

/** Starts what usually ends at once: throws when it has failed by then. */
export const start = <A>(effect: Effect.Effect<A, Core.FederationError>) => {
  const fiber: Fiber.Fiber<A, Core.FederationError> = fork(effect)
  const exit = fiber.pollUnsafe()
  if (exit !== undefined && Exit.isFailure(exit)) throw failure(exit.cause)
  return fiber
}

/** What is no error of ours is a defect, and stays what it is. */
const failure = (cause: Cause.Cause<Core.FederationError>): unknown => {
  const squashed = Cause.squash(cause)
  return isOurs(squashed) ? translate.error(squashed) : squashed
}

const isOurs = (error: unknown): error is Core.FederationError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "FederationError"
