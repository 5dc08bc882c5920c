import { closeSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Lines from "../src/lines.ts"

const coded = (code: string) => Object.assign(new Error(code), { code })

/** Lines to something that takes what a test says. */
const to = (take: (text: string) => number) => {
  const got: Array<string> = []
  const lines = Lines.make(
    9,
    (count) => `lost ${count}`,
    (_, bytes) => {
      const text = Buffer.from(bytes).toString()
      const taken = take(text)
      got.push(text.slice(0, taken))
      return taken
    }
  )
  return { ...lines, got, text: () => got.join("") }
}

const all = (text: string): number => text.length

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe("lines", () => {
  it("are written in one go, before this process waits again", async () => {
    const { got, write } = to(all)
    write("a")
    write("b")
    assert.deepEqual(got, [])
    await nextTurn()
    assert.deepEqual(got, ["a\nb\n"])
    write("c")
    await nextTurn()
    assert.deepEqual(got, ["a\nb\n", "c\n"])
  })

  it("are written at once when there are many", () => {
    const { got, write } = to(all)
    for (let index = 0; index < 1000; index++) write("x".repeat(100))
    assert.isAbove(got.length, 0)
  })

  it("are of any length, in one piece or more", () => {
    const { flush, text, write } = to(all)
    const long = "x".repeat(200_000)
    write("a", Buffer.from("b"), long)
    write(long, long)
    write("c", "")
    flush()
    assert.isTrue(text() === `ab${long}\n${long}${long}\nc\n`)
  })

  it("are written when it is asked for, and once", async () => {
    const { flush, got, write } = to(all)
    write("a")
    flush()
    flush()
    await nextTurn()
    assert.deepEqual(got, ["a\n"])
  })

  it("wait for a reader that is slow, and takes them piece by piece", () => {
    let full = false
    const { flush, text, write } = to((rest) => {
      full = !full
      if (full) throw coded("EAGAIN")
      return Math.min(rest.length, 2)
    })
    write("abcdef")
    flush()
    assert.strictEqual(text(), "abcdef\n")
  })

  it("that cannot be written are told of when others can", () => {
    let broken = true
    const { flush, text, write } = to((rest) => {
      if (broken) throw coded("ENOSPC")
      return rest.length
    })
    write("a")
    write("b")
    flush()
    write("c")
    flush()
    broken = false
    write("d")
    flush()
    write("e")
    flush()
    assert.strictEqual(text(), "lost 3\nd\ne\n")
  })

  it("do not run into the piece of one that was torn", () => {
    let room = 2
    const { flush, text, write } = to((rest) => {
      if (room === 0) throw coded("EPIPE")
      const taken = Math.min(room, rest.length)
      room -= taken
      return taken
    })
    write("abc")
    flush()
    room = 100
    write("d")
    flush()
    assert.strictEqual(text(), "ab\nlost 1\nd\n")
  })

  it("go to a file", () => {
    const file = join(tmpdir(), `federate-lines-${process.pid}`)
    const descriptor = openSync(file, "w")
    const { flush, write } = Lines.make(descriptor, String)
    write("ä")
    flush()
    closeSync(descriptor)
    assert.strictEqual(readFileSync(file, "utf8"), "ä\n")
    rmSync(file)
  })
})
