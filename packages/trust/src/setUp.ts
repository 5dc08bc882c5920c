/** Makes both halves of a trust what they should be: the plan, the writes in their order, and their removal. */
import { FederationError, Misconfigured, Transient } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import { mayPass, patience, patiently } from "./patiently.ts"
import type { Found, Prerequisite, Known, Part, Resource, State } from "./Resource.ts"

/** A member that is not what it should be. */
export interface MemberChange {
  /** Its name; of a member of a member, `tags.federate`. */
  readonly member: string
  /** `undefined`: it is not there. */
  readonly from: unknown
  /** What is not known yet stands in it as {@link later} has it. */
  readonly to: unknown
}

/** What is to be done with one part, or was. */
export interface Change extends Pick<Part, "side" | "kind" | "name"> {
  /**
   * - `none`: it is as it should be
   * - `create`, `update`, `remove`
   * - `keep`: it is there, and not ours to remove
   * - `later`: it is asked once what comes before it is there
   * - `unknown`: it cannot be read, or cannot be made so; `error` tells why
   */
  readonly action: "none" | "create" | "update" | "remove" | "keep" | "later" | "unknown"
  /** Whether what is there bears our mark. */
  readonly isOurs: boolean
  readonly members: ReadonlyArray<MemberChange>
  /** What is known by it. */
  readonly known: Known
  /** Why it is unknown, where that is told by it and not by one before it. */
  readonly error?: FederationError | undefined
}

/** A part that could not be brought to what it should be. What comes before it is; what comes after it was not touched. */
export interface Interrupted {
  readonly at: Part
  readonly error: FederationError
}

/** What a run tells while it goes on: what was done, or that it waits, and why. */
export type Progress =
  | { readonly _tag: "Done"; readonly change: Change }
  | { readonly _tag: "Waiting"; readonly part: Part; readonly error: FederationError }

type Tell<R> = (progress: Progress) => Effect.Effect<void, never, R>

/** What stands for a name that is not known yet. */
export const later = (name: string): string => `\${${name}}`

const isPrerequisite = (part: Part): part is Prerequisite => "ask" in part

const changeOf = (
  { kind, name, side }: Part,
  action: Change["action"],
  { error, isOurs = false, known = {}, members = [] }: Partial<Change> = {}
): Change => ({
  side,
  kind,
  name,
  action,
  isOurs,
  members,
  known,
  ...(error !== undefined && { error })
})

/**
 * Reads both sides, and changes nothing. Gives what would be done, in its order; what cannot be read does not hinder the
 * rest.
 *
 * @param known settings that are known from the start, under their own names
 */
export const plan = Effect.fnUntraced(function* (
  parts: ReadonlyArray<Part>,
  known: Known
): Effect.fn.Return<ReadonlyArray<Change>> {
  const changes: Array<Change> = []
  let all = known
  for (const part of parts) {
    const change = isPrerequisite(part)
      ? yield* consulted(part, all, changes)
      : yield* planned(part, all, known, changes)
    changes.push(change)
    all = { ...all, ...change.known }
  }
  return changes
})

const consulted = Effect.fnUntraced(function* (
  part: Prerequisite,
  known: Known,
  before: ReadonlyArray<Change>
) {
  const answer = yield* Effect.result(patiently(part.ask(known), { limit: patience.reading }))
  if (Result.isSuccess(answer)) {
    return answer.success === undefined
      ? changeOf(part, "later")
      : changeOf(part, "none", { known: answer.success })
  }
  const { failure: error } = answer
  // What is refused before its half is set up says nothing.
  return error.reason._tag === "Rejected" && before.some(({ action }) => isOpen(action))
    ? changeOf(part, "later")
    : changeOf(part, "unknown", { error })
})

const isOpen = (action: Change["action"]): boolean => action !== "none"

const planned = Effect.fnUntraced(function* (
  resource: Resource,
  known: Known,
  settings: Known,
  before: ReadonlyArray<Change>
) {
  const read = yield* Effect.result(patiently(resource.read(known), { limit: patience.reading }))
  if (Result.isFailure(read)) return changeOf(resource, "unknown", { error: read.failure })
  const found = read.success
  if (found === undefined) {
    const error = contradicted(resource, settings)
    if (error !== undefined) return changeOf(resource, "unknown", { error })
    // What would find it could not be read: nobody knows whether it is there.
    if (before.some(({ action, side }) => action === "unknown" && side === resource.side))
      return changeOf(resource, "unknown")
  }
  const { members } = compared(resource, found, known)
  if (found === undefined) return changeOf(resource, "create", { members })
  if (members.length === 0) return changeOf(resource, "none", found)
  return found.isOurs
    ? changeOf(resource, "update", { ...found, members })
    : changeOf(resource, "unknown", { ...found, members, error: another(resource, members) })
})

/** What is to be done about a resource, and the names in it that are not known yet. */
const compared = (resource: Resource, found: Found | undefined, known: Known) => {
  const open = new Set<string>()
  const all: Known = { ...known, ...found?.known }
  const desired = resource.desired((name) => {
    const value = all[name]
    if (value === undefined) open.add(name)
    return value ?? later(name)
  })
  const matters = Object.fromEntries(
    Object.entries(desired).filter(
      ([member]) => found?.isOurs !== false || !resource.own.includes(member)
    )
  )
  return { desired, open, members: differences(found?.state ?? {}, matters, "") }
}

const differences = (from: State, to: State, path: string): ReadonlyArray<MemberChange> =>
  Object.entries(to).flatMap(([key, wanted]): ReadonlyArray<MemberChange> => {
    const member = `${path}${key}`
    const there = from[key]
    if (isSame(there, wanted)) return []
    return isMapping(there) && isMapping(wanted)
      ? differences(there, wanted, `${member}.`)
      : [{ member, from: there, to: wanted }]
  })

const isMapping = (value: unknown): value is State =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** By value, lists in any order: no side keeps one. */
const isSame = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) && Array.isArray(other)
    ? one.length === other.length && one.every((each) => other.some((with_) => isSame(each, with_)))
    : Equal.equals(one, other)

/**
 * Does what a plan made now would say, one write at a time, and tells each as it is done. What is as it should be is left
 * alone: run again, it finishes what was half done. A side that is busy, or has not seen yet what was just made, is asked
 * again for up to two minutes. Gives what is known in the end.
 *
 * @param known settings that are known from the start, under their own names
 */
export const apply = Effect.fnUntraced(function* <R>(
  parts: ReadonlyArray<Part>,
  known: Known,
  tell: Tell<R>
): Effect.fn.Return<Result.Result<Known, Interrupted>, never, R> {
  let all = known
  for (const part of parts) {
    const waiting = (error: FederationError) => tell({ _tag: "Waiting", part, error })
    const done = yield* Effect.result(
      isPrerequisite(part) ? answered(part, all, waiting) : applied(part, all, known, waiting)
    )
    if (Result.isFailure(done)) return Result.fail({ at: part, error: done.failure })
    yield* tell({ _tag: "Done", change: done.success })
    all = { ...all, ...done.success.known }
  }
  return Result.succeed(all)
})

type Waiting<R> = (error: FederationError) => Effect.Effect<void, never, R>

const answered = <R>(part: Prerequisite, known: Known, waiting: Waiting<R>) =>
  patiently(
    Effect.flatMap(part.ask(known), (found) =>
      found === undefined
        ? Effect.fail(missing(part))
        : Effect.succeed(changeOf(part, "none", { known: found }))
    ),
    {
      limit: patience.writing,
      // A right that was just granted takes its time: whatever is said against it may pass.
      while: (error) => mayPass(error) || error.reason._tag === "Rejected",
      waiting
    }
  )

const applied = Effect.fnUntraced(function* <R>(
  resource: Resource,
  known: Known,
  settings: Known,
  waiting: Waiting<R>
) {
  /** What this run has asked for. */
  let asked: Pick<Change, "action" | "members"> | undefined
  let isAnswered = false
  // Each try reads first: a write whose answer was lost may have been done.
  const attempt = Effect.gen(function* () {
    const found = yield* resource.read(known)
    const { desired, members, open } = compared(resource, found, known)
    if (found !== undefined && members.length === 0) return found
    // It was done, and a second time might make a second thing.
    if (isAnswered) return yield* notSeenYet(resource)
    const hindered =
      found === undefined
        ? contradicted(resource, settings)
        : found.isOurs
          ? undefined
          : another(resource, members)
    if (hindered !== undefined) return yield* hindered
    const [name] = open
    if (name !== undefined) return yield* notKnown(resource, name)
    asked = { action: found === undefined ? "create" : "update", members }
    yield* found === undefined
      ? resource.create(desired, known)
      : resource.update(found, desired, known)
    isAnswered = true
    const now = yield* resource.read(known)
    if (now === undefined || compared(resource, now, known).members.length > 0)
      return yield* notSeenYet(resource)
    return now
  })
  const found = yield* patiently(attempt, { limit: patience.writing, waiting })
  return changeOf(resource, asked?.action ?? "none", { ...found, ...asked })
})

interface There {
  readonly resource: Resource
  readonly found: Found
  readonly known: Known
}

/** What is there, last made first. What finds it is read before it. */
const there = Effect.fnUntraced(function* (
  parts: ReadonlyArray<Part>,
  known: Known
): Effect.fn.Return<Result.Result<ReadonlyArray<There>, Interrupted>> {
  const all: Array<There> = []
  const blind = new Map<string, Interrupted>()
  let before = known
  for (const part of parts) {
    if (isPrerequisite(part)) {
      const answer = yield* Effect.result(part.ask(before))
      if (Result.isSuccess(answer)) before = { ...before, ...answer.success }
      // What is not there any more finds nothing, and hinders nothing.
      else if (answer.failure.reason._tag !== "Misconfigured")
        blind.set(part.side, { at: part, error: answer.failure })
      continue
    }
    const read = yield* Effect.result(patiently(part.read(before), { limit: patience.reading }))
    if (Result.isFailure(read)) return Result.fail({ at: part, error: read.failure })
    const found = read.success
    const unseen = found === undefined ? blind.get(part.side) : undefined
    // What would find it could not be asked: nobody knows whether it is there.
    if (unseen !== undefined) return Result.fail(unseen)
    if (found === undefined || found.isDeleted === true) continue
    all.unshift({ resource: part, found, known: before })
    before = { ...before, ...found.known }
  }
  return Result.succeed(all)
})

const removal = ({ found, resource }: There): Change =>
  changeOf(resource, found.isOurs ? "remove" : "keep", {
    isOurs: found.isOurs,
    known: found.known
  })

/** Reads both sides, and gives what {@link destroy} would do, in its order. */
export const planRemoval = Effect.fnUntraced(function* (
  parts: ReadonlyArray<Part>,
  known: Known
): Effect.fn.Return<Result.Result<ReadonlyArray<Change>, Interrupted>> {
  return Result.map(yield* there(parts, known), (all) => all.map(removal))
})

/**
 * Removes what is there and bears our mark, last made first; what is not ours is kept, and told. Run again, it finishes
 * what was half done.
 *
 * @param known settings that are known from the start, under their own names
 */
export const destroy = Effect.fnUntraced(function* <R>(
  parts: ReadonlyArray<Part>,
  known: Known,
  tell: Tell<R>
): Effect.fn.Return<Result.Result<void, Interrupted>, never, R> {
  const all = yield* there(parts, known)
  if (Result.isFailure(all)) return Result.fail(all.failure)
  for (const each of all.success) {
    const { found, resource } = each
    if (found.isOurs) {
      const removed = yield* Effect.result(
        patiently(resource.remove(found, each.known), {
          limit: patience.writing,
          waiting: (error) => tell({ _tag: "Waiting", part: resource, error })
        })
      )
      if (Result.isFailure(removed)) return Result.fail({ at: resource, error: removed.failure })
    }
    yield* tell({ _tag: "Done", change: removal(each) })
  }
  return Result.void
})

const failure = ({ side }: Part, reason: FederationError["reason"]) =>
  new FederationError({ adapter: side, stage: "configuration", reason })

/** The settings say that it is there, and it is not. */
const contradicted = (resource: Resource, settings: Known): FederationError | undefined => {
  const name = resource.makes.find((each) => settings[each] !== undefined)
  return name === undefined
    ? undefined
    : failure(
        resource,
        new Misconfigured({
          setting: name,
          problem: `is "${settings[name]}", and there is no such ${resource.kind} for who asks`,
          hint: `Correct it; or leave its variable unset, and the ${resource.kind} is made.`
        })
      )
}

/** It is there, made by somebody else, and not as it must be. */
const another = (resource: Resource, members: ReadonlyArray<MemberChange>): FederationError =>
  failure(
    resource,
    new Misconfigured({
      setting: `the ${resource.kind} ${resource.name}`,
      problem: `is there already, was not made by this flow, and differs in ${members.map(({ member }) => member).join(", ")}`,
      hint: "It is left alone. Change it by hand; or choose another name for this one in `trust:`."
    })
  )

const notKnown = (resource: Resource, name: string) =>
  failure(
    resource,
    new Misconfigured({
      setting: name,
      problem: `is not known, and the ${resource.kind} needs it`,
      hint: "Look at what was told of the parts before it."
    })
  )

const missing = (part: Prerequisite) =>
  failure(part, new Transient({ detail: `The ${part.kind} ${part.name} is not to be had yet` }))

const notSeenYet = (resource: Resource) =>
  failure(
    resource,
    new Transient({
      detail: `The ${resource.kind} ${resource.name} was written, and is not to be seen yet`
    })
  )
