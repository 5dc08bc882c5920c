import { WriteStream } from "node:tty"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { err, out } from "../src/style.ts"

/** As if standard error were a terminal, and standard output were not. */
const terminal = process.stderr

describe("colour", () => {
  beforeEach(() => {
    for (const name of ["CI", "FORCE_COLOR", "NO_COLOR", "NODE_DISABLE_COLORS"]) {
      vi.stubEnv(name, undefined)
    }
    vi.stubEnv("TERM", "xterm-256color")
    Object.assign(process.stdout, { isTTY: false })
    Object.assign(terminal, { isTTY: true, getColorDepth: WriteStream.prototype.getColorDepth })
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    Object.assign(terminal, { isTTY: false })
  })

  it("is on a terminal alone", () => {
    assert.strictEqual(err("bold")("x"), "\u001b[1mx\u001b[22m")
    assert.isTrue(err.colours())
    assert.strictEqual(out("bold")("x"), "x")
    assert.isFalse(out.colours())
  })

  it("is not there under NO_COLOR", () => {
    vi.stubEnv("NO_COLOR", "1")
    assert.strictEqual(err("red")("x"), "x")
    assert.isFalse(err.colours())
  })

  it("is not there on a dumb terminal", () => {
    vi.stubEnv("TERM", "dumb")
    assert.isFalse(err.colours())
  })
})
