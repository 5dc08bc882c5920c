/** A sandbox for a file's tests. */
import { Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { afterAll, beforeAll } from "vitest"

/** One sandbox for all tests of the file, running from before the first until after the last. */
export const running = (options?: Options): (() => Sandbox.Sandbox) => {
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  beforeAll(async () => {
    sandbox = await Sandbox.start(options)
  })
  afterAll(() => sandbox?.[Symbol.asyncDispose]())
  return () => {
    assert.isDefined(sandbox)
    return sandbox
  }
}

/** How many rounds of the event loop are given to what never comes: some seconds. */
const patience = 4000

/** Lets sockets and promises do their work, without time passing, until something holds. */
export const until = Effect.fnUntraced(function* (
  condition: (() => boolean) | Effect.Effect<boolean>
) {
  const holds = typeof condition === "function" ? Effect.sync(condition) : condition
  for (let round = 0; round < patience && !(yield* holds); round++) {
    yield* Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))
    yield* TestClock.adjust(0)
  }
  assert.isTrue(yield* holds)
})

/** A JSON document, which must be there. */
export const read = async <A>(url: string, init: RequestInit = {}): Promise<A> => {
  const response = await fetch(url, init)
  assert.strictEqual(response.status, 200)
  // The test that asks says what it expects, and fails on anything else.
  return (await response.json()) as A
}

/** Graph with the administrator's token, or another. */
export const graph = (sandbox: Sandbox.Sandbox, bearer = sandbox.entra.adminToken) => {
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ) =>
    fetch(`${sandbox.http}/v1.0/${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
  const json = async (status: number, call: Promise<Response>) => {
    const response = await call
    const text = await response.text()
    assert.strictEqual(response.status, status, text)
    // Graph's objects; the test that asks says which properties it expects.
    return (text === "" ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>
  }
  return {
    send,
    get: (path: string) => json(200, send("GET", path)),
    create: (path: string, body: unknown) => json(201, send("POST", path, body)),
    patch: (path: string, body: unknown) => json(204, send("PATCH", path, body)),
    remove: (path: string) => json(204, send("DELETE", path)),
    /** Graph's code and text for a call that it refuses. */
    refused: async (status: number, ...call: Parameters<typeof send>) => {
      const { error } = await json(status, send(...call))
      assert.hasAllKeys(error, ["code", "message", "innerError"])
      return error as { readonly code: string; readonly message: string }
    }
  }
}
