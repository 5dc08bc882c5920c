import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterEach, expectTypeOf, vi } from "vitest"
import { aws, awsRole } from "../src/aws.ts"
import { cognitoLogin } from "../src/cognito.ts"
import { entra } from "../src/entra.ts"
import { createFlow, fromFunction } from "../src/index.ts"
import type {
  AccessToken,
  AssertionSource,
  AwsCredentials,
  Flow,
  FlowOptions,
  TokenExchanger,
  TokenFlow
} from "../src/index.ts"
import { tokenExchange } from "../src/oidc.ts"
import {
  claimsOf,
  counting,
  failure,
  firstJourney,
  graphScope,
  issued,
  jwt,
  running
} from "./flow.ts"

const sandbox = running({ aws: { trust: { issuer: "workload", subject: "workload" } } })

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  sandbox().clearFaults()
})

const clientId = "8d2a1c35-3f5a-4bd1-9a39-6d6e1c6b3f10"
const pool = "us-east-1:6f1c1a52-0000-4000-8000-000000000000"

const graph = () => entra({ tenantId: "contoso.example", clientId, scopes: [graphScope] })

/** A source that answers when it is told to. */
const hanging = (options: Omit<FlowOptions, "source"> = {}) => {
  const calls: Array<{ readonly signal: AbortSignal; readonly answer: (jwt: string) => void }> = []
  const source = fromFunction(
    "hanging",
    ({ signal }) => new Promise<string>((answer) => calls.push({ signal, answer }))
  )
  return { flow: createFlow({ ...options, source }), calls }
}

/** Lets what waits for nothing but its turn have it. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("getToken", () => {
  it("brings the first journey's token, as plain values", async () => {
    await using flow = firstJourney(sandbox())
    const { expiresAt, obtainedAt, token, ...rest } = await flow.getToken(graphScope)
    const { aud, exp } = claimsOf(token)
    assert.strictEqual(aud, "https://graph.microsoft.com")
    assert.closeTo(expiresAt, Number(exp) * 1000, 3000)
    assert.closeTo(obtainedAt, Date.now(), 10_000)
    assert.deepStrictEqual(rest, { tokenType: "Bearer", scopes: [graphScope] })
  })

  it("calls upstream once for a thousand callers", async () => {
    await using flow = firstJourney(sandbox())
    const counts = () => [
      sandbox().count("cognito.GetOpenIdTokenForDeveloperIdentity"),
      sandbox().count("entra.token")
    ]
    const [cognito = 0, exchange = 0] = counts()
    const tokens = await Promise.all(
      Array.from({ length: 1000 }, () => flow.getToken(graphScope).then(({ token }) => token))
    )
    assert.strictEqual(new Set(tokens).size, 1)
    assert.deepStrictEqual(counts(), [cognito + 1, exchange + 1])
  })

  it("takes one scope as a text, and several in any order", async () => {
    const { source } = issued(sandbox())
    await using flow = createFlow({
      source,
      exchanger: tokenExchange({ issuer: sandbox().oauth.issuer })
    })
    const one = await flow.getToken("read")
    assert.deepStrictEqual(one.scopes, ["read"])
    assert.strictEqual(await flow.getToken(["read"]), one)
    const both = await flow.getToken(["read", "write"])
    assert.strictEqual(await flow.getToken(["write", "read", "write"]), both)
    assert.notStrictEqual(both, one)
    assert.notStrictEqual(await flow.getToken(), one)
  })

  it("runs no fiber for a token in hand, and gives everybody the same value, which nobody can change", async () => {
    const { flow, made } = counting()
    const first = await flow.getToken("a")
    // Fibers are numbered.
    const before = Effect.runFork(Effect.void).id
    const again = await flow.getToken("a")
    assert.strictEqual(Effect.runFork(Effect.void).id, before + 1)
    assert.strictEqual(again, first)
    assert.strictEqual(flow.current({ scopes: ["a"] }), first)
    assert.isFrozen(first)
    assert.strictEqual(made.count, 1)
  })

  it("asks for another token where one was refused", async () => {
    const { flow, made } = counting()
    const first = await flow.getToken()
    const second = await flow.getToken(undefined, { rejected: first })
    assert.notStrictEqual(second.token, first.token)
    // The one in hand is another already.
    assert.strictEqual(await flow.getToken(undefined, { rejected: first }), second)
    assert.strictEqual(made.count, 2)
  })

  it("comes of what a request says of audience and claims", async () => {
    const { asked, source } = issued(sandbox())
    await using flow = createFlow({ source })
    const { token } = await flow.getToken(undefined, { audience: "https://api.example" })
    assert.strictEqual(claimsOf(token)["aud"], "https://api.example")
    assert.deepInclude(asked[0], { audience: "https://api.example" })
    assert.notStrictEqual(
      (await flow.getToken(undefined, { audience: "b", claims: "{}" })).token,
      token
    )
  })
})

describe("a signal", () => {
  it("ends the call that it came with, and no other", async () => {
    const { calls, flow } = hanging()
    const controller = new AbortController()
    const reason = new Error("no more")
    const aborted = flow.getToken(undefined, { signal: controller.signal })
    const other = flow.getToken()
    controller.abort(reason)
    const outcome: unknown = await aborted.catch((error: unknown) => error)
    assert.strictEqual(outcome, reason)
    assert.lengthOf(calls, 1)
    assert.isFalse(calls[0]?.signal.aborted)
    const token = jwt("workload")
    calls[0]?.answer(token)
    assert.strictEqual((await other).token, token)
  })

  it("that is aborted already starts nothing, nor gets what is in hand", async () => {
    const { flow, made } = counting()
    const signal = AbortSignal.abort()
    const call = flow.getToken(undefined, { signal })
    const error: unknown = await call.catch((reason: unknown) => reason)
    assert.strictEqual(error, signal.reason)
    assert.strictEqual(made.count, 0)
    await flow.getToken()
    const late = flow.getToken(undefined, { signal })
    assert.strictEqual(await late.catch((reason: unknown) => reason), signal.reason)
  })

  it("may be an SDK's own, without a reason; nobody listens to it any more afterwards", async () => {
    const listeners = new Set<() => void>()
    const signal = {
      aborted: false,
      addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener)
    }
    const { flow } = counting()
    await flow.getToken("a", { signal })
    assert.strictEqual(listeners.size, 0)
    const stuck = hanging()
    const call = stuck.flow.getToken(undefined, { signal })
    signal.aborted = true
    for (const listener of listeners) listener()
    const error: unknown = await call.catch((reason: unknown) => reason)
    assert.instanceOf(error, DOMException)
    assert.strictEqual(error.name, "AbortError")
  })
})

describe("close", () => {
  it("aborts what is under way, and says so to who waits", async () => {
    const { calls, flow } = hanging()
    const waiting = flow.getToken()
    await flow.close()
    const { message, reason } = await failure(waiting)
    assert.match(message, /^hanging to pass-through: flow: is closed\. Make it where it lives/)
    assert.strictEqual(reason.type, "Misconfigured")
    assert.isTrue(calls[0]?.signal.aborted)
    assert.strictEqual((await failure(flow.getToken())).message, message)
  })

  it("leaves what is in hand, and may be called twice", async () => {
    const { flow, made } = counting()
    const held = await flow.getToken()
    await flow.close()
    await flow[Symbol.asyncDispose]()
    assert.strictEqual(await flow.getToken(), held)
    assert.strictEqual(made.count, 1)
  })
})

describe("refreshing", () => {
  it("goes on in the background past the soft point, as the settings have it", async () => {
    const { flow, made } = counting({ refresh: { freshPart: 0.5, jitter: 0 } })
    const first = await flow.getToken()
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1799_000 })
    assert.strictEqual(await flow.getToken(), first)
    assert.strictEqual(made.count, 1)
    vi.setSystemTime(Date.now() + 2000)
    assert.isUndefined(flow.current())
    assert.strictEqual(await flow.getToken(), first)
    await vi.waitFor(() => assert.strictEqual(made.count, 2))
    await turn()
    assert.notStrictEqual((await flow.getToken()).token, first.token)
  })

  it("tells of a failure by a warning of the process, and of no secret", async () => {
    const emitted = vi.spyOn(process, "emitWarning").mockReturnValue(undefined)
    let fails = false
    const flow = createFlow({
      name: "warned",
      source: fromFunction("failing", () => {
        if (fails) throw new Error("SECRET")
        return jwt("workload")
      })
    })
    const held = await flow.getToken()
    fails = true
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3000_000 })
    assert.strictEqual(await flow.getToken(), held)
    await vi.waitFor(() => assert.strictEqual(emitted.mock.calls.length, 1))
    assert.deepStrictEqual<ReadonlyArray<unknown> | undefined>(emitted.mock.calls[0], [
      "The background refresh failed. failing: The function threw Error",
      "FederateWarning"
    ])
  })
})

describe("failing", () => {
  it("tries as often as the settings have it", async () => {
    const { source } = issued(sandbox())
    const flow = createFlow({
      source,
      exchanger: tokenExchange({ issuer: sandbox().oauth.issuer }),
      retry: { attempts: 3, firstDelay: 1 }
    })
    sandbox().fault("oauth.token", Fault.status(503))
    const before = sandbox().count("oauth.token")
    const { code, hint, reason, retryAt, stage } = await failure(flow.getToken())
    assert.deepInclude(reason, { type: "Transient", status: 503 })
    assert.deepStrictEqual([code, hint, stage], ["Transient", undefined, "exchange"])
    assert.strictEqual(sandbox().count("oauth.token"), before + 3)
    // What has failed just now is not asked for again.
    assert.isAbove(retryAt ?? 0, Date.now())
    assert.closeTo((await failure(flow.getToken())).retryAt ?? 0, retryAt ?? 0, 5)
    assert.strictEqual(sandbox().count("oauth.token"), before + 3)
  })

  it("gives up when the settings have it", async () => {
    const { calls, flow } = hanging({ retry: { attemptTimeout: 5, deadline: "10 millis" } })
    const { reason } = await failure(flow.getToken())
    assert.strictEqual(reason.type, "Transient")
    assert.isTrue(calls[0]?.signal.aborted)
  })
})

describe("what cannot work is thrown at once", () => {
  it("a pair that does not fit", async () => {
    const source = aws({ region: "eu-west-1", signingAlgorithm: "ES384" })
    const { message, stage } = await failure(() => createFlow({ source, exchanger: graph() }))
    assert.strictEqual(stage, "configuration")
    assert.match(message, /^entra: algorithms: entra takes RS256.*, and aws signs with ES384\. /)
  })

  it("an assertion of AWS's back into AWS", async () => {
    const exchanger = awsRole({ roleArn: "arn:aws:iam::123456789012:role/r", region: "eu-west-1" })
    const { reason } = await failure(() =>
      createFlow({ source: aws({ region: "eu-west-1" }), exchanger })
    )
    assert.deepInclude(reason, { type: "Misconfigured", setting: "source" })
  })

  it("settings of sources and exchangers", async () => {
    const {
      adapter,
      code,
      hint = "none",
      message,
      reason
    } = await failure(() => entra({ tenantId: "common", clientId }))
    assert.deepStrictEqual([adapter, code], ["entra", "Misconfigured"])
    assert.strictEqual(reason.type === "Misconfigured" && reason.setting, "tenantId")
    assert.include(message, hint)
  })

  it.each([
    [
      { retry: { attempts: 0 } },
      /^flow: retry\.attempts: is 0\. It is a whole number, 1 at least\.$/
    ],
    [{ retry: { deadline: "soon" } }, /^flow: retry\.deadline: is soon\. It is milliseconds, or /],
    [{ retry: { firstDelay: -1 } }, /^flow: retry\.firstDelay: is -1\. /],
    [
      { retry: { atempts: 1 } },
      /^flow: retry\.atempts: is not known\. There are attempts, firstDelay, /
    ],
    [
      { refresh: { jitter: 0.6 } },
      /^flow: refresh\.jitter: is 0\.6\. It is a number from 0 to 0\.5\.$/
    ],
    [{ refresh: { freshPart: Number.NaN } }, /^flow: refresh\.freshPart: is NaN\. /],
    [{ refresh: { margin: Infinity } }, /^flow: refresh\.margin: is Infinity\. /]
  ] as const)("policies that no type has seen: %o", async (options, message) => {
    const { source } = issued(sandbox())
    // As JavaScript may have it.
    const given = { source, ...options } as FlowOptions
    assert.match((await failure(() => createFlow(given))).message, message)
  })

  it("what another copy of the package has made", async () => {
    const foreign: AssertionSource = { kind: "source" }
    const { message } = await failure(() => createFlow({ source: foreign }))
    assert.strictEqual(
      message,
      "flow: source: was not made by this package. Make it by a function of @federate/promise, installed once."
    )
    const { source } = issued(sandbox())
    const exchanger: TokenExchanger = { kind: "exchanger" }
    assert.match(
      (await failure(() => createFlow({ source, exchanger }))).message,
      /exchanger: was not/
    )
    const login = () => cognitoLogin({ identityPoolId: pool, login: foreign })
    assert.match((await failure(login)).message, /login: was not made/)
  })
})

describe("a flow", () => {
  it("has the name that it was given, or those of its parts", () => {
    const { source } = issued(sandbox())
    assert.strictEqual(createFlow({ source, name: "mine" }).name, "mine")
    assert.strictEqual(createFlow({ source, exchanger: graph() }).name, "issued to entra")
  })

  it("of AWS credentials gives those, and is no flow of tokens", async () => {
    const { source } = issued(sandbox())
    await using flow = createFlow({
      source,
      exchanger: awsRole({
        roleArn: sandbox().aws.federatedRoleArn ?? "",
        region: sandbox().aws.region,
        endpoint: sandbox().http
      })
    })
    expectTypeOf(flow).toEqualTypeOf<Flow<AwsCredentials>>()
    expectTypeOf(flow).not.toExtend<TokenFlow>()
    const credentials = await flow.credential()
    expectTypeOf(credentials).toEqualTypeOf<AwsCredentials>()
    assert.hasAllKeys(credentials, [
      "accessKeyId",
      "secretAccessKey",
      "sessionToken",
      "obtainedAt",
      "expiresAt",
      "accountId"
    ])
    assert.strictEqual(flow.current(), credentials)
    assert.notStrictEqual(await flow.credential({ rejected: credentials }), credentials)
  })

  it("is typed by its exchanger", () => {
    const { source } = issued(sandbox())
    expectTypeOf(createFlow({ source })).toEqualTypeOf<TokenFlow>()
    expectTypeOf(createFlow({ source, exchanger: graph() })).toEqualTypeOf<TokenFlow>()
    expectTypeOf<TokenFlow["getToken"]>().returns.resolves.toEqualTypeOf<AccessToken>()
  })
})
