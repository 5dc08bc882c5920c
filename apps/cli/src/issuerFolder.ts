/** The folder of an issuer of one's own: its private keys, what it publishes, and what is to happen to its keys. */
import type { KeyRotation } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inWords } from "./files.ts"
import { UsageError } from "./UsageError.ts"

/** What is kept between two calls; no secret. Times are epoch milliseconds. */
export interface Issuer {
  readonly issuer: string
  readonly algorithm: string
  readonly keys: KeyRotation
}

/** The key that signs, and the one that will. Only the owner may read them. */
export const signingKey = "signing-key.pem"
const nextKey = "next-key.pem"

/** What is to be published under the issuer's URL. */
export const site = "public"

const record = "issuer.json"

const Jwk = Schema.StructWithRest(Schema.Struct({ kty: Schema.String, kid: Schema.String }), [
  Schema.Record(Schema.String, Schema.String)
])

const Record = Schema.Struct({
  issuer: Schema.String,
  algorithm: Schema.String,
  keys: Schema.Struct({
    signing: Jwk,
    next: Schema.optionalKey(Schema.Struct({ key: Jwk, signsFrom: Schema.Number })),
    previous: Schema.optionalKey(Schema.Struct({ key: Jwk, publishedUntil: Schema.Number }))
  })
})

const loadOidc = Effect.promise(() => import("@federate/oidc"))

/** Files of the folder, by their names in it. */
const filesOf = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const at = (name: string) => path.join(folder, name)
  const failing =
    (name: string, verb: string) =>
    <A>(effect: Effect.Effect<A, PlatformError>) =>
      Effect.mapError(
        effect,
        (error) =>
          new UsageError({
            problem: `${at(name)} cannot be ${verb}: ${inWords(error)}`,
            hint: "Name the issuer's folder with --directory, and let this user read and write there."
          })
      )
  return {
    /** Whole or not at all. */
    write: (name: string, text: string, mode: number) =>
      Effect.gen(function* () {
        yield* files.makeDirectory(path.dirname(at(name)), { recursive: true })
        yield* files.remove(at(`${name}.new`), { force: true })
        yield* files.writeFileString(at(`${name}.new`), text, { flag: "wx", mode })
        yield* files.rename(at(`${name}.new`), at(name))
      }).pipe(failing(name, "written")),
    read: (name: string) => failing(name, "read")(files.readFileString(at(name))),
    exists: (name: string) => failing(name, "read")(files.exists(at(name))),
    rename: (from: string, to: string) => failing(from, "renamed")(files.rename(at(from), at(to))),
    /** The folder; one that is there stays as it is. */
    make: failing(".", "made")(files.makeDirectory(folder, { recursive: true, mode: 0o700 }))
  }
})

/** Makes the folder, with one key. */
export const create = Effect.fnUntraced(function* (
  folder: string,
  { algorithm, issuer }: Pick<Issuer, "issuer" | "algorithm">
) {
  const { make } = yield* filesOf(folder)
  yield* make
  const signing = yield* makeKey(folder, signingKey, algorithm)
  yield* save(folder, { issuer, algorithm, keys: { signing } })
})

/** Whether there is one already. */
export const exists = Effect.fnUntraced(function* (folder: string) {
  return yield* (yield* filesOf(folder)).exists(record)
})

export const load = Effect.fnUntraced(function* (
  folder: string
): Effect.fn.Return<Issuer, UsageError, FileSystem.FileSystem | Path.Path> {
  const text = yield* (yield* filesOf(folder)).read(record)
  const document = Result.try((): unknown => JSON.parse(text))
  return yield* Effect.mapError(
    Schema.decodeUnknownEffect(Record)(Result.getOrUndefined(document)),
    () =>
      new UsageError({
        problem: `${folder}/${record} is not what federate wrote`,
        hint: "Restore it, or begin again with federate issuer create --force."
      })
  )
})

/** The record comes last: what was begun before it is begun again. */
const save = Effect.fnUntraced(function* (folder: string, state: Issuer) {
  const { publication, publishedKeys } = yield* loadOidc
  const { write } = yield* filesOf(folder)
  const documents = publication(state.issuer, publishedKeys(state.keys))
  for (const [name, document] of Object.entries(documents))
    yield* write(`${site}/${name}`, printed(document), 0o644)
  yield* write(record, printed(state), 0o600)
})

const printed = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`

/** A private key in a file, and its published part. */
const makeKey = Effect.fnUntraced(function* (folder: string, name: string, algorithm: string) {
  const { generateSigningKey } = yield* loadOidc
  const text = yield* generateSigningKey(algorithm)
  yield* (yield* filesOf(folder)).write(name, Redacted.value(text), 0o600)
  return yield* published(folder, name, algorithm)
})

const published = Effect.fnUntraced(function* (folder: string, name: string, algorithm: string) {
  const { readSigningKey } = yield* loadOidc
  const text = Redacted.make(yield* (yield* filesOf(folder)).read(name))
  const key = yield* Effect.mapError(
    readSigningKey(name, text, algorithm),
    ({ hint, problem }) => new UsageError({ problem: `${folder}/${name} ${problem}`, hint })
  )
  return key.published
})

/** A new key, published beside the one that signs. */
export const announce = Effect.fnUntraced(function* (folder: string, state: Issuer, now: number) {
  const { announced } = yield* loadOidc
  const key = yield* makeKey(folder, nextKey, state.algorithm)
  const keys = announced(state.keys, key, now)
  yield* save(folder, { ...state, keys })
  return keys
})

/** The new key takes the place of the one that signs. */
export const change = Effect.fnUntraced(function* (
  folder: string,
  state: Issuer,
  next: NonNullable<KeyRotation["next"]>,
  now: number
) {
  const { switched } = yield* loadOidc
  const { exists: isThere, rename } = yield* filesOf(folder)
  // It was done before, where the last call came no further.
  if (yield* isThere(nextKey)) yield* rename(nextKey, signingKey)
  const { kid } = yield* published(folder, signingKey, state.algorithm)
  if (kid !== next.key.kid) {
    return yield* new UsageError({
      problem: `${folder}/${nextKey} is gone, and ${signingKey} is not the key that was published to be next`,
      hint: "Restore it, or begin again with federate issuer create --force."
    })
  }
  const keys = switched(state.keys, next, now)
  yield* save(folder, { ...state, keys })
  return keys
})

/** What signed before is published no longer. */
export const complete = Effect.fnUntraced(function* (folder: string, state: Issuer) {
  const { completed } = yield* loadOidc
  const keys = completed(state.keys)
  yield* save(folder, { ...state, keys })
  return keys
})
