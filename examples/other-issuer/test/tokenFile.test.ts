import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { Effect, Redacted } from "effect"
import { tokenFile } from "../src/tokenFile.ts"

const jwt = Redacted.value(assertionFor("my-workload").token)

/** A platform that has left this. */
const left = (text: string) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
      (made) => Effect.promise(() => rm(made, { recursive: true }))
    )
    const file = join(directory, "token")
    yield* Effect.promise(() => writeFile(file, text))
    return tokenFile(file)
  })

ambientSourceContract("The token file", {
  make: left(`${jwt}\n`),
  assertion: jwt,
  life: 900,
  refused: [
    {
      name: "no file",
      make: Effect.sync(() => tokenFile("/nowhere/token")),
      becomes: "Unavailable"
    },
    { name: "an empty file", make: left(""), becomes: "Malformed" },
    { name: "a file with something else", make: left("opaque"), becomes: "Malformed" }
  ]
})
