import { ConfigError } from "@federate/config"
import {
  FederationError,
  Malformed,
  Misconfigured,
  Rejected,
  Transient,
  Unavailable
} from "@federate/core"
import type { Reason, Stage } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Logger, References } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { json, lines, report } from "../src/report.ts"
import type { Failure, Options, Stopped } from "../src/report.ts"
import { UsageError } from "../src/UsageError.ts"
import { plain } from "./plain.ts"

plain()

const now = Date.UTC(2026, 10, 23, 6, 0, 0)

const failure = (reason: Reason, stage: Stage = "exchange") =>
  new FederationError({ adapter: "entra", stage, reason })

const text = (each: Failure) => lines(each, now).join("\n")

const refused = failure(
  new Rejected({
    code: "AADSTS700213",
    status: 400,
    description: "No matching federated identity record found",
    hint: "Set the subject to what the token says.\nIt is compared to the letter.",
    remedy: "waitForTrust",
    reference: {
      requestId: "the-request",
      traceId: "the-trace",
      correlationId: "the-correlation",
      timestamp: "2026-11-23 06:00:00Z"
    }
  })
)

describe("a failure on a terminal", () => {
  it("names what failed at which step, the code, the words, the fix and the ids", () => {
    assert.strictEqual(
      text(refused),
      `✗ entra said no, exchanging the assertion
  code         AADSTS700213 (HTTP 400)
  said         No matching federated identity record found
  fix          Set the subject to what the token says.
               It is compared to the letter.
  request      the-request
  trace        the-trace
  correlation  the-correlation
  at           2026-11-23 06:00:00Z`
    )
  })

  it("leaves out what nobody told", () => {
    const bare = new Rejected({
      code: "access_denied",
      description: "No",
      hint: "Ask",
      remedy: "none"
    })
    assert.strictEqual(
      text(failure(bare, "assertion")),
      `✗ entra said no, getting the assertion
  code         access_denied
  said         No
  fix          Ask`
    )
  })

  it("says which setting is wrong", () => {
    const reason = new Misconfigured({ setting: "tenantId", problem: "is empty", hint: "Give it." })
    assert.strictEqual(
      text(failure(reason, "configuration")),
      `✗ entra is set up wrong, before any call
  setting      tenantId
  problem      is empty
  fix          Give it.`
    )
  })

  it("says when to come back", () => {
    const reason = new Transient({ detail: "Too many calls", retryAt: now + 90_000 })
    assert.strictEqual(
      text(failure(reason)),
      `✗ entra could not be reached, or is busy, exchanging the assertion
  why          Too many calls
  again        in 1 min, at 2026-11-23 06:01:30 UTC`
    )
    assert.strictEqual(
      text(failure(new Transient({ detail: "No answer" }))),
      `✗ entra could not be reached, or is busy, exchanging the assertion
  why          No answer`
    )
  })

  it("says what is not there, and what makes no sense", () => {
    assert.strictEqual(
      text(failure(new Unavailable({ detail: "No keys", hint: "Set them." }), "assertion")),
      `✗ entra is not available here, getting the assertion
  why          No keys
  fix          Set them.`
    )
    assert.strictEqual(
      text(failure(new Malformed({ detail: "It is not JSON" }))),
      `✗ entra gave an answer that is not what its protocol says, exchanging the assertion
  why          It is not JSON`
    )
  })

  it("lists what is wrong with a config file", () => {
    const problems = [
      { path: "", message: "has no flows" },
      { path: "flows.graph.source", message: "is missing" }
    ]
    assert.strictEqual(
      text(new ConfigError({ file: "federate.yaml", problems })),
      `✗ federate.yaml cannot be used
  has no flows
  flows.graph.source: is missing`
    )
  })

  it("obeys nothing that the other side wrote", () => {
    const reason = new Rejected({
      code: "\u001b[2J",
      description: "\u001b]0;owned\u0007",
      hint: "a\u009b31mb",
      remedy: "none"
    })
    for (const control of "\u001b\u0007\u009b") {
      assert.notInclude(text(failure(reason)), control)
    }
  })
})

describe("a failure as JSON", () => {
  it("has error and message, and all that is known", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(json(refused))), {
      error: "Rejected",
      message:
        "entra: AADSTS700213: No matching federated identity record found. Set the subject to what the token says.\nIt is compared to the letter.",
      adapter: "entra",
      stage: "exchange",
      code: "AADSTS700213",
      status: 400,
      description: "No matching federated identity record found",
      hint: "Set the subject to what the token says.\nIt is compared to the letter.",
      remedy: "waitForTrust",
      reference: {
        requestId: "the-request",
        traceId: "the-trace",
        correlationId: "the-correlation",
        timestamp: "2026-11-23 06:00:00Z"
      }
    })
    const problems = [{ path: "flows", message: "is missing" }]
    assert.deepEqual(json(new ConfigError({ file: "f.yaml", problems })), {
      error: "ConfigError",
      message: "f.yaml: flows: is missing",
      file: "f.yaml",
      problems
    })
    assert.deepEqual(json(new UsageError({ problem: "Not so", hint: "But so." })), {
      error: "UsageError",
      message: "Not so. But so.",
      problem: "Not so",
      hint: "But so."
    })
  })
})

describe("what a command ends with", () => {
  const status = (effect: Effect.Effect<never, Failure | Stopped>, options: Options) =>
    Effect.map(Effect.flip(effect.pipe(report(options))), ({ code }) => code)

  it.effect.each([
    [failure(new Unavailable({ detail: "" })), 1],
    [refused, 1],
    [failure(new Transient({ detail: "" })), 1],
    [failure(new Malformed({ detail: "" })), 1],
    [failure(new Misconfigured({ setting: "", problem: "", hint: "" })), 2],
    [new ConfigError({ file: "", problems: [] }), 2],
    [new UsageError({ problem: "", hint: "" }), 2]
  ] as const)("is told once, and gives its status: %s", ([each, code]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      assert.strictEqual(yield* status(Effect.fail(each), { json: false }), code)
      assert.strictEqual(yield* status(Effect.fail(each), { json: true }), code)
      assert.deepEqual(yield* TestConsole.errorLines, [
        text(each),
        JSON.stringify(json(each), null, 2)
      ])
      assert.deepEqual(yield* TestConsole.logLines, [])
    })
  )

  it.effect("is one line and 70 for a fault of its own, which quotes nothing", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(message))
      const fault = Effect.sync((): never => {
        throw new TypeError("the secret was hunter2\n    at hunter2")
      })
      const outcome = (options: Options) =>
        status(fault, options).pipe(
          Effect.provide(Logger.layer([logger])),
          Effect.provideService(References.MinimumLogLevel, "Debug")
        )
      assert.strictEqual(yield* outcome({ json: false }), 70)
      assert.strictEqual(yield* outcome({ json: true }), 70)
      const [line, object] = yield* TestConsole.errorLines
      const message =
        "This is a fault of federate's own (TypeError); --log-level debug tells where it happened"
      assert.strictEqual(line, `✗ ${message}`)
      assert.deepEqual(JSON.parse(String(object)), { error: "InternalError", message })
      const seen = JSON.stringify([logged, line, object])
      assert.include(seen, "report.test.ts")
      assert.notInclude(seen, "hunter2")
    })
  )

  it.effect("is left alone when all is well", () =>
    Effect.gen(function* () {
      yield* Console.log("well").pipe(report({ json: false }))
      assert.deepEqual(yield* TestConsole.errorLines, [])
    })
  )
})
