/** A client of the AWS SDK: loaded at the first call, kept, and called over the guarded fetch. */
import { Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import { platformFetch } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { classifyUnsent } from "./classify.ts"
import { requestHandler } from "./handler.ts"

/** What every client is made with. */
export interface Configuration {
  /** Retries are the flow's. */
  readonly maxAttempts: 1
  readonly requestHandler: Pick<ReturnType<typeof requestHandler>, "handle">
}

export interface ClientOptions<Loaded> {
  /** The setting to look at when no request can be made: the adapter's `type`. */
  readonly setting: string
  /** Imports the SDK's package, and makes its client. Called once, by the first call. */
  readonly load: (configuration: Configuration) => Promise<Loaded>
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

/** What came of a call: the answer as it was read, and its output when the SDK takes it for a good one. */
interface Called<Output> {
  readonly answer: HttpAnswer
  readonly output: Output | undefined
}

export interface Client<Loaded> {
  /** One call, no retries. The signal is for the SDK's `abortSignal`. */
  readonly call: <Output>(
    send: (loaded: Loaded, signal: AbortSignal) => Promise<Output>
  ) => Effect.Effect<Called<Output>, Reason>
}

export const makeClient = Effect.fnUntraced(function* <Loaded>(
  options: ClientOptions<Loaded>
): Effect.fn.Return<Client<Loaded>> {
  const clock = yield* Clock.Clock
  const { answers, handle } = requestHandler(options.fetch ?? platformFetch, () =>
    clock.currentTimeMillisUnsafe()
  )
  let loaded: Promise<Loaded> | undefined

  return {
    call: Effect.fnUntraced(function* (send) {
      const called = yield* Effect.promise(async (signal) => {
        try {
          loaded ??= options.load({ maxAttempts: 1, requestHandler: { handle } })
          return { signal, output: await send(await loaded, signal), error: undefined }
        } catch (error) {
          return { signal, output: undefined, error }
        }
      })
      const kept = answers.get(called.signal)
      if (kept === undefined)
        return yield* Effect.fail(classifyUnsent(called.error, options.setting))
      const answer = yield* Effect.fromResult(kept)
      if (answer.status >= 400 && isSkewCorrected(called.error))
        return yield* Effect.fail(skewCorrected(answer))
      return { answer, output: called.output }
    })
  }
})

/** The SDK has found that its signature was refused for the clock, and reckons with the difference from now on. */
const isSkewCorrected = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "$metadata" in error &&
  typeof error.$metadata === "object" &&
  error.$metadata !== null &&
  "clockSkewCorrected" in error.$metadata &&
  error.$metadata.clockSkewCorrected === true

const skewCorrected = ({ status }: HttpAnswer): Transient =>
  new Transient({
    detail: "This machine's clock is too far off for AWS; the AWS SDK now reckons with it",
    status
  })
