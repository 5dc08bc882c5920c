import { execFileSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { word } from "@federate/trust/shell"

describe("a shell's word", () => {
  it("is bare when that is safe", () => {
    assert.strictEqual(word("https://localhost:1/a.b-c_d"), "https://localhost:1/a.b-c_d")
  })

  it("is read back by a shell as it was", () => {
    const values = ["", " ", "a b", "it's", `"`, "$HOME", "`id`", "\\", "a\nb", "*", "~", "#", "é"]
    const script = `printf '%s\\0' ${values.map(word).join(" ")}`
    const read = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" })
    assert.deepEqual(read.split("\0").slice(0, -1), values)
  })
})
