/** The broker's own API and its pages, as routes. What they need is loaded when they are first asked for. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { answer, problem } from "../Answer.ts"
import type { Document } from "../page/Document.ts"
import type { Route } from "../Route.ts"
import type { Options } from "./serve.ts"

/** @param pageHeaders names and values in turn, on the page at `/` */
export const routes = (
  options: Options,
  pageHeaders: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<readonly [string, Route]>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const served = yield* Effect.promise(() => import("./serve.ts")).pipe(
      Effect.flatMap(({ serve }) => serve(options)),
      Scope.provide(scope),
      // Who asks first and leaves leaves nothing half made to the others.
      Effect.uninterruptible,
      Effect.cached
    )
    const own: Route = {
      protocol: "api",
      method: "GET",
      refuse: problem,
      handle: (call) => Effect.flatMap(served, (serve) => serve(call))
    }
    const open: Route = { ...own, pages: true }
    return [
      ["/v1", { ...own, below: true }],
      ["/v1/flows", open],
      ["/openapi.json", open],
      ["/docs", page(() => import("../page/reference.ts").then(({ reference }) => reference))],
      ["/", page(() => import("../page/status.ts").then(({ status }) => status), pageHeaders)]
    ]
  })

const page = (load: () => Promise<Document>, more: ReadonlyArray<string> = []): Route => ({
  protocol: "page",
  method: "GET",
  pages: true,
  refuse: problem,
  handle: () =>
    Effect.map(Effect.promise(load), ({ headers, html }) =>
      answer(200, "text/html; charset=utf-8", html, [...headers, ...more])
    )
})
