/** The exporters behind OpenTelemetry's variables. */
import { platformFetch } from "@federate/http"
import * as ConfigProvider from "effect/ConfigProvider"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type * as Scope from "effect/Scope"
import type { Environment } from "./telemetry.ts"

const protocols = {
  "http/protobuf": OtlpSerialization.layerProtobuf,
  "http/json": OtlpSerialization.layerJson
}

const isSpoken = (protocol: string): protocol is keyof typeof protocols => protocol in protocols

/** What OpenTelemetry's specification says where a variable does not, and its name for this service. */
const defaults = (environment: Environment): Environment => ({
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_METRICS_EXPORTER: "otlp",
  ...(!/(^|,)\s*service\.name\s*=/.test(environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "") && {
    OTEL_SERVICE_NAME: "federate-server"
  })
})

/** As the adapters' requests, by a proxy where one is named. The client hands over a URL, whatever else `fetch` takes. */
const throughProxy: typeof globalThis.fetch = (url, init = {}) => platformFetch(String(url), init)

const defaultInterval = 60_000

/** The longest that a timer takes, in milliseconds: metrics are exported when they were observed, and not before. */
const never = 2 ** 31 - 1

export const exporters = Effect.fnUntraced(function* (
  environment: Environment,
  observe: Effect.Effect<void>
): Effect.fn.Return<Context.Context<never>, never, Scope.Scope> {
  const signal = (
    name: "TRACES" | "METRICS",
    exporter: Layer.Layer<
      OtlpExporter.Flusher,
      never,
      Layer.Services<ReturnType<typeof OtlpTracer.layerFromConfig>>
    >
  ) => {
    const protocol =
      environment[`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`] ??
      environment["OTEL_EXPORTER_OTLP_PROTOCOL"] ??
      "http/protobuf"
    return isSpoken(protocol)
      ? Layer.provide(exporter, protocols[protocol])
      : Layer.provideMerge(
          Layer.effectDiscard(
            Effect.logError(
              `OTLP is spoken by ${Object.keys(protocols).join(" and ")}: set OTEL_EXPORTER_OTLP_PROTOCOL to one of them, and the endpoint to its port. No ${name.toLowerCase()} are exported.`
            )
          ),
          OtlpExporter.layerFlusher
        )
  }
  const context = yield* Layer.build(
    Layer.mergeAll(
      signal("TRACES", OtlpTracer.layerFromConfig()),
      signal("METRICS", OtlpMetrics.layerFromConfig())
    ).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.succeed(FetchHttpClient.Fetch, throughProxy)),
      Layer.provide(
        ConfigProvider.layer(
          ConfigProvider.fromEnv({
            env: {
              ...defaults(environment),
              ...environment,
              OTEL_METRIC_EXPORT_INTERVAL: String(never)
            }
          })
        )
      )
    )
  )
  // Before the exporters' own end, which is their last export.
  yield* Effect.addFinalizer(() => observe)
  const interval = Number(environment["OTEL_METRIC_EXPORT_INTERVAL"] ?? defaultInterval)
  yield* Effect.sleep(interval).pipe(
    Effect.andThen(observe),
    Effect.andThen(OtlpExporter.Flusher.use(({ flush }) => flush)),
    Effect.forever,
    Effect.provideContext(context),
    Effect.forkScoped
  )
  return context
})
