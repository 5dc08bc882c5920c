import { Assertion, Credential } from "@federate/core"
import type { Flow } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted, Result, Scope } from "effect"
import { Base64Url } from "effect/encoding"
import { TestClock } from "effect/testing"
import * as forwarded from "../src/forwarded.ts"
import { maximumForwarded, patience } from "../src/limits.ts"

/** An assertion about somebody, that ends after so many milliseconds. */
const about = (sub: string, life = 300_000) =>
  Result.getOrThrow(
    Assertion.fromJwt(
      Redacted.make(
        [{ alg: "RS256" }, { sub, exp: life / 1000 }]
          .map((part) => Base64Url.encode(JSON.stringify(part)))
          .concat("signature")
          .join(".")
      ),
      { obtainedAt: 0 }
    )
  )

const flow: Flow.Flow = {
  name: "flow",
  entries: new Map(),
  credential: () =>
    Effect.succeed(
      Credential.accessToken({
        token: Redacted.make("token"),
        tokenType: "Bearer",
        obtainedAt: 0,
        expiresAt: 1
      })
    )
}

/** Makes flows, and tells whose are open and whose were closed. */
const watching = () => {
  const open: Array<string> = []
  const closed: Array<string> = []
  const over = (name: string) => () =>
    Effect.gen(function* () {
      open.push(name)
      yield* Effect.addFinalizer(() => Effect.sync(() => closed.push(name)))
      return { ...flow, name }
    })
  return { open, closed, over }
}

describe("a flow over an assertion", () => {
  it.effect("is made once for the same policy, flow and assertion, and for no other", () =>
    Effect.gen(function* () {
      const { open, over } = watching()
      const forward = yield* forwarded.make
      const ask = (policy: string, name: string, sub: string) =>
        forward(policy, over(`${policy} ${name} ${sub}`), name, about(sub))
      const asked = [
        ["a", "x", "me"],
        ["a", "x", "you"],
        ["a", "y", "me"],
        ["b", "x", "me"]
      ] as const
      const first = yield* Effect.all(
        asked.map(([policy, name, sub]) => ask(policy, name, sub)),
        { concurrency: "unbounded" }
      )
      const again = yield* Effect.all(asked.map(([policy, name, sub]) => ask(policy, name, sub)))
      assert.deepEqual(
        open,
        asked.map((each) => each.join(" "))
      )
      for (const [index, made] of first.entries()) assert.strictEqual(made, again[index])
    })
  )

  it.effect("is closed when its assertion has ended, and who asked before has had an answer", () =>
    Effect.gen(function* () {
      const { closed, open, over } = watching()
      const forward = yield* forwarded.make
      const ask = forward("p", over("me"), "x", about("me", 60_000))
      yield* ask
      yield* TestClock.adjust(60_000 + patience - 1)
      assert.deepEqual(closed, [])
      yield* TestClock.adjust(1)
      assert.deepEqual(closed, ["me"])
      yield* ask
      assert.deepEqual(open, ["me", "me"])
    })
  )

  it.effect("makes room when it is the one that was not used for the longest time", () =>
    Effect.gen(function* () {
      const { closed, open, over } = watching()
      const forward = yield* forwarded.make
      const ask = (n: number) => forward("p", over(`${n}`), "x", about(`${n}`))
      for (let n = 0; n < maximumForwarded; n++) yield* ask(n)
      yield* ask(0)
      yield* ask(maximumForwarded)
      yield* TestClock.adjust(patience)
      assert.deepEqual(closed, ["1"])
      yield* ask(0)
      assert.lengthOf(open, maximumForwarded + 1)
    })
  )

  it.effect("is closed with the broker, and not before because somebody left", () =>
    Effect.gen(function* () {
      const { closed, over } = watching()
      const scope = yield* Scope.make()
      const forward = yield* Scope.provide(forwarded.make, scope)
      const slow = () => Effect.delay(over("me")(), "1 second")
      const asked = forward("p", slow, "x", about("me"))
      const left = yield* Effect.forkChild(Effect.timeoutOption(asked, 100))
      yield* TestClock.adjust(100)
      assert.isTrue(left.pollUnsafe() !== undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* asked).name, "me")
      assert.deepEqual(closed, [])
      yield* Scope.close(scope, Exit.void)
      assert.deepEqual(closed, ["me"])
    })
  )

  it.effect("is made anew when it could not be made", () =>
    Effect.gen(function* () {
      const { over } = watching()
      const forward = yield* forwarded.make
      const fails = forward("p", () => Effect.die("no"), "x", about("me"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(fails)))
      assert.strictEqual((yield* forward("p", over("me"), "x", about("me"))).name, "me")
    })
  )
})
