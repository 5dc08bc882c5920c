/** One path of the broker: who may ask it what, and how it says no. */
import type { IncomingMessage } from "node:http"
import type * as Effect from "effect/Effect"
import type { Answer, Refusal } from "./Answer.ts"
import type { Headers } from "./Headers.ts"

export interface Call {
  readonly request: IncomingMessage
  readonly headers: Headers
  readonly path: string
  /** Without the `?`; empty when there is none. */
  readonly query: string
  /** The way in: `loopback`, or a socket's name. */
  readonly caller: string
}

export interface Route {
  /** What it speaks: stands in the audit and in the metrics. */
  readonly protocol: string
  readonly method: "GET" | "POST" | "PUT"
  /** Whether pages of the broker's own may ask. Default: no. */
  readonly pages?: boolean
  /** Whether its path may be written in any case. Default: no. */
  readonly anyCase?: boolean
  /** Whether every path below its own, which has one segment, is its too. Default: no. */
  readonly below?: boolean
  /** At once when it can be, else as an effect that ends within the broker's patience. */
  readonly handle: (call: Call) => Answer | Effect.Effect<Answer>
  /** Says no in the protocol's own shape. */
  readonly refuse: (refusal: Refusal) => Answer
}

/** By path, each with and without a slash at its end: some SDKs write one before the query. */
export type Table = ReadonlyMap<string, Route>

export const table = (routes: Iterable<readonly [path: string, route: Route]>): Table => {
  const found = new Map<string, Route>()
  for (const [path, route] of routes) {
    found.set(path, route)
    found.set(path.endsWith("/") ? path.slice(0, -1) || "/" : `${path}/`, route)
  }
  return found
}
