import { existsSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { executable } from "@federate/ambient"
import type { ExecutableOptions } from "@federate/ambient"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { program } from "./programs.ts"

const jwt = Redacted.value(assertionFor("workload").token)

const running = (script: string, options: Partial<ExecutableOptions> = {}) =>
  Effect.flatMap(program(script), (path) =>
    // The longest, so that a clock that runs on for the sake of others does not end it.
    executable({ command: [path], timeout: "2 minutes", ...options })
  )

const printing = (answer: unknown) => `printf '%s\\n' '${JSON.stringify(answer)}'`

const good = {
  version: 1,
  success: true,
  token_type: "urn:ietf:params:oauth:token-type:id_token",
  id_token: jwt,
  expiration_time: 900
}

/** Where a program that hangs says that it runs. */
const mark = join(tmpdir(), `federate-executable-${process.pid}`)
const hangs = () => {
  if (!existsSync(mark)) return false
  const pid = Number(readFileSync(mark, "utf8"))
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const [name, script] of [
  ["A program that prints a token", `printf '\\n%s\\n' ${jwt}`],
  ["A program of Google's protocol", printing(good)]
] as const) {
  ambientSourceContract(name, {
    make: running(script),
    assertion: jwt,
    life: 900,
    secrets: ["SECRET"],
    refused: [
      { name: "nothing", make: running("exit 0"), becomes: "Malformed" },
      {
        name: "words for people alone",
        make: running("echo SECRET >&2"),
        becomes: "Malformed"
      },
      { name: "a bad end", make: running("echo SECRET; exit 1"), becomes: "Malformed" },
      { name: "other words", make: running("echo SECRET"), becomes: "Malformed" },
      {
        name: "a gigabyte",
        make: running("head -c 1000000000 /dev/zero"),
        becomes: "Malformed"
      },
      {
        name: "no",
        make: running(
          printing({ version: 1, success: false, code: "401", message: "Sign in first." })
        ),
        becomes: "Rejected",
        code: "401",
        hint: /by hand/
      },
      {
        name: "a token that has ended",
        make: running(`echo ${Redacted.value(assertionFor("workload", 0, { exp: 0 }).token)}`),
        becomes: "Misconfigured",
        hint: /get a new one/
      },
      {
        name: "no program",
        make: executable({ command: ["/nowhere/program"] }),
        becomes: "Misconfigured"
      }
    ],
    hanging: {
      make: Effect.andThen(
        Effect.addFinalizer(() => Effect.sync(() => rmSync(mark, { force: true }))),
        running(`trap "" TERM; echo $$ > '${mark}'; while :; do sleep 1; done`)
      ),
      held: hangs
    }
  })
}

describe("a program", () => {
  /** A program that prints a token for whom it is told. */
  const forWhom = (told: string) =>
    `payload=$(printf '{"iss":"x","sub":"s","aud":"%s"}' "${told}" | base64 -w0 | tr '+/' '-_' | tr -d =)
printf '%s' "eyJhbGciOiJSUzI1NiJ9.$payload.c2ln"`

  it.effect("is told for whom by an argument, or by Google's variable", () =>
    Effect.gen(function* () {
      for (const [script, command] of [
        [forWhom("$2"), ["--for", "{audience}"]],
        [forWhom("$1"), ["{audience}"]],
        [forWhom("$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"), []]
      ] as const) {
        const path = yield* program(script)
        const source = yield* executable({ command: [path, ...command], audience: "mine" })
        for (const [request, audience] of [
          [{ audience: "$(id); $& a" }, "$(id); $& a"],
          [{ preferredAudience: "theirs" }, "mine"]
        ] as const)
          assert.deepStrictEqual((yield* source.assertion(request)).audience, [audience])
      }
    })
  )

  it.effect("that must be told for whom is not run for nobody", () =>
    Effect.gen(function* () {
      const source = yield* executable({ command: ["/bin/echo", "{audience}"] })
      const { message } = yield* Effect.flip(source.assertion({}))
      assert.match(message, /audience: nobody is named/)
    })
  )

  it.effect("that cannot be is told before it is run", () =>
    Effect.gen(function* () {
      for (const [options, text] of [
        [{ command: [] }, /command: does not begin with an absolute path/],
        [{ command: ["echo", "x"] }, /command: does not begin with an absolute path/],
        [{ command: ["/bin/echo"], timeout: "1 second" }, /timeout: is 1 s.*From 5 s to 120 s/],
        [{ command: ["/bin/echo"], timeout: "1 hour" }, /timeout: is 3600 s/]
      ] as const) {
        const { message, stage } = yield* Effect.flip(executable(options))
        assert.strictEqual(stage, "configuration")
        assert.match(message, text)
      }
    })
  )
})
