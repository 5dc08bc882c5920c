/** Makes both halves of a trust what they should be: the plan, the writes in their order, and their removal. */
import { FederationError, Misconfigured, Transient } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import type { Found, Known, Resource } from "./Resource.ts"

/** A member that is not what it should be. */
export interface MemberChange {
  readonly member: string
  /** `undefined`: it is not there. */
  readonly from: unknown
  /** `undefined`: known once something before it is made. */
  readonly to: unknown
}

/** What is to be done with one thing, or was. */
export interface Change {
  readonly side: string
  readonly kind: string
  readonly name: string
  /** `keep`: it is there, and not ours to remove. */
  readonly action: "none" | "create" | "update" | "remove" | "keep"
  readonly members: ReadonlyArray<MemberChange>
}

/** A write that failed, with what is true on each side by then. */
export interface Interrupted {
  readonly at: Pick<Change, "side" | "kind" | "name">
  readonly error: FederationError
}

const changeOf = (
  { kind, name, side }: Resource,
  action: Change["action"],
  members: ReadonlyArray<MemberChange> = []
): Change => ({ side, kind, name, action, members })

/** What is to be done about one thing, and what is known with it. */
const compared = Effect.fnUntraced(function* (resource: Resource, known: Known) {
  const found = yield* patiently(resource.read(known), reading)
  const desired = resource.desired({ ...known, ...found?.known })
  const members = Object.entries(desired).flatMap(([member, to]): ReadonlyArray<MemberChange> => {
    const from = found?.state[member]
    return found !== undefined && isSame(from, to) ? [] : [{ member, from, to }]
  })
  return { found, desired, members }
})

/** Reads both sides, and changes nothing. Gives what would be done, in its order. */
export const plan = Effect.fnUntraced(function* (
  resources: ReadonlyArray<Resource>,
  known: Known
): Effect.fn.Return<ReadonlyArray<Change>, FederationError> {
  const changes: Array<Change> = []
  let all = known
  for (const resource of resources) {
    const { found, members } = yield* compared(resource, all)
    const action = found === undefined ? "create" : members.length === 0 ? "none" : "update"
    changes.push(changeOf(resource, action, members))
    all = { ...all, ...found?.known }
  }
  return changes
})

/**
 * Does what a plan made now would say, one write at a time, and tells each as it is done. What is as it should be is left
 * alone: run again, it finishes what was half done. A side that is busy, or has not seen yet what was just made, is asked
 * again for up to two minutes. Gives what is known in the end.
 */
export const apply = Effect.fnUntraced(function* <R>(
  resources: ReadonlyArray<Resource>,
  known: Known,
  tell: (change: Change) => Effect.Effect<void, never, R>
): Effect.fn.Return<Result.Result<Known, Interrupted>, never, R> {
  let all = known
  for (const resource of resources) {
    const done = yield* Effect.result(applied(resource, all))
    if (Result.isFailure(done)) return Result.fail(interrupted(resource, done.failure))
    yield* tell(done.success.change)
    all = { ...all, ...done.success.known }
  }
  return Result.succeed(all)
})

const applied = Effect.fnUntraced(function* (resource: Resource, known: Known) {
  const { desired, found, members } = yield* compared(resource, known)
  const open = members.find(({ to }) => to === undefined)
  if (open !== undefined) return yield* notKnown(resource, open.member)
  if (found === undefined) {
    yield* patiently(resource.create(desired, known))
  } else if (members.length === 0) {
    return { change: changeOf(resource, "none"), known: found.known }
  } else {
    yield* patiently(resource.update(found, desired, known))
  }
  const made = yield* patiently(
    Effect.flatMap(resource.read(known), (now) =>
      now === undefined ? Effect.fail(notSeenYet(resource)) : Effect.succeed(now)
    )
  )
  return {
    change: changeOf(resource, found === undefined ? "create" : "update", members),
    known: made.known
  }
})

/**
 * Removes what is there and bears our mark, last made first; what is not ours is kept, and told. Run again, it finishes
 * what was half done.
 */
export const destroy = Effect.fnUntraced(function* <R>(
  resources: ReadonlyArray<Resource>,
  known: Known,
  tell: (change: Change) => Effect.Effect<void, never, R>
): Effect.fn.Return<Result.Result<void, Interrupted>, never, R> {
  const there: Array<{
    readonly resource: Resource
    readonly found: Found
    readonly known: Known
  }> = []
  let all = known
  for (const resource of resources) {
    const read = yield* Effect.result(patiently(resource.read(all), reading))
    if (Result.isFailure(read)) return Result.fail(interrupted(resource, read.failure))
    const found = read.success
    if (found === undefined) continue
    there.unshift({ resource, found, known: all })
    all = { ...all, ...found.known }
  }
  for (const { found, known: before, resource } of there) {
    if (!found.isOurs) {
      yield* tell(changeOf(resource, "keep"))
      continue
    }
    const removed = yield* Effect.result(patiently(resource.remove(found, before)))
    if (Result.isFailure(removed)) return Result.fail(interrupted(resource, removed.failure))
    yield* tell(changeOf(resource, "remove"))
  }
  return Result.void
})

const interrupted = ({ kind, name, side }: Resource, error: FederationError): Interrupted => ({
  at: { side, kind, name },
  error
})

const failure = (adapter: string, reason: FederationError["reason"]) =>
  new FederationError({ adapter, stage: "configuration", reason })

const notKnown = ({ kind, side }: Resource, member: string) =>
  failure(
    side,
    new Misconfigured({
      setting: `the ${kind}'s ${member}`,
      problem: "is not known, though all that comes before it is there",
      hint: "Look at what the step before it told."
    })
  )

const notSeenYet = ({ kind, name, side }: Resource) =>
  failure(
    side,
    new Transient({ detail: `The ${kind} ${name} was written, and is not to be seen yet` })
  )

/** How long a side may take to see what was written, and how long to read at all, in milliseconds. */
const writing = 120_000
const reading = 20_000

/** Pauses between tries, in milliseconds: doubling, at most this long. */
const pauses = { first: 500, longest: 10_000 }

/** Tries again what may pass by itself: a side that is busy, or has not seen yet what it was told. */
const patiently = <A>(
  effect: Effect.Effect<A, FederationError>,
  limit: number = writing
): Effect.Effect<A, FederationError> =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    for (let pause = pauses.first; ; pause = Math.min(2 * pause, pauses.longest)) {
      const result = yield* Effect.result(effect)
      if (Result.isSuccess(result)) return result.success
      const { reason } = result.failure
      const mayPass =
        reason._tag === "Transient" ||
        (reason._tag === "Rejected" && reason.remedy === "waitForTrust")
      const now = yield* Clock.currentTimeMillis
      const retryAt = reason._tag === "Transient" ? reason.retryAt : undefined
      const wait = Math.max(pause, (retryAt ?? now) - now)
      if (!mayPass || now + wait - started > limit) return yield* result.failure
      yield* Effect.sleep(wait)
    }
  })

/** By value, lists in any order: no side keeps one. */
const isSame = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) && Array.isArray(other)
    ? one.length === other.length && one.every((each) => other.some((with_) => isSame(each, with_)))
    : Equal.equals(one, other)
