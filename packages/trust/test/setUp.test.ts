import { assert, describe, it } from "@effect/vitest"
import { FederationError, Misconfigured, Rejected, Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import { apply, destroy, givenAssertion, plan, planRemoval } from "@federate/trust"
import type { Change, Found, Known, Part, Prerequisite, Progress, Resource } from "@federate/trust"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"

const failing = (reason: Reason) =>
  Effect.fail(new FederationError({ adapter: "test", stage: "configuration", reason }))

const busy = failing(new Transient({ detail: "busy" }))
const denied = failing(
  new Rejected({ code: "Denied", description: "no", hint: "ask", remedy: "none" })
)

type Faults = Readonly<
  Record<string, ReadonlyArray<Effect.Effect<never, FederationError> | undefined>>
>

/**
 * Three things in a world that begins empty: a pool, a user of it that needs the pool's id, and a note beside them. Each
 * call takes its fault, if there is one for it; `lost` writes, and loses the answer.
 */
const world = (faults: Faults = {}, { mark = "ours" }: { readonly mark?: string } = {}) => {
  const things = new Map<string, Readonly<Record<string, unknown>>>()
  const calls: Array<string> = []
  const pending = new Map(Object.entries(faults).map(([call, list]) => [call, [...list]]))
  const called = (call: string) => {
    calls.push(call)
    return pending.get(call)?.shift() ?? Effect.void
  }
  const resource = (
    name: string,
    desired: Resource["desired"],
    makes: ReadonlyArray<string> = []
  ): Resource => ({
    side: name === "note" ? "Elsewhere" : "Here",
    kind: name,
    name: `the ${name}`,
    makes,
    own: ["mark"],
    desired: (of) => ({ ...desired(of), mark }),
    read: () =>
      Effect.map(called(`read ${name}`), () => {
        const state = things.get(name)
        return state === undefined
          ? undefined
          : ({
              state,
              known: Object.fromEntries(makes.map((each) => [each, `${each} of ${name}`])),
              isOurs: state["mark"] === mark
            } satisfies Found)
      }),
    create: (state) =>
      Effect.andThen(
        Effect.suspend(() => {
          assert.isFalse(things.has(name), `a second ${name}`)
          return called(`create ${name}`)
        }),
        Effect.suspend(() => {
          things.set(name, state)
          return called(`answer ${name}`)
        })
      ),
    update: (_, state) =>
      Effect.andThen(
        called(`update ${name}`),
        Effect.sync(() => things.set(name, state))
      ),
    remove: () =>
      Effect.andThen(
        called(`remove ${name}`),
        Effect.sync(() => things.delete(name))
      )
  })
  const parts: ReadonlyArray<Part> = [
    resource("pool", () => ({ size: 3, tags: { a: "1", b: "2" } }), ["poolId"]),
    givenAssertion("flow", { iss: "i", sub: "s", aud: "a" }),
    resource("user", (of) => ({
      pool: of("poolId"),
      who: `user of ${of("sub")}`,
      roles: ["x", "y"]
    })),
    resource("note", () => ({ text: "hello" }))
  ]
  return { things, calls, parts }
}

const actions = (changes: ReadonlyArray<Change>) => changes.map(({ action }) => action)

const applying = Effect.fnUntraced(function* (parts: ReadonlyArray<Part>, known: Known = {}) {
  const told: Array<Progress> = []
  const fiber = yield* Effect.forkChild(
    apply(parts, known, (progress) => Effect.sync(() => told.push(progress)))
  )
  yield* TestClock.adjust("10 minutes")
  const outcome = yield* Fiber.join(fiber)
  return {
    outcome,
    done: told.flatMap((each) => (each._tag === "Done" ? [each.change.action] : [])),
    waited: told.flatMap((each) => (each._tag === "Waiting" ? [each.part.kind] : []))
  }
})

const destroying = Effect.fnUntraced(function* (parts: ReadonlyArray<Part>) {
  const done: Array<readonly [string, string]> = []
  const fiber = yield* Effect.forkChild(
    destroy(parts, {}, (progress) =>
      Effect.sync(() => {
        if (progress._tag === "Done") done.push([progress.change.action, progress.change.kind])
      })
    )
  )
  yield* TestClock.adjust("10 minutes")
  return { outcome: yield* Fiber.join(fiber), done }
})

describe("a plan", () => {
  it.effect("tells what there is to make, and what is known only later", () =>
    Effect.gen(function* () {
      const { calls, parts } = world()
      const changes = yield* plan(parts, {})
      assert.deepEqual(actions(changes), ["create", "none", "create", "create"])
      assert.deepEqual(changes[2]?.members, [
        { member: "pool", from: undefined, to: "${poolId}" },
        { member: "who", from: undefined, to: "user of s" },
        { member: "roles", from: undefined, to: ["x", "y"] },
        { member: "mark", from: undefined, to: "ours" }
      ])
      assert.deepEqual(calls, ["read pool", "read user", "read note"])
    })
  )

  it.effect("tells what was changed by hand, to the member, and takes lists in any order", () =>
    Effect.gen(function* () {
      const { parts, things } = world()
      yield* applying(parts)
      things.set("pool", { ...things.get("pool"), size: 4, tags: { a: "1", b: "3", c: "4" } })
      things.set("user", { ...things.get("user"), roles: ["y", "x"] })
      const changes = yield* plan(parts, {})
      assert.deepEqual(actions(changes), ["update", "none", "none", "none"])
      assert.deepEqual(changes[0]?.members, [
        { member: "size", from: 4, to: 3 },
        { member: "tags.b", from: "3", to: "2" }
      ])
    })
  )

  it.effect(
    "goes on past a side that may not be read, and guesses nothing of what hangs on it",
    () =>
      Effect.gen(function* () {
        const { parts } = world({ "read pool": [denied] })
        const changes = yield* plan(parts, {})
        assert.deepEqual(actions(changes), ["unknown", "none", "unknown", "create"])
        assert.strictEqual(changes[0]?.error?.reason._tag, "Rejected")
        assert.isUndefined(changes[2]?.error)
      })
  )

  it.effect("tells that what the settings name is not there", () =>
    Effect.gen(function* () {
      const { parts } = world()
      const [change] = yield* plan(parts, { poolId: "gone" })
      assert.strictEqual(change?.action, "unknown")
      assert.include(change?.error?.message, '"gone"')
    })
  )

  it.effect("asks later what is refused before its half is there, and tells of it afterwards", () =>
    Effect.gen(function* () {
      const { parts } = world()
      const refused: Prerequisite = {
        ...givenAssertion("flow", { iss: "", sub: "", aud: "" }),
        ask: () => denied
      }
      const all = parts.map((part) => (part.kind === "assertion" ? refused : part))
      assert.deepEqual(actions(yield* plan(all, {})), ["create", "later", "create", "create"])
      yield* applying(parts)
      assert.deepEqual(actions(yield* plan(all, {})), ["none", "unknown", "update", "none"])
    })
  )
})

describe("applying", () => {
  it.effect("makes all in its order, and then there is nothing to do", () =>
    Effect.gen(function* () {
      const { calls, parts, things } = world()
      const { done, outcome } = yield* applying(parts)
      assert.deepEqual(done, ["create", "none", "create", "create"])
      assert.deepEqual(Result.getOrThrow(outcome), {
        poolId: "poolId of pool",
        iss: "i",
        sub: "s",
        aud: "a",
        azp: "a"
      })
      assert.deepEqual(things.get("user"), {
        pool: "poolId of pool",
        who: "user of s",
        roles: ["x", "y"],
        mark: "ours"
      })
      assert.deepEqual(actions(yield* plan(parts, {})), ["none", "none", "none", "none"])
      const before = calls.length
      assert.deepEqual((yield* applying(parts)).done, ["none", "none", "none", "none"])
      assert.isTrue(calls.slice(before).every((call) => call.startsWith("read")))
    })
  )

  it.effect("makes nothing twice when an answer is lost after the write", () =>
    Effect.gen(function* () {
      const { calls, parts } = world({ "answer pool": [busy], "answer note": [busy] })
      const { done, waited } = yield* applying(parts)
      assert.deepEqual(done, ["create", "none", "create", "create"])
      assert.deepEqual(waited, ["pool", "note"])
      assert.strictEqual(calls.filter((call) => call === "create pool").length, 1)
    })
  )

  it.effect("converges when it is run again after any of its calls has failed for good", () =>
    Effect.gen(function* () {
      for (const call of ["read", "create", "answer"]) {
        for (const thing of ["pool", "user", "note"]) {
          const { parts, things } = world({ [`${call} ${thing}`]: [denied] })
          const { outcome } = yield* applying(parts)
          assert.isTrue(Result.isFailure(outcome), `${call} ${thing}`)
          if (Result.isFailure(outcome)) assert.strictEqual(outcome.failure.at.kind, thing)
          assert.isTrue(Result.isSuccess((yield* applying(parts)).outcome))
          assert.deepEqual([...things.keys()], ["pool", "user", "note"])
          assert.deepEqual(actions(yield* plan(parts, {})), ["none", "none", "none", "none"])
        }
      }
    })
  )

  it.effect("waits two minutes for what it wrote to be seen, and no longer", () =>
    Effect.gen(function* () {
      const unseen = world()
      const blind: ReadonlyArray<Part> = unseen.parts.map((part) =>
        part.kind === "pool" && "read" in part
          ? { ...part, read: () => Effect.as(Effect.void, undefined) }
          : part
      )
      const fiber = yield* Effect.forkChild(apply(blind, {}, () => Effect.void))
      yield* TestClock.adjust("100 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("25 seconds")
      const outcome = yield* Fiber.join(fiber)
      assert.isTrue(Result.isFailure(outcome))
      if (Result.isFailure(outcome)) {
        assert.include(outcome.failure.error.message, "is not to be seen yet")
      }
      assert.strictEqual(unseen.calls.filter((call) => call === "create pool").length, 1)
    })
  )

  it.effect("comes back no earlier than a server said", () =>
    Effect.gen(function* () {
      const throttled = failing(new Transient({ detail: "busy", status: 429, retryAt: 60_000 }))
      const { calls, parts } = world({ "create pool": [throttled] })
      const fiber = yield* Effect.forkChild(apply(parts, {}, () => Effect.void))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(calls.filter((call) => call === "create pool").length, 1)
      yield* TestClock.adjust("1 second")
      assert.isTrue(Result.isSuccess(yield* Fiber.join(fiber)))
    })
  )

  it.effect("mends what was changed by hand", () =>
    Effect.gen(function* () {
      const { parts, things } = world()
      yield* applying(parts)
      things.set("note", { text: "another", mark: "ours" })
      assert.deepEqual((yield* applying(parts)).done, ["none", "none", "none", "update"])
      assert.deepEqual(things.get("note"), { text: "hello", mark: "ours" })
    })
  )

  it.effect("uses what is another's where it is as it must be, and changes it nowhere", () =>
    Effect.gen(function* () {
      const { parts, things } = world()
      things.set("note", { text: "hello", mark: "theirs" })
      const { done } = yield* applying(parts)
      assert.deepEqual(done, ["create", "none", "create", "none"])
      things.set("note", { text: "bye", mark: "theirs" })
      const [, , , change] = yield* plan(parts, {})
      assert.strictEqual(change?.action, "unknown")
      assert.include(change?.error?.message, "differs in text")
      const { outcome } = yield* applying(parts)
      assert.isTrue(Result.isFailure(outcome))
      assert.deepEqual(things.get("note"), { text: "bye", mark: "theirs" })
    })
  )

  it.effect("waits for a right that was just granted, and not for what is set up wrong", () =>
    Effect.gen(function* () {
      const { parts } = world()
      let refusals = 5
      const assertion = givenAssertion("flow", { iss: "i", sub: "s", aud: "a" })
      const slow: Prerequisite = {
        ...assertion,
        ask: (known) => Effect.suspend(() => (refusals-- > 0 ? denied : assertion.ask(known)))
      }
      const wrong: Prerequisite = {
        ...assertion,
        ask: () => failing(new Misconfigured({ setting: "a", problem: "b", hint: "c" }))
      }
      const having = (instead: Prerequisite) =>
        parts.map((part) => (part.kind === "assertion" ? instead : part))
      const patient = yield* applying(having(slow))
      assert.isTrue(Result.isSuccess(patient.outcome))
      assert.deepEqual(patient.waited, ["assertion"])
      const { outcome, waited } = yield* applying(having(wrong))
      assert.isTrue(Result.isFailure(outcome))
      assert.deepEqual(waited, [])
    })
  )
})

describe("removing", () => {
  it.effect("takes down exactly what is ours, last made first", () =>
    Effect.gen(function* () {
      const { parts, things } = world()
      yield* applying(parts)
      things.set("user", { ...things.get("user"), mark: "theirs" })
      const expected = [
        ["remove", "note"],
        ["keep", "user"],
        ["remove", "pool"]
      ] as const
      const found = Result.getOrThrow(yield* planRemoval(parts, {}))
      assert.deepEqual(
        found.map(({ action, kind }) => [action, kind] as const),
        [...expected]
      )
      assert.strictEqual(things.size, 3)
      const { done, outcome } = yield* destroying(parts)
      assert.isTrue(Result.isSuccess(outcome))
      assert.deepEqual(done, [...expected])
      assert.deepEqual([...things.keys()], ["user"])
    })
  )

  it.effect("is finished by running it again", () =>
    Effect.gen(function* () {
      for (const call of ["remove note", "remove user", "remove pool"]) {
        const { parts, things } = world({ [call]: [denied] })
        yield* applying(parts)
        assert.isTrue(Result.isFailure((yield* destroying(parts)).outcome), call)
        assert.isTrue(Result.isSuccess((yield* destroying(parts)).outcome), call)
        assert.strictEqual(things.size, 0)
      }
    })
  )

  it.effect("passes by what is deleted already, and is kept by its side", () =>
    Effect.gen(function* () {
      const { parts } = world()
      yield* applying(parts)
      const deleted = parts.map((part) =>
        "ask" in part
          ? part
          : {
              ...part,
              read: (known: Known) =>
                Effect.map(part.read(known), (found) => found && { ...found, isDeleted: true })
            }
      )
      assert.deepEqual(Result.getOrThrow(yield* planRemoval(deleted, {})), [])
    })
  )

  it.effect("does not take for gone what could not be looked for", () =>
    Effect.gen(function* () {
      const { parts } = world()
      const asking = (ask: Prerequisite["ask"]): Prerequisite => ({
        side: "Here",
        kind: "account",
        name: "the account",
        makes: [],
        ask
      })
      const absent = failing(
        new Misconfigured({ setting: "account", problem: "is none", hint: "" })
      )
      const gone = yield* planRemoval([asking(() => absent), ...parts], {})
      assert.deepEqual(Result.getOrThrow(gone), [])
      for (const refused of [denied, busy]) {
        const { outcome } = yield* destroying([asking(() => refused), ...parts])
        assert.strictEqual(Result.isFailure(outcome) && outcome.failure.at.kind, "account")
        // What is there is found all the same.
        const there = world()
        yield* applying(there.parts)
        yield* destroying([asking(() => refused), ...there.parts])
        assert.strictEqual(there.things.size, 0)
      }
    })
  )

  it.effect("removes nothing while one side cannot be read", () =>
    Effect.gen(function* () {
      const { parts, things } = world()
      yield* applying(parts)
      const blind = world({ "read user": [denied] })
      for (const [name, state] of things) blind.things.set(name, state)
      const { outcome } = yield* destroying(blind.parts)
      assert.isTrue(Result.isFailure(outcome))
      assert.strictEqual(blind.things.size, 3)
    })
  )
})
