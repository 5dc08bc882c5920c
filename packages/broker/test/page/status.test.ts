import { assert, describe, it } from "@effect/vitest"
import { RefreshPolicy, Rejected } from "@federate/core"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Page } from "playwright-core"
import { launch, open, overflows, patience } from "../browser.ts"
import { needs } from "../../../../scripts/debian.ts"
import { assertions, keys, serving, tokens } from "../serving.ts"

/** Waits until the page shows a text, wherever it is. */
const shows = (page: Page, text: string) =>
  Effect.promise(() => page.getByText(text, { exact: true }).first().waitFor())

const textOf = (page: Page, selector: string) =>
  Effect.promise(() => page.locator(selector).first().innerText())

const rejected = new Rejected({
  code: "AADSTS700213",
  description: "No matching federated identity record found.",
  hint: "Set the subject of the federated credential.",
  remedy: "none"
})

const refresh = RefreshPolicy.make({ freshPart: 0.5, jitter: 0 })

const several = Effect.gen(function* () {
  const graph = yield* tokens("graph", {
    cloud: "azure",
    source: "cognito",
    exchanger: "entra",
    refresh
  })
  const bucket = yield* keys("bucket")
  const plain = yield* assertions("plain")
  const heard = yield* serving([graph.served, bucket.served, plain.served])
  return { ...heard, graph, bucket, plain }
})

describe.skipIf(!needs("/usr/bin/chromium", "chromium"))("the page at /, in Chromium", () => {
  it.effect(
    "shows each flow with its hops, and what it remembers",
    () =>
      Effect.gen(function* () {
        const { bucket, graph, origin } = yield* several
        yield* graph.served.flow.credential({ scopes: ["https://graph.microsoft.com/.default"] })
        yield* bucket.served.flow.credential()
        yield* TestClock.adjust("22 minutes")
        const { page, wrong } = yield* open(yield* launch, origin)
        yield* shows(page, "Live")
        const [first, second, third] = yield* Effect.promise(() =>
          page.locator("article").allInnerTexts()
        )
        for (const text of [
          "graph",
          "for Azure",
          "cognito",
          "Assertion",
          "entra",
          "Access token",
          "Fresh",
          "https://graph.microsoft.com/.default",
          "22 min old",
          "ends in 38 min",
          "in 8 min"
        ]) {
          assert.include(first, text)
        }
        assert.include(second, "AWS credentials")
        assert.include(third, "Nobody has asked yet")
        assert.deepEqual(wrong, [])
      }),
    patience
  )

  it.effect(
    "follows a flow that fails and heals, and says so to who cannot see it",
    () =>
      Effect.gen(function* () {
        const { graph, origin } = yield* several
        const { page, wrong } = yield* open(yield* launch, origin)
        yield* shows(page, "Live")
        graph.upstream.before = Effect.fail(rejected)
        yield* Effect.exit(graph.served.flow.credential())
        yield* shows(page, "Failing")
        yield* shows(page, rejected.code)
        yield* shows(page, rejected.hint)
        assert.strictEqual(yield* textOf(page, "[data-failed=true] b"), "entra")
        assert.strictEqual(yield* textOf(page, "[aria-live]"), "graph: Failing")

        graph.upstream.before = Effect.void
        yield* TestClock.adjust("10 seconds")
        yield* graph.served.flow.credential()
        yield* shows(page, "Fresh")
        assert.strictEqual(yield* Effect.promise(() => page.locator(".failure:visible").count()), 0)
        assert.deepEqual(wrong, [])
      }),
    patience
  )

  it.effect(
    "follows a credential through its life",
    () =>
      Effect.gen(function* () {
        const { graph, origin } = yield* several
        yield* graph.served.flow.credential()
        const { page } = yield* open(yield* launch, origin)
        yield* shows(page, "0 s old")
        yield* TestClock.adjust("40 minutes")
        yield* shows(page, "Stale")
        graph.upstream.before = Effect.never
        yield* graph.served.flow.credential()
        yield* shows(page, "Refreshing")
        yield* TestClock.adjust("5 seconds")
        graph.upstream.before = Effect.void
        yield* TestClock.adjust("1 minute")
        yield* graph.served.flow.credential()
        yield* shows(page, "Fresh")
        assert.strictEqual(
          yield* Effect.promise(() => page.locator(".life").first().getAttribute("aria-label")),
          "0 s old; fresh until 30 min, over at 1 h"
        )
      }),
    patience
  )

  it.effect(
    "says when the broker cannot be reached, and goes on when it can again",
    () =>
      Effect.gen(function* () {
        const graph = yield* tokens("graph")
        const scope = yield* Scope.make()
        const first = yield* Scope.provide(serving([graph.served]), scope)
        const { page } = yield* open(yield* launch, first.origin)
        yield* shows(page, "Live")
        yield* Scope.close(scope, Exit.void)
        yield* Effect.promise(() => page.getByText("The broker cannot be reached since").waitFor())
        assert.include(yield* textOf(page, "article"), "graph")
        const port = Number(new URL(first.origin).port)
        yield* serving([graph.served], {}, { host: "127.0.0.1", port })
        yield* shows(page, "Live")
      }),
    patience
  )

  it.effect(
    "shows hostile names and errors as text",
    () =>
      Effect.gen(function* () {
        const hostile = (name: string) =>
          `<img src=x onerror="document.title='${name}'"><script>document.title='${name}'</script>`
        const { served, upstream } = yield* tokens(hostile("name"), {
          source: hostile("source"),
          exchanger: hostile("exchanger")
        })
        upstream.before = Effect.fail(
          new Rejected({
            code: hostile("code"),
            description: hostile("description"),
            hint: hostile("hint"),
            remedy: "none"
          })
        )
        yield* Effect.exit(served.flow.credential({ scopes: [hostile("scope")] }))
        yield* Effect.exit(served.flow.credential({ audience: hostile("audience") }))
        const { origin } = yield* serving([served])
        const { page, wrong } = yield* open(yield* launch, origin)
        for (const name of [
          "name",
          "source",
          "exchanger",
          "code",
          "description",
          "hint",
          "scope"
        ]) {
          yield* shows(page, hostile(name))
        }
        yield* shows(page, `audience ${hostile("audience")}`)
        assert.strictEqual(yield* Effect.promise(() => page.title()), "Federate broker")
        assert.strictEqual(yield* Effect.promise(() => page.locator("img").count()), 0)
        assert.deepEqual(wrong, [])
      }),
    patience
  )

  it.effect(
    "says that there is no flow",
    () =>
      Effect.gen(function* () {
        const { origin } = yield* serving([])
        const { page, wrong } = yield* open(yield* launch, origin)
        yield* Effect.promise(() => page.getByText("No flow is served here.").waitFor())
        assert.deepEqual(wrong, [])
      }),
    patience
  )

  it.effect(
    "keeps many requests behind a click, open once it is opened",
    () =>
      Effect.gen(function* () {
        const { served } = yield* tokens("graph")
        yield* Effect.forEach(Array.from({ length: 120 }), (_, index) =>
          served.flow.credential({ scopes: [`scope-${index}`] })
        )
        const { origin } = yield* serving([served])
        const { page } = yield* open(yield* launch, origin)
        const visible = page.locator(".request:visible")
        yield* shows(page, "117 more, 20 of them not told")
        assert.strictEqual(yield* Effect.promise(() => visible.count()), 3)
        yield* Effect.promise(() => page.locator("summary").press("Enter"))
        assert.strictEqual(yield* Effect.promise(() => visible.count()), 100)
        yield* TestClock.adjust("5 minutes")
        yield* shows(page, "5 min old")
        assert.strictEqual(yield* Effect.promise(() => visible.count()), 100)
      }),
    patience
  )

  for (const colorScheme of ["light", "dark"] as const) {
    it.effect(
      `is readable in ${colorScheme}, on a phone too`,
      () =>
        Effect.gen(function* () {
          const { bucket, graph, origin, plain } = yield* several
          graph.upstream.before = Effect.fail(rejected)
          yield* Effect.exit(graph.served.flow.credential({ scopes: [`s/${"long".repeat(100)}`] }))
          yield* bucket.served.flow.credential()
          yield* TestClock.adjust("55 minutes")
          bucket.upstream.before = Effect.never
          yield* bucket.served.flow.credential()
          yield* plain.served.flow.credential({ audience: "a".repeat(300) })
          const browser = yield* launch
          for (const path of ["/", "/docs"]) {
            const { page, wrong } = yield* open(browser, `${origin}${path}`, {
              colorScheme,
              viewport: { width: 390, height: 844 }
            })
            yield* Effect.promise(() => page.locator("article").first().waitFor())
            assert.isFalse(yield* overflows(page), path)
            const [dark, ...poor] = yield* contrasts(page)
            assert.strictEqual(dark, colorScheme)
            assert.deepEqual(poor, [])
            assert.deepEqual(wrong, [])
          }
        }),
      patience
    )
  }
})

/** The scheme that the page is in, and each text whose contrast is under 4.5 (WCAG 2.2, 1.4.3). */
const contrasts = (page: Page) =>
  Effect.promise(() =>
    page.evaluate<ReadonlyArray<string>>(`(() => {
      const parse = (colour) => colour.match(/[\\d.]+/g).map(Number)
      const light = (colour) => {
        const [r, g, b] = parse(colour).map((part) => {
          const share = part / 255
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const behind = (node) => {
        for (let each = node; each !== null; each = each.parentElement) {
          const colour = getComputedStyle(each).backgroundColor
          if (parse(colour)[3] !== 0) return colour
        }
        return "rgb(255, 255, 255)"
      }
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
      const poor = []
      while (walker.nextNode()) {
        const { parentElement: node, textContent } = walker.currentNode
        if (textContent.trim() === "" || !node.checkVisibility()) continue
        const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x)
        const contrast = (a + 0.05) / (b + 0.05)
        if (contrast < 4.5) poor.push(contrast.toFixed(2) + " " + textContent)
      }
      const body = getComputedStyle(document.body)
      return [light(body.color) > light(body.backgroundColor) ? "dark" : "light", ...poor]
    })()`)
  )
