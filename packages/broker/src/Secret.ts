/** What a caller must know: made at start, compared in constant time. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import * as Redacted from "effect/Redacted"

export interface Secret {
  /** 43 characters of base64url: nothing that a header, a shell or a file would have to quote. */
  readonly text: Redacted.Redacted
  /** Takes as long for what is nearly right as for what is wrong. */
  readonly matches: (given: string | undefined) => boolean
}

/** 256 bits. */
export const random = (): Redacted.Redacted => Redacted.make(randomBytes(32).toString("base64url"))

/** No secret at all: for a way in that the file system guards. */
export const open: Secret = { text: Redacted.make(""), matches: () => true }

/** One of several secrets out of one: who knows this one does not know the others. */
export const derive = (master: Redacted.Redacted, use: string): Secret => {
  const text = createHmac("sha256", Redacted.value(master)).update(use).digest("base64url")
  const expected = Buffer.from(text)
  // One for all that is given, with room for a character too many: one that does not fit is not written at all.
  const room = Buffer.alloc(expected.length + 4)
  const bytes = room.subarray(0, expected.length)
  return {
    text: Redacted.make(text),
    matches: (given = "") =>
      room.write(given) === expected.length && timingSafeEqual(bytes, expected)
  }
}
