/** Amazon Cognito's client of the AWS SDK: loaded at the first call, kept, and called over the guarded fetch. */
import type {
  CognitoIdentityClient,
  CognitoIdentityClientConfig
} from "@aws-sdk/client-cognito-identity"
import { Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import { platformFetch } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { classifyUnsent } from "./classify.ts"
import { requestHandler } from "./handler.ts"

type Sdk = typeof import("@aws-sdk/client-cognito-identity")

export interface ClientOptions {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly credentials?: CognitoIdentityClientConfig["credentials"] | undefined
  readonly fetch?: Fetch | undefined
}

/** What came of a call: the answer as it was read, and its output when the SDK takes it for a good one. */
interface Called<Output> {
  readonly answer: HttpAnswer
  readonly output: Output | undefined
}

export interface Client {
  /** One call, no retries. */
  readonly call: <Output>(
    send: (client: CognitoIdentityClient, sdk: Sdk, signal: AbortSignal) => Promise<Output>
  ) => Effect.Effect<Called<Output>, Reason>
}

export const makeClient = Effect.fnUntraced(function* (
  options: ClientOptions
): Effect.fn.Return<Client> {
  const clock = yield* Clock.Clock
  const { answers, ...handler } = requestHandler(options.fetch ?? platformFetch, () =>
    clock.currentTimeMillisUnsafe()
  )
  let loaded: ReturnType<typeof load> | undefined

  const load = async () => {
    const sdk = await import("@aws-sdk/client-cognito-identity")
    const client: CognitoIdentityClient = new sdk.CognitoIdentityClient({
      region: options.region,
      // Retries are the flow's.
      maxAttempts: 1,
      requestHandler: handler,
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(options.credentials !== undefined && { credentials: options.credentials })
    })
    return { client, sdk }
  }

  return {
    call: Effect.fnUntraced(function* (send) {
      const called = yield* Effect.promise(async (signal) => {
        try {
          const { client, sdk } = await (loaded ??= load())
          return { signal, output: await send(client, sdk, signal), error: undefined }
        } catch (error) {
          return { signal, output: undefined, error }
        }
      })
      const kept = answers.get(called.signal)
      if (kept === undefined) return yield* Effect.fail(classifyUnsent(called.error))
      const answer = yield* Effect.fromResult(kept)
      if (isSkewCorrected(called.error)) return yield* Effect.fail(skewCorrected(answer))
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
