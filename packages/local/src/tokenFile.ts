/** A token in a file, read anew each time: whoever rotates it puts another file, or other words, in its place. */
import { constants } from "node:fs"
import type { Stats } from "node:fs"
import { open } from "node:fs/promises"
import { setTimeout } from "node:timers/promises"
import { Assertion, Misconfigured, Transient, Unavailable } from "@federate/core"
import type { Malformed, Reason } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"

/** Tokens are far smaller; what is larger is not read. In bytes. */
const maximumSize = 64 * 1024

/** For how long after a write there may be another that completes it, in milliseconds. */
const completion = 1000

/** What was written less long ago is read once more after as long, in milliseconds: it may have looked whole. */
const stillness = 50

/** A file is looked at three times within half a second, where somebody may be putting another in its place. */
const looks = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 2 }))

export interface TokenFile {
  /** What names the file, for the error. */
  readonly setting: string
  readonly path: string
  /** What would make the file be there. */
  readonly absent?: string | undefined
}

/**
 * The file's text, without blanks and ends of lines around it. A file that is not there is `Unavailable`; one that is
 * empty, as some writers leave it for a moment, is `Transient`: both after three looks within half a second. A directory,
 * a pipe, and what this process may not read are `Misconfigured`; none of them makes it wait.
 */
export const readTokenFile = (
  file: TokenFile
): Effect.Effect<Redacted.Redacted, Unavailable | Misconfigured | Transient> =>
  settled<Redacted.Redacted, never>(file, Result.succeed)

/**
 * The assertion that the file holds, whose end is a time on our clock. Words that are no JWT are `Malformed`; but
 * `Transient` while they are so new that they may be the half of one.
 */
export const readAssertionFile = Effect.fnUntraced(function* (
  file: TokenFile
): Effect.fn.Return<Assertion.Assertion, Reason> {
  const obtainedAt = yield* Clock.currentTimeMillis
  return yield* settled(file, (token) => Assertion.fromJwt(token, { obtainedAt }))
})

/**
 * The same as {@link readTokenFile} by one look, whatever becomes of the file in the next moment: for what can be done
 * without.
 */
export const glanceAtTokenFile = (
  file: TokenFile
): Effect.Effect<Redacted.Redacted, Unavailable | Misconfigured | Transient> =>
  Effect.map(contents(file), ({ token }) => token)

/** What can be made of the text, and of nothing that may be half of it. */
const settled = <A, E extends Malformed>(
  file: TokenFile,
  make: (token: Redacted.Redacted) => Result.Result<A, E>
): Effect.Effect<A, E | Unavailable | Misconfigured | Transient> =>
  contents(file).pipe(
    Effect.flatMap(({ age, token }): Effect.Effect<A, E | Transient> => {
      const made = make(token)
      return Result.isFailure(made) && age < completion
        ? Effect.fail(
            new Transient({
              detail: `${file.path} was written just now, and holds no token yet`
            })
          )
        : Effect.fromResult(made)
    }),
    Effect.retry({
      schedule: looks,
      while: ({ _tag }) => _tag === "Unavailable" || _tag === "Transient"
    })
  )

interface Contents {
  readonly token: Redacted.Redacted
  /** Since it was written. */
  readonly age: number
}

const contents = ({
  absent = "Run where the platform writes its token there.",
  path,
  setting
}: TokenFile): Effect.Effect<Contents, Unavailable | Misconfigured | Transient> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: (signal) => readWhole(path, signal),
      catch: (error) => {
        const code = error instanceof Error && "code" in error ? String(error.code) : "no code"
        return code === "ENOENT" || code === "ENOTDIR"
          ? new Unavailable({ detail: `There is no file ${path}`, hint: absent })
          : new Misconfigured({
              setting,
              problem: `${path} cannot be read (${code})`,
              hint: "Let this process read it."
            })
      }
    }),
    (found) => Effect.fromResult(checked(setting, path, found))
  )

interface Found {
  readonly stats: Stats
  readonly text: string
}

/** By the machine's clock, not Effect's: so are the times of files. In milliseconds; below zero where that is ahead. */
const ageOf = ({ mtimeMs }: Stats): number => Date.now() - mtimeMs

const readWhole = async (path: string, signal: AbortSignal): Promise<Found> => {
  const found = await read(path)
  const isNew = found.stats.isFile() && Math.abs(ageOf(found.stats)) < stillness
  if (!isNew) return found
  await setTimeout(stillness, undefined, { signal })
  return read(path)
}

/** At once, whatever it is: a pipe is opened without waiting for somebody to write, and not read. */
const read = async (path: string): Promise<Found> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > maximumSize) return { stats, text: "" }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maximumSize), 0, maximumSize, 0)
    return { stats, text: buffer.toString("utf8", 0, bytesRead) }
  } finally {
    await file.close()
  }
}

const checked = (
  setting: string,
  path: string,
  { stats, text }: Found
): Result.Result<Contents, Misconfigured | Transient> => {
  const misconfigured = (problem: string) =>
    Result.fail(
      new Misconfigured({
        setting,
        problem: `${path} ${problem}`,
        hint: "Name the file that holds it and nothing else."
      })
    )
  if (!stats.isFile()) {
    return misconfigured(`is ${stats.isDirectory() ? "a directory" : "no ordinary file"}`)
  }
  if (stats.size > maximumSize) return misconfigured(`has ${stats.size} bytes, far too many`)
  const token = text.trim()
  return token === ""
    ? Result.fail(new Transient({ detail: `${path} is empty` }))
    : Result.succeed({ token: Redacted.make(token), age: ageOf(stats) })
}
