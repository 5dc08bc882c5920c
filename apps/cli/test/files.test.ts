import { systemError } from "effect/PlatformError"
import type { SystemErrorTag } from "effect/PlatformError"
import { assert, describe, it } from "vitest"
import { inWords } from "../src/files.ts"

describe("why a file cannot be used", () => {
  it.each<[SystemErrorTag, string]>([
    ["NotFound", "there is no such file or folder"],
    ["PermissionDenied", "permission is denied"],
    ["BadResource", "it is a folder, or its folder is a file"],
    ["Busy", "it is in use"],
    ["TimedOut", "TimedOut"]
  ])("%s is %s", (tag, words) => {
    const error = systemError({ _tag: tag, module: "FileSystem", method: "readFile" })
    assert.strictEqual(inWords(error), words)
  })
})
