import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { launch, open, patience } from "../browser.ts"
import { needs } from "../../../../scripts/debian.ts"
import { serving } from "../serving.ts"

describe("the page at /docs", () => {
  it.live("tells each path, parameter, answer and schema of the document", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving([])
      const { text } = yield* ask("/docs")
      const document = (yield* ask("/openapi.json")).json() as {
        readonly paths: Record<string, { readonly get: { readonly responses: object } }>
        readonly components: { readonly schemas: Record<string, { readonly properties?: object }> }
      }
      for (const [path, { get }] of Object.entries(document.paths)) {
        assert.include(text, `<code>GET ${path}</code>`)
        for (const status of Object.keys(get.responses)) {
          assert.include(text, `<code>${status}</code>`)
        }
      }
      for (const [name, { properties = {} }] of Object.entries(document.components.schemas)) {
        assert.include(text, `id="${name}"`)
        for (const property of Object.keys(properties)) {
          assert.include(text, `<code>${property}</code>`)
        }
      }
    })
  )

  describe.skipIf(!needs("/usr/bin/chromium", "chromium"))("in Chromium", () => {
    it.live(
      "leads to each schema that it names, and loads nothing",
      () =>
        Effect.gen(function* () {
          const { origin } = yield* serving([])
          const { page, wrong } = yield* open(yield* launch, `${origin}/docs`)
          const lost = yield* Effect.promise(() =>
            page.evaluate<ReadonlyArray<string>>(
              `[...document.querySelectorAll("a[href^='#']")].map((link) => link.hash.slice(1))
                .filter((id) => document.getElementById(id) === null)`
            )
          )
          assert.deepEqual(lost, [])
          assert.deepEqual(wrong, [])
        }),
      patience
    )
  })
})
