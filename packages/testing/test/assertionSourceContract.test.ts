import { Assertion, Transient, Unavailable } from "@federate/core"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { assertionSourceChecks } from "../src/assertionSourceContract.ts"
import { denied, issued, key, life, sourceWith } from "./adapters.ts"
import type { Wrong } from "./adapters.ts"
import { failing } from "./failing.ts"
import { wrongCalls } from "./wrongCalls.ts"

const contract = {
  well: issued,
  assertion: Redacted.value(assertionFor("workload").token),
  life,
  secrets: [key],
  refused: [
    { name: "a denial", answer: denied, becomes: "Rejected", code: "denied", hint: /who may/ }
  ]
} as const

assertionSourceContract("A small source", { make: sourceWith(), ...contract })

type Around = NonNullable<Wrong["source"]>

/** It serves one after the other, and fails who comes too early. */
const busy: Around = (source) => {
  let asked = false
  return {
    ...source,
    assertion: (request) =>
      Effect.suspend(() => {
        if (asked) return Effect.die("busy")
        asked = true
        return Effect.ensuring(
          source.assertion(request),
          Effect.sync(() => void (asked = false))
        )
      })
  }
}

/** It remembers by itself. */
const remembering: Around = (source) => {
  let held: Assertion.Assertion | undefined
  return {
    ...source,
    assertion: (request) =>
      Effect.suspend(() =>
        held === undefined
          ? Effect.tap(source.assertion(request), (given) => Effect.sync(() => void (held = given)))
          : Effect.succeed(held)
      )
  }
}

/** It leaves what it has got where another of its kind does too. */
const desk: { on?: Assertion.Assertion } = {}
const sharing: Around = (source) => ({
  ...source,
  assertion: Effect.fnUntraced(function* (request) {
    desk.on = yield* source.assertion(request)
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
    return desk.on
  })
})

const wrong: ReadonlyArray<readonly [check: string, wrong: Wrong]> = [
  [
    "hands the assertion out as it was issued, and says when it ends",
    {
      source: (source) => ({
        ...source,
        assertion: (request) =>
          Effect.map(source.assertion(request), (given) => ({ ...given, obtainedAt: 1 }))
      })
    }
  ],
  [
    "gives the audience that is demanded, or says that it cannot",
    // It claims the audience, whatever the token says.
    {
      source: (source) => ({
        ...source,
        assertion: ({ audience }) =>
          Effect.map(source.assertion({}), (given) => ({
            ...given,
            audience: audience === undefined ? given.audience : [audience]
          }))
      }),
      fetch: (fetch) => (url, init) =>
        fetch(url, { ...init, body: `${String(init.body)} https://demanded.example` })
    }
  ],
  [
    "offers what it gives",
    { source: (source) => ({ ...source, offers: { ...source.offers, algorithms: ["ES256"] } }) }
  ],
  ["serves many at once, and one while another gives up", { source: busy }],
  [
    "counts its life by the issuer's own clock",
    {
      jwt: (token, { sentAt }) => Assertion.fromJwt(Redacted.make(token), { obtainedAt: sentAt })
    }
  ],
  [
    "asks the issuer for a demanded audience, where it offers any",
    { fetch: (fetch) => (url, init) => fetch(url, { ...init, body: "audience=party" }) }
  ],
  [
    "says so when what it is given is no JWT",
    {
      jwt: (token, { sentAt }) =>
        Result.mapError(
          Assertion.fromJwt(Redacted.make(token), { obtainedAt: sentAt, issuerTime: "iat" }),
          () => new Unavailable({ detail: "There is none" })
        )
    }
  ],
  ["asks the issuer each time: what remembers is put around it", { source: remembering }],
  ["shares nothing with another of its kind", { source: sharing }],
  ...wrongCalls
]

describe("an assertion source that is wrong", () => {
  for (const [check, how] of wrong) {
    it.effect(`fails “${check}”`, () =>
      Effect.gen(function* () {
        const checks = assertionSourceChecks({ make: sourceWith(how), ...contract })
        assert.deepStrictEqual(yield* failing(checks), [check])
      })
    )
  }

  it("is thought of for each check", () => {
    const checks = assertionSourceChecks({ make: sourceWith(), ...contract })
    assert.sameMembers(
      checks.map(({ name }) => name),
      [...new Set(wrong.map(([check]) => check))]
    )
  })
})

describe("a source with a choice of audience", () => {
  it.effect("keeps the contract by what its platform signs", () =>
    Effect.gen(function* () {
      const checks = assertionSourceChecks({
        ...contract,
        make: sourceWith(),
        well: (jwt, _, { body }) => {
          const aud = String(body).replace("audience=", "")
          return issued(
            aud === "party" ? jwt : Redacted.value(assertionFor("workload", 0, { aud }).token)
          )
        }
      })
      assert.deepStrictEqual(yield* failing(checks), [])
    })
  )
})

describe("a source that asks twice", () => {
  const session = '{"session":"ready"}'

  /** It asks for a session first. What is no session is an answer as it is. */
  const twice =
    (second: (answer: Response) => Response): NonNullable<Wrong["fetch"]> =>
    (fetch) =>
    async (url, init) => {
      const answer = await fetch("https://platform.example/session", init)
      return (await answer.clone().text()) === session ? second(await fetch(url, init)) : answer
    }

  const checksOf = (fetch: NonNullable<Wrong["fetch"]>) =>
    assertionSourceChecks({
      ...contract,
      make: sourceWith({ fetch }),
      well: (jwt, url) => (url.endsWith("/session") ? new Response(session) : issued(jwt))
    })

  it.effect("keeps the contract with each of its requests", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failing(checksOf(twice((answer) => answer))), [])
    })
  )

  it.effect("breaks it with one of them", () =>
    Effect.gen(function* () {
      const blind = twice((answer) => (answer.status === 500 ? new Response("{}") : answer))
      assert.deepStrictEqual(yield* failing(checksOf(blind)), ["a 500 is Transient"])
    })
  )
})

describe("a platform that may be absent", () => {
  const absent = ["a refused connection"] as const

  it.effect("has sources that say so", () =>
    Effect.gen(function* () {
      const away: Wrong = {
        reason: (reason) =>
          "detail" in reason && reason.detail.includes("ECONNREFUSED")
            ? new Unavailable({ detail: "There is no platform here" })
            : reason
      }
      assert.deepStrictEqual(
        yield* failing(assertionSourceChecks({ make: sourceWith(away), ...contract, absent })),
        []
      )
      assert.deepStrictEqual(
        yield* failing(assertionSourceChecks({ make: sourceWith(), ...contract, absent })),
        ["a refused connection is Unavailable"]
      )
    })
  )

  it.effect("has sources that soon stop waiting for it, and wait once they know it", () =>
    Effect.gen(function* () {
      const impatient: Wrong = {
        around: (request) =>
          Effect.timeoutOrElse(request, {
            duration: "1 second",
            orElse: () => Effect.fail(new Unavailable({ detail: "There is no platform here" }))
          })
      }
      const silence = ["silence"] as const
      const checks = assertionSourceChecks({
        make: sourceWith(impatient),
        ...contract,
        absent: silence
      })
      assert.deepStrictEqual(yield* failing(checks), [])
      assert.deepStrictEqual(
        yield* failing(assertionSourceChecks({ make: sourceWith(impatient), ...contract })),
        ["waits for a server that never answers, or calls it Transient"]
      )
    })
  )
})

describe("a platform of which a fault passes by itself", () => {
  const passing = ["a 404 with a page"] as const

  it.effect("has sources that say so", () =>
    Effect.gen(function* () {
      const updating: Wrong = {
        reason: (reason, answer) =>
          answer?.status === 404 ? new Transient({ detail: "It is being updated" }) : reason
      }
      assert.deepStrictEqual(
        yield* failing(assertionSourceChecks({ make: sourceWith(updating), ...contract, passing })),
        []
      )
      assert.deepStrictEqual(
        yield* failing(assertionSourceChecks({ make: sourceWith(), ...contract, passing })),
        ["a 404 with a page is Transient"]
      )
    })
  )
})
