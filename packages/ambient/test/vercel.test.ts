import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vercel } from "@federate/ambient"
import type { VercelOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { ambientSourceContract, assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"

const iss = "https://oidc.vercel.com/team"
const subject = "owner:team:project:site:environment:production"
const tokenFor = (aud: string, sub = subject) =>
  Redacted.value(assertionFor(sub, 0, { iss, aud }).token)
const own = tokenFor("https://vercel.com/team")
const jwt = tokenFor("party")

const make = (options: VercelOptions = {}) =>
  vercel({
    environment: (name) => (name === "VERCEL_OIDC_TOKEN" ? own : undefined),
    ...options
  })

const well = (token: string) => Response.json({ token, expiry: 900 })

// For another audience the project's own token is traded, which the clock of the checks lets end.
assertionSourceContract("Vercel", {
  make: (fetch) => {
    const lasting = Redacted.value(
      assertionFor(subject, 0, { iss, aud: "https://vercel.com/team", exp: 86_400 }).token
    )
    return make({
      environment: (name) => (name === "VERCEL_OIDC_TOKEN" ? lasting : undefined),
      audience: "party",
      fetch
    })
  },
  well,
  assertion: jwt,
  life: 900,
  secrets: [own],
  refused: [
    {
      name: "an audience that is none",
      answer: () => Response.json({ error: "Invalid audience" }, { status: 400 }),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /Compare the audience "party".*https:\/\/vercel\.com\/team/
    }
  ]
})

ambientSourceContract("Vercel's own token", {
  make: make({ fetch: async () => well(jwt) }),
  assertion: own,
  life: 900,
  refused: [
    {
      name: "no token",
      make: make({ environment: () => undefined }),
      becomes: "Unavailable",
      hint: /OIDC switched on.*`vercel env pull`/
    },
    {
      name: "a token that has ended",
      make: make({
        environment: (name) =>
          name === "VERCEL_OIDC_TOKEN"
            ? Redacted.value(assertionFor(subject, 0, { iss, exp: 0 }).token)
            : undefined
      }),
      becomes: "Misconfigured",
      hint: /`vercel env pull`/
    }
  ]
})

describe("Vercel", () => {
  it.effect("trades its own token for one for whom is wanted, and only then", () =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      const fetch: Fetch = async (url, { body }) => {
        sent.push(url, JSON.parse(String(body)))
        return well(jwt)
      }
      const source = yield* make({ fetch })
      const kept = yield* source.assertion({ audience: "https://vercel.com/team" })
      assert.strictEqual(Redacted.value(kept.token), own)
      assert.deepStrictEqual(sent, [])
      const traded = yield* source.assertion({ preferredAudience: "party" })
      assert.strictEqual(Redacted.value(traded.token), jwt)
      assert.deepStrictEqual(sent, ["https://oidc.vercel.com/~token", { token: own, aud: "party" }])
    })
  )

  it.live("is found in the request that is served, then in a file, then in the variable", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true }))
      )
      const exp = Date.now() / 1000 + 3600
      const lasting = (sub: string) => Redacted.value(assertionFor(sub, 0, { iss, exp }).token)
      const file = join(directory, "token")
      yield* Effect.promise(async () => {
        await writeFile(file, lasting("file"))
        await utimes(file, 0, 0)
      })
      const set: Record<string, string> = { VERCEL_OIDC_TOKEN: lasting("variable") }
      const source = yield* make({ environment: (name) => set[name] })
      const found = Effect.map(source.assertion({}), (assertion) => assertion.subject)
      assert.strictEqual(yield* found, "variable")
      set["VERCEL_OIDC_TOKEN_FILE"] = file
      assert.strictEqual(yield* found, "file")
      // As Vercel's runtime does.
      const context = { [Symbol.for("@vercel/request-context")]: { get: () => served } }
      const served = { headers: { "x-vercel-oidc-token": lasting("request") } }
      Object.assign(globalThis, context)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => Reflect.deleteProperty(globalThis, Symbol.for("@vercel/request-context")))
      )
      assert.strictEqual(yield* found, "request")
    })
  )

  it.effect("hands out nothing that has ended", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(900_000)
      const source = yield* make()
      const { message } = yield* Effect.flip(source.assertion({}))
      assert.match(message, /VERCEL_OIDC_TOKEN ended at/)
    })
  )
})
