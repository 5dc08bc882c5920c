import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { federate } from "./command.ts"
import manifest from "../package.json" with { type: "json" }

const commands = ["token", "run", "credential", "inspect", "init", "schema", "sandbox"]

/** Those that do something by themselves. */
const whole = [
  ...commands.filter((command) => command !== "credential"),
  ...["aws-process", "google-executable", "kubectl", "git"].map((each) => `credential ${each}`)
]

describe("help", () => {
  it.effect.each(whole)("is there for %s, with examples", (command) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate([...command.split(" "), "--help"])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      assert.match(stdout, /^DESCRIPTION\n/)
      assert.include(stdout, `USAGE\n  federate ${command} [flags]`)
      assert.include(stdout, "--config, -c file")
      assert.match(stdout, new RegExp(`EXAMPLES\\n {2}# .+\\n {2}.*federate ${command}`))
      // Nothing here is a terminal.
      assert.notInclude(stdout, "\u001b")
    })
  )

  it.effect("lists every command, and what holds for all of them", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* federate(["--help"])
      assert.strictEqual(code, 0)
      for (const command of commands) assert.include(stdout, `\n  ${command} `)
      assert.include(stdout, "--completions <bash|zsh|fish")
      assert.include(stdout, "--log-level <all|trace|debug")
    })
  )

  it.effect("is what nobody asked for without a command: on standard error", () =>
    Effect.gen(function* () {
      const asked = yield* federate(["--help"])
      assert.deepEqual(yield* federate([]), { code: 2, stdout: "", stderr: asked.stdout })
    })
  )
})

describe("the version", () => {
  it.effect("is the package's", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* federate(["--version"]), {
        code: 0,
        stdout: `federate v${manifest.version}\n`,
        stderr: ""
      })
    })
  )
})

describe("completions", () => {
  it.effect.each(["bash", "zsh", "fish"])("are there for %s", (shell) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["--completions", shell])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      for (const word of [...commands, "wait-propagation"]) assert.include(stdout, word)
    })
  )
})

describe("a call that cannot be", () => {
  it.effect.each([
    {
      args: ["token"],
      told: `✗ Missing required argument: flow
  fix          Usage: federate token [flags] <flow>
               More: federate token --help
`
    },
    {
      args: ["token", "--scpe", "x", "graph"],
      told: `✗ Unrecognized flag: --scpe in command federate token
  fix          Did you mean --scope?
               Usage: federate token [flags] <flow>
               More: federate token --help
`
    },
    {
      args: ["toke", "graph"],
      told: `✗ Unknown subcommand "toke" for "federate"
  fix          Did you mean token?
               Usage: federate <subcommand> [flags]
               More: federate --help
`
    },
    {
      args: ["token", "graph", "--config"],
      told: `✗ Missing value for flag --config. Expected: file
  fix          Usage: federate token [flags] <flow>
               More: federate token --help
`
    },
    {
      args: ["sandbox", "--port", "70000"],
      told: `✗ --port cannot be "70000"
  fix          Expected a port from 0 to 65534; https takes the next one
               Usage: federate sandbox [flags]
               More: federate sandbox --help
`
    },
    {
      args: ["schema", "a", "b"],
      told: `✗ Unexpected positional arguments: "a", "b"
  fix          Usage: federate schema [flags]
               More: federate schema --help
`
    }
  ])("leaves standard output alone: $args", ({ args, told }) =>
    Effect.gen(function* () {
      assert.deepEqual(yield* federate(args), { code: 2, stdout: "", stderr: told })
    })
  )

  it.effect("is told as JSON where JSON was asked for", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* federate(["token", "--json"])
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.deepInclude(JSON.parse(stderr), {
        error: "UsageError",
        problem: "Missing required argument: flow"
      })
    })
  )
})

describe("a fault of its own", () => {
  const failing = { stdin: Stream.die(new RangeError("of eyJhbGciOiJSUzI1NiJ9")) }

  it.effect("is one line, and ends with 70", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* federate(["inspect"], failing), {
        code: 70,
        stdout: "",
        stderr:
          "✗ This is a fault of federate's own (RangeError); --log-level debug tells where it happened\n"
      })
    })
  )

  it.effect("says with --log-level debug where it happened, and still nothing else", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* federate(["inspect", "--log-level", "debug"], failing)
      assert.strictEqual(code, 70)
      assert.match(stderr, /DEBUG[^]*at .*cli\.test\.ts:\d+:\d+/)
      assert.notInclude(stderr, "eyJ")
    })
  )
})
