/** A request whose parameters are a form in its body (RFC 6749 §3.2). */
import type { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import { refusal } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"
import { bodyTimeout, maximumBody } from "./limits.ts"
import type { Call, Route } from "./Route.ts"

/** The body of a form: at most 64 KiB, within 5 s. */
const form = ({ headers, request }: Call): Effect.Effect<string, Refusal> => {
  const type = headers.contentType?.split(";", 1)[0]!.trim().toLowerCase()
  return type === "application/x-www-form-urlencoded"
    ? body(request).pipe(
        Effect.timeoutOrElse({
          duration: bodyTimeout,
          orElse: () => Effect.fail(refusal("invalid_request", "The body did not come in time."))
        })
      )
    : Effect.fail(
        refusal("invalid_request", "The body must be a form: application/x-www-form-urlencoded.")
      )
}

const body = (request: IncomingMessage): Effect.Effect<string, Refusal> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const stop = (): void => {
      request.off("data", data).off("end", end).off("error", error)
    }
    const data = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= maximumBody) {
        chunks.push(chunk)
        return
      }
      stop()
      resume(Effect.fail(refusal("too_large", `The body is over ${maximumBody} bytes.`)))
    }
    const end = (): void => {
      stop()
      resume(Effect.succeed(Buffer.concat(chunks).toString("utf8")))
    }
    const error = (): void => {
      stop()
      resume(Effect.fail(refusal("invalid_request", "The body was cut off.")))
    }
    request.on("data", data).on("end", end).on("error", error)
    return Effect.sync(stop)
  })

/** The same route, asked by a form instead of a query. */
export const posted = (route: Route): Route => ({
  ...route,
  method: "POST",
  handle: (call) =>
    form(call).pipe(
      Effect.flatMap((query) => {
        const answer = route.handle({ ...call, query })
        return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
      }),
      Effect.catch((refused) => Effect.succeed(route.refuse(refused)))
    )
})
