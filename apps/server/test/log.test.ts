import { assert, describe, it } from "@effect/vitest"
import type { Handed } from "@federate/broker"
import { Effect, Logger } from "effect"
import type { Lines } from "../src/lines.ts"
import { audit, logger, lost, tellFault } from "../src/log.ts"

const remembering = () => {
  const got: Array<string> = []
  const lines: Lines = {
    write: (...pieces) => {
      got.push(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString())
    },
    flush: () => {}
  }
  return { lines, read: () => got.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

const handed: Handed = {
  protocol: "azure-imds",
  flow: "graph",
  scope: 'a "quoted" scope',
  tokenHash: "00ff",
  expiresAt: 1_000_000_000_000
}

describe("the log", () => {
  it.effect("tells what effects log, with their annotations", () =>
    Effect.gen(function* () {
      const { lines, read } = remembering()
      yield* Effect.logWarning("a", "b").pipe(
        Effect.annotateLogs({ flow: "graph" }),
        Effect.provide(Logger.layer([logger(lines)]))
      )
      assert.deepEqual(read(), [
        { time: "1970-01-01T00:00:00.000Z", level: "warn", message: "a b", flow: "graph" }
      ])
    })
  )

  it.effect("tells faults by their kind and place, and quotes nothing of them", () =>
    Effect.gen(function* () {
      const { lines, read } = remembering()
      const secret = new TypeError("eyJ.secret\n    at eyJ.secret")
      yield* Effect.die(secret).pipe(
        Effect.catchCause((cause) => Effect.logError("It failed", cause, { token: "eyJ.secret" })),
        Effect.provide(Logger.layer([logger(lines)]))
      )
      tellFault(lines, secret)
      tellFault(lines, "eyJ.secret")
      const [logged, uncaught, text] = read()
      assert.strictEqual(logged?.["fault"], "TypeError")
      assert.match(JSON.stringify(uncaught?.["at"]), /^\["at [^"]*log\.test\.ts:\d+:\d+\)?"/)
      assert.strictEqual(text?.["fault"], "string")
      assert.notInclude(JSON.stringify(read()), "secret")
    })
  )

  it("tells that lines were lost", () => {
    assert.deepInclude(JSON.parse(lost(3)), { level: "error", lost: 3 })
  })
})

describe("the audit", () => {
  it("tells who got what, each time and by whichever way in", () => {
    const { lines, read } = remembering()
    const { handed: tell } = audit(lines)
    tell("loopback", handed)
    tell("team", handed)
    tell("loopback", { ...handed, subject: "repo:x" })
    const { expiresAt, ...rest } = handed
    const about = { ...rest, audit: "handed", expiresAt: new Date(expiresAt).toISOString() }
    assert.deepEqual(
      read().map(({ time, ...line }) => {
        assert.isAtMost(Math.abs(Date.parse(String(time)) - Date.now()), 60_000)
        return line
      }),
      [
        { level: "info", message: "handed out", ...about, caller: "loopback" },
        { level: "info", message: "handed out", ...about, caller: "team" },
        { level: "info", message: "handed out", ...about, subject: "repo:x", caller: "loopback" }
      ]
    )
  })

  it("tells who was refused, and why", () => {
    const { lines, read } = remembering()
    const refused = { protocol: "gce-token", status: 403, code: "forbidden", message: "No." }
    audit(lines).refused("loopback", refused)
    const { message, ...rest } = refused
    assert.deepInclude(read()[0], {
      ...rest,
      message: "refused",
      audit: "refused",
      reason: message,
      caller: "loopback"
    })
  })
})
