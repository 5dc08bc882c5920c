/** Traces and metrics over OTLP, as OpenTelemetry's own variables say. Nothing of it is loaded where they name no endpoint. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Variables by name; one that is empty is not set (OpenTelemetry's specification of its environment variables). */
export type Environment = Readonly<Record<string, string>>

const endpoints = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
]

/**
 * The surroundings in which spans are exported, and metrics, until the scope closes.
 *
 * @param observe writes into the metrics what is only counted; it is run before each export
 */
export const telemetry = Effect.fnUntraced(function* (
  variables: NodeJS.ProcessEnv,
  observe: Effect.Effect<void>
): Effect.fn.Return<Context.Context<never>, never, Scope.Scope> {
  const environment: Environment = Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value]] : []))
  )
  if (
    environment["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" ||
    !endpoints.some((name) => environment[name] !== undefined)
  ) {
    return Context.empty()
  }
  const { exporters } = yield* Effect.promise(() => import("./otlp.ts"))
  return yield* exporters(environment, observe).pipe(
    // What is wrong with them is no reason not to hand out tokens.
    Effect.catchCause((cause) =>
      Effect.as(
        Effect.logError("The OTEL_ variables cannot be used: nothing is exported", cause),
        Context.empty()
      )
    )
  )
})
