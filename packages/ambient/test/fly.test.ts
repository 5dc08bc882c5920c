import { once } from "node:events"
import { createServer } from "node:http"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fly } from "@federate/ambient"
import { ambientSourceContract, assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const iss = "https://oidc.fly.io/org"
const tokenFor = (aud: string) =>
  Redacted.value(assertionFor("org:app:machine", 0, { iss, aud }).token)
const jwt = tokenFor("https://fly.io/org")

assertionSourceContract("Fly.io", {
  make: (fetch) => fly({ fetch }),
  well: (token) => new Response(token),
  assertion: jwt,
  life: 900,
  secrets: [],
  refused: [
    {
      name: "a machine that may not",
      answer: () => Response.json({ error: "unauthorized" }, { status: 401 }),
      becomes: "Rejected",
      code: "HTTP 401"
    },
    {
      name: "an audience that is none",
      answer: () => Response.json({ error: "invalid audience" }, { status: 400 }),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /audience/
    }
  ]
})

/** A machine's API on a socket of its own, and what it was asked. */
const machine = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
    (made) => Effect.promise(() => rm(made, { recursive: true }))
  )
  const socket = join(directory, "api")
  const asked: Array<string> = []
  const server = createServer(async (request, response) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    asked.push(`${request.method} ${request.url} ${body}`)
    const { aud = "https://fly.io/org" } = JSON.parse(body) as { readonly aud?: string }
    response.writeHead(200, { date: new Date(0).toUTCString() }).end(tokenFor(aud))
  }).listen(socket)
  yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
  yield* Effect.promise(() => once(server, "listening"))
  return { asked, socket }
})

ambientSourceContract("A machine's own API", {
  make: Effect.flatMap(machine, ({ socket }) => fly({ socket })),
  assertion: jwt,
  life: 900,
  refused: [
    {
      name: "no machine of Fly's",
      make: fly({ socket: "/nowhere/api" }),
      becomes: "Unavailable",
      hint: /Fly\.io machine/
    }
  ]
})

describe("Fly.io", () => {
  it.live("is asked over the machine's own socket, for whom is wanted", () =>
    Effect.gen(function* () {
      const { asked, socket } = yield* machine
      const source = yield* fly({ audience: "mine", socket })
      yield* source.assertion({ audience: "party" })
      yield* source.assertion({ preferredAudience: "theirs" })
      yield* Effect.flatMap(fly({ socket }), (other) => other.assertion({}))
      assert.deepStrictEqual(asked, [
        'POST /v1/tokens/oidc {"aud":"party"}',
        'POST /v1/tokens/oidc {"aud":"mine"}',
        "POST /v1/tokens/oidc {}"
      ])
    })
  )
})
