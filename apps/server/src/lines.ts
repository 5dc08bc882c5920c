/** Lines on a file descriptor: in order, each whole, and none lost without a word. */
import { writeSync } from "node:fs"

export interface Lines {
  /** Takes a line without its end, in one piece or more. It is written before this process waits for anything again. */
  readonly write: (...pieces: ReadonlyArray<string | Uint8Array>) => void
  /** Writes what was taken. */
  readonly flush: () => void
}

/** So much is written without waiting for more, in bytes. */
const enough = 64 * 1024

/** Room for that, and for one more line; longer ones are given theirs. */
const usual = 2 * enough

/** How long a reader that has no room is given before it is tried again, in milliseconds. */
const pause = 5

const end = Buffer.from("\n")

/**
 * Batches lines into one write for each turn of the event loop. Writing blocks for as long as the reader takes: what goes
 * out of this process, its log tells. What cannot be written at all (a full disk, a reader that has gone) is counted, and
 * told in a line of its own as soon as one can be written.
 *
 * @param lost makes that line
 */
export const make = (
  descriptor: number,
  lost: (count: number) => string,
  write: (descriptor: number, bytes: Uint8Array) => number = writeSync
): Lines => {
  // One for all of them: under load there are tens of thousands a second.
  let pending = Buffer.allocUnsafeSlow(usual)
  let length = 0
  let count = 0
  let missing = 0
  let torn = false
  let scheduled = false

  const put = (bytes: Uint8Array): void => {
    let rest = bytes
    while (rest.length > 0) {
      try {
        rest = rest.subarray(write(descriptor, rest))
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) {
          torn ||= rest.length < bytes.length
          throw error
        }
        Atomics.wait(sleeper, 0, 0, pause)
      }
    }
  }

  const flush = (): void => {
    scheduled = false
    if (count === 0) return
    const taken = count
    const lines = pending.subarray(0, length)
    length = 0
    count = 0
    try {
      const first = `${torn ? "\n" : ""}${missing === 0 ? "" : `${lost(missing)}\n`}`
      put(first === "" ? lines : Buffer.concat([Buffer.from(first), lines]))
      missing = 0
      torn = false
    } catch {
      missing += taken
    }
    if (pending.length > usual) pending = Buffer.allocUnsafeSlow(usual)
  }

  const append = (bytes: Uint8Array): void => {
    const needed = length + bytes.length
    if (needed > pending.length) {
      const larger = Buffer.allocUnsafeSlow(needed + usual)
      larger.set(pending.subarray(0, length))
      pending = larger
    }
    pending.set(bytes, length)
    length = needed
  }

  return {
    write: (...pieces) => {
      for (const piece of pieces) append(typeof piece === "string" ? Buffer.from(piece) : piece)
      append(end)
      count++
      if (length >= enough) flush()
      else if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
    },
    flush
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
