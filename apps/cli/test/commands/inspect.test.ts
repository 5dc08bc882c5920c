import type { TokenOptions } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { cloud } from "../cloud.ts"
import { federate } from "../command.ts"
import type { Surroundings } from "../command.ts"

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = [
  part({ alg: "RS256" }),
  part({ iss: "https://issuer.example", exp: 720 }),
  "AAAA"
].join(".")

/** What is seen of it: header, claims, signature. */
const seen = `Header
  alg  RS256  — signature algorithm
Claims
  iss  https://issuer.example               — who issued it
  exp  1970-01-01 00:12:00 UTC (in 12 min)  — ends
Signature
  not checked (--verify fetches the issuer's keys and checks it)
`

describe("federate inspect", () => {
  it.effect.each([
    ["an argument", [jwt], ""],
    ["standard input", [], `${jwt}\n`],
    ["standard input, by name", ["-"], jwt],
    ["a header's value", [`Bearer ${jwt}`], ""]
  ] as const)("reads %s", ([, args, stdin]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      const outcome = yield* federate(["inspect", ...args], { stdin })
      assert.deepEqual(outcome, { code: 0, stdout: seen, stderr: "" })
    })
  )

  it.effect("prints JSON", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* federate(["inspect", jwt, "--json"])
      assert.strictEqual(code, 0)
      assert.deepEqual(JSON.parse(stdout), {
        header: { alg: "RS256" },
        claims: { iss: "https://issuer.example", exp: 720 }
      })
    })
  )

  describe("what cannot be read", () => {
    const told = Effect.fnUntraced(function* (
      args: ReadonlyArray<string>,
      surroundings: Surroundings = {}
    ) {
      const { code, stderr, stdout } = yield* federate(["inspect", ...args], surroundings)
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      return stderr.split("\n")[0]
    })

    it.effect.each([
      ["a.b", "✗ The token is not a JWT: it is 2 parts, and not three divided by dots"],
      [`e30.${part([])}.AAAA`, "✗ The JWT's payload is not a JSON object"],
      [`e30.${part("x").slice(0, -2)}.AAAA`, "✗ The JWT's payload is not JSON"],
      [`e30.e30.A=`, "✗ The JWT's signature has a character at 2 that base64url does not have"],
      ["!.e30.AAAA", "✗ The JWT's header has a character at 1 that base64url does not have"]
    ] as const)("is told where it is bad: %s", ([bad, message]) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* told([bad]), message)
      })
    )

    it.effect("is nothing", () =>
      Effect.gen(function* () {
        const empty = "✗ There is no token to look at: standard input is empty"
        assert.strictEqual(yield* told([]), empty)
        assert.strictEqual(yield* told(["-"], { stdin: " \n" }), empty)
        assert.strictEqual(yield* told([], { person: true }), "✗ There is no token to look at")
        assert.strictEqual(yield* told([""]), "✗ The token is empty")
      })
    )

    it.effect("is too much, and is not read to its end", () =>
      Effect.gen(function* () {
        const endless = Stream.forever(Stream.make(Buffer.alloc(1000, "a")))
        const message = "✗ The token is over 16384 characters long"
        assert.strictEqual(yield* told([], { stdin: endless }), message)
        assert.strictEqual(yield* told(["a".repeat(20_000)]), message)
      })
    )

    it.effect("is JSON for machines", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* federate(["inspect", "--json", "x"])
        assert.strictEqual(code, 2)
        assert.deepInclude(JSON.parse(stderr), {
          error: "UsageError",
          problem: "The token is not a JWT: it is one part, and not three divided by dots"
        })
      })
    )
  })

  describe("--verify", () => {
    const sandbox = cloud()
    const issue = (options: Partial<TokenOptions> = {}) =>
      Effect.promise(() =>
        sandbox().issueToken("github", { subject: "me", audience: "you", ...options })
      )
    const verdict = Effect.fnUntraced(function* (token: string) {
      const { code, stderr, stdout } = yield* federate(["inspect", "--verify"], { stdin: token })
      assert.strictEqual(stderr, "")
      return { code, line: stdout.split("\n").at(-2) ?? "" }
    })

    it.live("believes the issuer's signature", () =>
      Effect.gen(function* () {
        assert.deepEqual(yield* verdict(yield* issue()), {
          code: 0,
          line: `  ✓ valid: by a key of ${sandbox().issuerUrl("github")}, within its time`
        })
      })
    )

    it.live("sees that a token was changed, and shows it all the same", () =>
      Effect.gen(function* () {
        const [header, , signature] = (yield* issue()).split(".")
        const iss = sandbox().issuerUrl("github")
        const exp = Math.floor(Date.now() / 1000) + 60
        const forged = [header, part({ iss, sub: "root", exp }), signature].join(".")
        const { code, stdout } = yield* federate(["inspect", "--verify"], { stdin: forged })
        assert.strictEqual(code, 1)
        assert.match(stdout, /sub +root/)
        assert.match(stdout, /✗ not valid: signature: The signature is not by the issuer's key/)
      })
    )

    it.live("sees that a token has ended, and that it is nobody's", () =>
      Effect.gen(function* () {
        const ended = yield* verdict(yield* issue({ lifetime: -600_000 }))
        assert.strictEqual(ended.code, 1)
        assert.match(ended.line, /^ {2}✗ not valid: time: /)
        const nobodys = yield* verdict(yield* issue({ claims: { iss: undefined } }))
        assert.strictEqual(nobodys.code, 1)
        assert.strictEqual(
          nobodys.line,
          "  ✗ not valid: issuer: the token has no iss, so nobody can tell whose keys to fetch"
        )
      })
    )

    it.live("says so as JSON", () =>
      Effect.gen(function* () {
        const check = Effect.fnUntraced(function* (token: string) {
          const { code, stdout } = yield* federate(["inspect", token, "--verify", "--json"])
          return { code, ...JSON.parse(stdout) }
        })
        assert.deepInclude(yield* check(yield* issue()), { code: 0, verified: true })
        assert.deepInclude(yield* check(yield* issue({ lifetime: -600_000 })), {
          code: 1,
          verified: false
        })
      })
    )

    it.live("tells that the issuer cannot be reached", () =>
      Effect.gen(function* () {
        const iss = sandbox().https.replace(/\d+$/, "1")
        const token = yield* issue({ claims: { iss } })
        const { code, stderr, stdout } = yield* federate(["inspect", token, "--verify"])
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        assert.match(stderr, /could not be reached, or is busy/)
        assert.include(stderr, "localhost:1")
        assert.notMatch(stderr, /eyJ/)
      })
    )
  })
})
