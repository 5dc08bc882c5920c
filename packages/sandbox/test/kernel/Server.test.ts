import { Fault, Sandbox, SandboxError } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { running } from "../running.ts"

const sandbox = running({ setup: "empty" })

const document = () => `${sandbox().http}/.well-known/openid-configuration`

/** The status, or `undefined` when there was no whole answer. */
const get = (url = document(), init: RequestInit = {}) =>
  fetch(url, init).then(
    async (response) => ({ response, text: await response.text() }),
    () => undefined
  )

const outcome = async (init?: RequestInit) =>
  (await get(document(), init).catch(() => undefined))?.response.status

describe("faults", () => {
  it("put a status in the place of an answer, with Retry-After", async () => {
    const lift = sandbox().fault("cognito.discovery", Fault.status(503, 2))
    const answer = await get()
    assert.strictEqual(answer?.response.status, 503)
    assert.strictEqual(answer?.response.headers.get("retry-after"), "2")
    lift()
    assert.strictEqual(await outcome(), 200)
  })

  it("cut connections", async () => {
    sandbox().fault("cognito.discovery", Fault.reset, { first: 1 })
    const cause = await fetch(document()).then(
      () => undefined,
      (error: Error) => error.cause
    )
    assert.propertyVal(cause, "code", "ECONNRESET")
    assert.strictEqual(await outcome(), 200)
  })

  it("cut connections over https too", async () => {
    const undo = sandbox().trust()
    sandbox().fault("cognito.discovery", Fault.reset, { first: 1 })
    const cause = await fetch(document().replace(sandbox().http, sandbox().https)).then(
      () => undefined,
      (error: Error) => error.cause
    )
    assert.propertyVal(cause, "code", "ECONNRESET")
    undo()
  })

  it("cut bodies in the middle", async () => {
    sandbox().fault("cognito.discovery", Fault.truncated, { first: 1 })
    const response = await fetch(document())
    assert.strictEqual(response.status, 200)
    const body = await response.text().catch(() => "cut")
    assert.strictEqual(body, "cut")
  })

  it("answer in HTML", async () => {
    sandbox().fault("cognito.discovery", Fault.html(), { first: 1 })
    const answer = await get()
    assert.strictEqual(answer?.response.status, 502)
    assert.strictEqual(answer?.response.headers.get("content-type"), "text/html")
    assert.match(answer?.text ?? "", /^<html>/)
  })

  it("answer anything", async () => {
    sandbox().fault(
      "cognito.discovery",
      Fault.body("not json", { status: 202, headers: { "x-more": "1" } }),
      { first: 1 }
    )
    const answer = await get()
    assert.strictEqual(answer?.text, "not json")
    assert.strictEqual(answer?.response.status, 202)
    assert.strictEqual(answer?.response.headers.get("x-more"), "1")
    sandbox().fault("cognito.discovery", Fault.body("{}"), { first: 1 })
    assert.strictEqual((await get())?.text, "{}")
  })

  it("never answer, until the client gives up", async () => {
    sandbox().fault("cognito.discovery", Fault.hang, { first: 1 })
    const controller = new AbortController()
    const before = sandbox().count("cognito.discovery")
    const call = outcome({ signal: controller.signal })
    while (sandbox().count("cognito.discovery") === before) {
      // oxlint-disable-next-line no-await-in-loop -- until the request has come in
      await new Promise(setImmediate)
    }
    controller.abort()
    assert.isUndefined(await call)
  })

  it("strike the k-th call only, the first n, or every one", async () => {
    const three = async () => [await outcome(), await outcome(), await outcome()]
    const second = sandbox().fault("cognito.discovery", Fault.status(500), { call: 2 })
    assert.deepEqual(await three(), [200, 500, 200])
    second()
    const first = sandbox().fault("cognito.*", Fault.status(500), { first: 2 })
    assert.deepEqual(await three(), [500, 500, 200])
    first()
    sandbox().fault("cognito.discovery", Fault.status(500))
    assert.deepEqual(await three(), [500, 500, 500])
    sandbox().clearFaults()
    assert.deepEqual(await three(), [200, 200, 200])
  })

  it("apply in the order they were set, until one ends the call", async () => {
    sandbox().fault("cognito.discovery", Fault.latency(1))
    sandbox().fault("cognito.discovery", Fault.status(500), { call: 1 })
    sandbox().fault("cognito.discovery", Fault.status(503))
    assert.deepEqual([await outcome(), await outcome()], [500, 503])
    sandbox().clearFaults()
  })

  it("leave other endpoints alone", async () => {
    const lift = sandbox().fault("cognito.keys", Fault.status(500))
    assert.strictEqual(await outcome(), 200)
    lift()
  })

  it("take only names that there are, and tell them", () => {
    // A name that the types refuse, as a JavaScript user could write it.
    const fault: (name: string, fault: Fault.Fault) => void = (name, what) =>
      sandbox().fault(name as "cognito.*", what)
    const message = (name: string) => {
      try {
        fault(name, Fault.reset)
      } catch (error) {
        assert.instanceOf(error, SandboxError)
        return error.message
      }
      return "taken"
    }
    assert.match(
      message("entra.tokens"),
      /^There is no endpoint "entra\.tokens"\. There are: cognito\.CreateIdentityPool, .*entra\.token, .*cognito\.\*, iam\.\*/
    )
    assert.match(message("oracle.*"), /^There is no endpoint "oracle\.\*"/)
    assert.match(message("*"), /^There is no endpoint/)
  })
})

describe("latency", () => {
  it.effect("passes on the clock of the program that made the sandbox", () =>
    Effect.gen(function* () {
      const mine = yield* Sandbox.make({ setup: "empty" })
      mine.fault("cognito.discovery", Fault.latency("1 hour"))
      const url = `${mine.http}/.well-known/openid-configuration`
      const call = yield* Effect.forkChild(
        Effect.promise(() => fetch(url)),
        { startImmediately: true }
      )
      while (mine.count("cognito.discovery") === 0) {
        yield* Effect.promise(() => new Promise(setImmediate))
      }
      assert.isUndefined(call.pollUnsafe())
      yield* TestClock.adjust("1 hour")
      const response = yield* Fiber.join(call)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("date"), "Thu, 01 Jan 1970 01:00:00 GMT")
    })
  )
})

describe("counters", () => {
  it("count by endpoint and by service, struck calls too", async () => {
    await using mine = await Sandbox.start({ setup: "empty" })
    const url = `${mine.http}/.well-known`
    await fetch(`${url}/openid-configuration`)
    await fetch(`${url}/jwks_uri`)
    mine.fault("cognito.keys", Fault.status(500))
    await fetch(`${url}/jwks_uri`)
    await fetch(`${mine.http}/nobody/knows/this`)
    assert.strictEqual(mine.count("cognito.discovery"), 1)
    assert.strictEqual(mine.count("cognito.keys"), 2)
    assert.strictEqual(mine.count("cognito.*"), 3)
    assert.strictEqual(mine.count("entra.*"), 0)
  })
})

describe("a service's clock", () => {
  it("is in its Date, and wrong by what is said", async () => {
    sandbox().skew("cognito", -3_600_000)
    const { response } = (await get()) ?? {}
    const behind = Date.now() - Date.parse(response?.headers.get("date") ?? "")
    assert.closeTo(behind, 3_600_000, 5_000)
    sandbox().skew("cognito", 0)
  })

  it("is of a service that there is", () => {
    // A name that the types refuse, as a JavaScript user could write it.
    const skew = () => sandbox().skew("oracle" as "cognito", 1)
    assert.throws(skew, SandboxError, /^There is no service "oracle"\. There are: cognito, iam/)
  })
})

describe("requests", () => {
  it("are not read beyond 256 KiB", async () => {
    const response = await fetch(sandbox().http, { method: "POST", body: "x".repeat(300_000) })
    assert.strictEqual(response.status, 413)
  })
})
