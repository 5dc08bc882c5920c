/** A real browser: Debian's Chromium. Without it the tests of the pages fail. */
import { chromium } from "playwright-core"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { Effect } from "effect"
import type { Scope } from "effect"

/** Long enough for a loaded machine with two cores, in milliseconds. */
export const patience = 60_000

export const launch: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() =>
    chromium.launch({
      executablePath: "/usr/bin/chromium",
      timeout: patience,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync"
      ]
    })
  ),
  (browser) => Effect.promise(() => browser.close())
)

/** A page, and everything that went wrong on it or left its origin. */
export const open = Effect.fnUntraced(function* (
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {}
) {
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext(options)),
    (opened) => Effect.promise(() => opened.close())
  )
  context.setDefaultTimeout(patience / 2)
  const page = yield* Effect.promise(() => context.newPage())
  const wrong: Array<string> = []
  const { origin } = new URL(address)
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text())
  })
  page.on("pageerror", (error) => wrong.push(error.message))
  page.on("request", (request) => {
    const { origin: asked, protocol } = new URL(request.url())
    if (asked !== origin && protocol !== "data:") wrong.push(request.url())
  })
  const answer = yield* Effect.promise(() => page.goto(address))
  return { page, wrong, answer }
})

/** Whether something can be scrolled to that is not in view from left to right. */
export const overflows = (page: Page): Effect.Effect<boolean> =>
  Effect.promise(() =>
    page.evaluate<boolean>(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
  )
