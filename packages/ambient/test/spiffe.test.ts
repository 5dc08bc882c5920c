import { chmod, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { spiffe } from "@federate/ambient"
import type { SpiffeOptions } from "@federate/ambient"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { status } from "@grpc/grpc-js"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import { agent } from "./spiffe/agent.ts"
import type { Answer, Request } from "./spiffe/agent.ts"

const spiffeId = "spiffe://example.org/workload"
const tokenOf = (subject: string, audience: string | ReadonlyArray<string>) =>
  Redacted.value(assertionFor(subject, 0, { aud: audience }).token)
const jwt = tokenOf(spiffeId, "party")

/** An agent that knows this process by one identity. */
const issuing = ({ audience }: Request): Answer => ({
  svids: [{ spiffeId, svid: tokenOf(spiffeId, audience[0]!) }]
})

const make = (answer: (request: Request) => Answer, options: SpiffeOptions = {}) =>
  Effect.flatMap(agent(answer), ({ socket }) => spiffe({ audience: "party", socket, ...options }))

const failing = (code: status) => make(() => ({ code, details: `it said ${status[code]}` }))

const nowhere = "unix:///nowhere/agent.sock"

let calls = () => 0

ambientSourceContract("The SPIFFE Workload API", {
  make: make(issuing),
  assertion: jwt,
  life: 900,
  refused: [
    {
      name: "no address",
      make: spiffe({ environment: () => undefined }),
      becomes: "Unavailable",
      hint: /SPIFFE_ENDPOINT_SOCKET=unix/
    },
    {
      name: "no socket",
      make: spiffe({ audience: "party", socket: nowhere }),
      becomes: "Unavailable",
      hint: /Mount the agent's socket/
    },
    {
      name: "no registration entry",
      make: failing(status.PERMISSION_DENIED),
      becomes: "Rejected",
      code: "PermissionDenied",
      remedy: "waitForTrust",
      hint: /spire-server entry show/
    },
    {
      name: "an argument that it does not take",
      make: failing(status.INVALID_ARGUMENT),
      becomes: "Rejected",
      code: "InvalidArgument",
      remedy: "none"
    },
    {
      name: "another service",
      make: failing(status.UNIMPLEMENTED),
      becomes: "Rejected",
      code: "Unimplemented",
      hint: /socket_path/
    },
    {
      name: "somebody it cannot tell",
      make: failing(status.UNAUTHENTICATED),
      becomes: "Rejected",
      code: "Unauthenticated"
    },
    {
      name: "an agent without its server",
      make: failing(status.UNAVAILABLE),
      becomes: "Transient"
    },
    { name: "an agent that fails", make: failing(status.INTERNAL), becomes: "Transient" },
    { name: "no identity at all", make: make(() => ({ svids: [] })), becomes: "Malformed" },
    {
      name: "an identity without a token",
      make: make(() => ({ svids: [{ spiffeId, svid: "" }] })),
      becomes: "Malformed"
    },
    {
      name: "a token that is none",
      make: make(() => ({ svids: [{ spiffeId, svid: "opaque" }] })),
      becomes: "Malformed"
    },
    { name: "nobody named", make: make(issuing, { audience: undefined }), becomes: "Misconfigured" }
  ],
  hanging: {
    make: Effect.gen(function* () {
      const { open, socket } = yield* agent(() => "never")
      calls = open
      return yield* spiffe({ audience: "party", socket })
    }),
    held: () => calls() > 0
  }
})

describe("the SPIFFE Workload API", () => {
  it.live("is found by the standard's variable, on a socket or on loopback", () =>
    Effect.gen(function* () {
      for (const address of [undefined, "127.0.0.1:0"]) {
        const { socket } = yield* agent(issuing, address)
        const environment = (name: string) =>
          name === "SPIFFE_ENDPOINT_SOCKET" ? socket : undefined
        const source = yield* spiffe({ environment })
        const { subject } = yield* source.assertion({ preferredAudience: "party" })
        assert.strictEqual(subject, spiffeId)
      }
    })
  )

  it.live("is asked for whom it is demanded, configured or preferred, in this order", () =>
    Effect.gen(function* () {
      const source = yield* make(issuing, { audience: "configured" })
      const audiences = [
        yield* source.assertion({ audience: "demanded", preferredAudience: "preferred" }),
        yield* source.assertion({ preferredAudience: "preferred" })
      ].map(({ audience }) => audience)
      assert.deepStrictEqual(audiences, [["demanded"], ["configured"]])
    })
  )

  it.live("is asked for the identity that is named, and its first one serves where none is", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const answer = (request: Request): Answer => {
        asked.push(request.spiffeId)
        return {
          svids: [
            { spiffeId, svid: jwt, hint: "internal" },
            { spiffeId: `${spiffeId}/other`, svid: tokenOf("other", "party") }
          ]
        }
      }
      const first = yield* Effect.flatMap(make(answer), (source) => source.assertion({}))
      assert.strictEqual(first.subject, spiffeId)
      yield* Effect.flatMap(make(answer, { spiffeId }), (source) => source.assertion({}))
      assert.deepStrictEqual(asked, ["", spiffeId])
    })
  )

  it.live("takes long audiences and long tokens", () =>
    Effect.gen(function* () {
      const audience = "a".repeat(300)
      const source = yield* make(({ audience: [asked] }) => ({
        svids: [{ spiffeId, svid: tokenOf("s".repeat(10_000), asked!) }]
      }))
      const given = yield* source.assertion({ audience })
      assert.deepStrictEqual(given.audience, [audience])
      assert.strictEqual(given.subject?.length, 10_000)
    })
  )

  it.live("is Transient while a socket is there and nobody listens, or who listens hangs up", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true }))
      )
      const path = join(directory, "agent.sock")
      const server = createServer((socket) => socket.destroy())
      yield* Effect.promise(() => new Promise<void>((done) => server.listen(path, done)))
      const source = yield* spiffe({ audience: "party", socket: `unix://${path}` })
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Transient")
      // A socket that nobody may open; who runs the tests as root may.
      if (process.getuid?.() !== 0) {
        yield* Effect.promise(() => chmod(path, 0o000))
        const { message, reason: closed } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(closed._tag, "Misconfigured")
        assert.match(message, /may not open .* \(EACCES\)/)
      }
      yield* Effect.promise(() => new Promise((done) => server.close(done)))
    })
  )

  it.effect("is not waited for for ever", () =>
    Effect.gen(function* () {
      const { open, socket } = yield* agent(() => "never")
      const source = yield* spiffe({ audience: "party", socket })
      const fiber = yield* Effect.forkChild(Effect.flip(source.assertion({})))
      yield* Effect.promise(() => vi.waitUntil(() => open() > 0))
      yield* TestClock.adjust("10 seconds")
      const { reason } = yield* Fiber.join(fiber)
      assert.strictEqual(reason._tag, "Transient")
    })
  )

  it.effect("says before any call what is no address, and what is no SPIFFE ID", () =>
    Effect.gen(function* () {
      for (const socket of [
        "unix://relative",
        "/run/agent.sock",
        "tcp://localhost:8080",
        "tcp://127.0.0.1",
        "https://127.0.0.1:8080",
        "tcp://192.0.2.1:8080"
      ]) {
        for (const options of [{ socket }, { environment: () => socket }]) {
          const { message, stage } = yield* Effect.flip(spiffe(options))
          assert.strictEqual(stage, "configuration")
          assert.match(message, /^spiffe: (socket|SPIFFE_ENDPOINT_SOCKET): .*unix:\/\/\/PATH/)
        }
      }
      yield* spiffe({ socket: "tcp://[::1]:8080" })
      for (const wrong of ["workload", "spiffe://Example.org/x", "spiffe://example.org/x/"]) {
        const { message } = yield* Effect.flip(spiffe({ socket: nowhere, spiffeId: wrong }))
        assert.match(message, /spiffeId: is no SPIFFE ID/)
      }
    })
  )
})
