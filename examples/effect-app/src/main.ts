import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Logger } from "effect"
import { FetchHttpClient } from "effect/http"
import { listApplications } from "./applications.ts"
import { GraphFlow } from "./GraphFlow.ts"

// Under the flow and not beside it: a flow's own warnings go where the logs of who made it go.
const services = Layer.mergeAll(GraphFlow.layer, FetchHttpClient.layer).pipe(
  Layer.provideMerge(Logger.layer([Logger.consoleJson]))
)

listApplications.pipe(Effect.provide(services), NodeRuntime.runMain)
