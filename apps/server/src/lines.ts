/** Lines on a file descriptor: in order, each whole, and none lost without a word. */
import { writeSync } from "node:fs"

export interface Lines {
  /** Takes a line without its end. It is written before this process waits for anything again. */
  readonly write: (line: string) => void
  /** Writes what was taken. */
  readonly flush: () => void
}

/** So much is written without waiting for more, in characters. */
const enough = 64 * 1024

/** How long a reader that has no room is given before it is tried again, in milliseconds. */
const pause = 5

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
  let pending = ""
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
    const text = `${torn ? "\n" : ""}${missing === 0 ? "" : `${lost(missing)}\n`}${pending}`
    const taken = count
    pending = ""
    count = 0
    try {
      put(Buffer.from(text))
      missing = 0
      torn = false
    } catch {
      missing += taken
    }
  }

  return {
    write: (line) => {
      pending += `${line}\n`
      count++
      if (pending.length >= enough) flush()
      else if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
    },
    flush
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
