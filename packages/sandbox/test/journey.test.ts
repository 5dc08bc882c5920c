/** Federate's own flow against the sandbox: real HTTP, real keys, real errors. */
import { source } from "@federate/cognito"
import { Flow, FlowMetrics, RetryPolicy } from "@federate/core"
import type { AccessToken, FederationError, Reason } from "@federate/core"
import { exchanger } from "@federate/entra"
import { claimsChallenge, send } from "@federate/http"
import { Fault, Sandbox } from "@federate/sandbox"
import type { Endpoint, Options } from "@federate/sandbox"
import { visible, watch } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import { graph, until } from "./running.ts"

const cognitoCall = "cognito.GetOpenIdTokenForDeveloperIdentity"
const entraCall = "entra.token"

/** The first journey's flow, over plain http: nothing here needs a certificate trusted. */
const journey = Effect.fnUntraced(function* (
  options: {
    readonly sandbox?: Options
    readonly retry?: RetryPolicy.RetryPolicy
    readonly userId?: string
    readonly scope?: string
    readonly clientCapabilities?: ReadonlyArray<string>
  } = {}
) {
  const sandbox = yield* Sandbox.make(options.sandbox)
  const { accessKeyId, secretAccessKey } = sandbox.aws.workload
  const cognito = yield* source({
    identityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? "",
    logins: { "my.dev.provider": options.userId ?? "my_user_id" },
    endpoint: sandbox.http,
    credentials: { accessKeyId, secretAccessKey }
  })
  const entra = yield* exchanger({
    tenantId: sandbox.entra.tenantId,
    clientId: sandbox.entra.clientId ?? "",
    authorityHost: sandbox.http,
    scopes: [options.scope ?? "https://graph.microsoft.com/.default"],
    clientCapabilities: options.clientCapabilities
  })
  const flow = yield* Flow.make({
    name: "graph",
    source: cognito,
    exchanger: entra,
    ...(options.retry !== undefined && { retry: options.retry })
  })
  const counts = () => [sandbox.count(cognitoCall), sandbox.count(entraCall)]
  return { sandbox, cognito, entra, flow, counts }
})

const text = ({ token }: AccessToken) => Redacted.value(token)

/** How many different tokens a thousand callers get. */
const thousand = (flow: Flow.Flow) =>
  Effect.map(
    Effect.all(
      Array.from({ length: 1000 }, () => flow.credential()),
      { concurrency: "unbounded" }
    ),
    (credentials) => new Set(credentials.map(text))
  )

/** How often flows called `graph` have begun to wait for another attempt. */
const retries = (reason: Reason["_tag"]) =>
  Metric.value(Metric.withAttributes(FlowMetrics.retries, { flow: "graph", reason })).pipe(
    Effect.map(({ count }) => count)
  )

describe("a thousand callers at once", () => {
  /** Time passes for the flow alone: the AWS SDK signs by the machine's clock, and so the services stay on it. */
  const pass = Effect.fnUntraced(function* (sandbox: Sandbox.Sandbox, minutes: number) {
    yield* TestClock.adjust(minutes * 60_000)
    const passed = (yield* TestClock.testClockWith((clock) => clock.currentTimeMillis)) - Date.now()
    for (const service of ["cognito", "entra"] as const) sandbox.skew(service, -passed)
  })

  it.effect("make one call to Cognito and one to Entra: cold, expired, and near expiry", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { counts, flow, sandbox } = yield* journey()
      const cold = yield* thousand(flow)
      assert.strictEqual(cold.size, 1)
      assert.deepStrictEqual(counts(), [1, 1])

      yield* pass(sandbox, 61)
      const second = yield* thousand(flow)
      assert.strictEqual(second.size, 1)
      assert.notDeepEqual(second, cold)
      assert.deepStrictEqual(counts(), [2, 2])

      // Old enough to be refreshed: nobody waits, one refresh goes on behind their backs.
      yield* pass(sandbox, 50)
      assert.deepStrictEqual(yield* thousand(flow), second)
      yield* until(() => flow.entries.get("")?.succeeded === 3)
      assert.deepStrictEqual(counts(), [3, 3])
      assert.notDeepEqual(yield* thousand(flow), second)
      assert.deepStrictEqual(counts(), [3, 3])
    })
  )
})

describe("callers that leave", () => {
  it.effect("do not stop the flight", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { counts, flow, sandbox } = yield* journey()
      const release = sandbox.fault(entraCall, Fault.latency("1 second"))
      const callers = yield* Effect.forkChild(thousand(flow))
      yield* until(() => sandbox.count(entraCall) === 1)
      yield* Fiber.interrupt(callers)
      release()
      yield* TestClock.adjust("1 second")
      yield* until(() => flow.entries.get("")?.succeeded === 1)
      assert.isDefined(Flow.current(flow))
      assert.deepStrictEqual(counts(), [1, 1])
    })
  )

  it.effect("are told when the flow's scope closes, and the request is aborted", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const scope = yield* Scope.make()
      const { flow, sandbox } = yield* journey().pipe(Scope.provide(scope))
      sandbox.fault(entraCall, Fault.hang)
      const caller = yield* Effect.forkChild(Effect.flip(flow.credential()))
      yield* until(() => sandbox.count(entraCall) === 1)
      yield* Scope.close(scope, Exit.void)
      const { reason } = yield* Fiber.join(caller)
      assert.isTrue(reason._tag === "Misconfigured" && reason.setting === "flow")
    })
  )
})

/** The reason why a single attempt brings nothing. */
/** For who does not answer at all. */
const hasty = RetryPolicy.make({
  schedule: RetryPolicy.none.schedule,
  attemptTimeout: "300 millis"
})

const reasonFor = (
  prepare: (sandbox: Sandbox.Sandbox) => unknown,
  options: Parameters<typeof journey>[0] = {}
) =>
  Effect.gen(function* () {
    const { flow, sandbox } = yield* journey({
      retry: RetryPolicy.none,
      ...options
    })
    yield* Effect.promise(async () => prepare(sandbox))
    return (yield* Effect.flip(flow.credential())).reason
  })

describe("faults", () => {
  const json = (value: unknown) => Fault.body(JSON.stringify(value))
  const faults: ReadonlyArray<readonly [string, Fault.Fault, Reason["_tag"]]> = [
    ["a busy service", Fault.throttled(1), "Transient"],
    ["500", Fault.status(500), "Transient"],
    ["503 with Retry-After", Fault.status(503, 1), "Transient"],
    ["a reset connection", Fault.reset, "Transient"],
    ["no answer at all", Fault.hang, "Transient"],
    ["an answer cut in the middle", Fault.truncated, "Transient"],
    ["a proxy's page", Fault.html(), "Transient"],
    ["a page with status 200", Fault.html(200), "Malformed"],
    ["JSON cut in the middle", Fault.body('{"access_token":"x","to'), "Malformed"],
    ["nothing", Fault.body(""), "Malformed"],
    ["an empty object", json({}), "Malformed"],
    ["10 MB", Fault.body(" ".repeat(10_000_000)), "Malformed"],
    [
      "a redirect",
      Fault.body("", { status: 302, headers: { location: "https://elsewhere.example" } }),
      "Malformed"
    ]
  ]
  const endpoints: ReadonlyArray<Endpoint> = [cognitoCall, entraCall]
  for (const endpoint of endpoints) {
    for (const [name, fault, becomes] of faults) {
      it.live(`${endpoint}: ${name} is ${becomes}`, () =>
        Effect.gen(function* () {
          const reason = yield* reasonFor(
            (sandbox) => sandbox.fault(endpoint, fault),
            fault === Fault.hang ? { retry: hasty } : {}
          )
          assert.strictEqual(reason._tag, becomes, visible(reason))
        })
      )
    }

    it.live(`${endpoint}: a fault that passes is not seen`, () =>
      Effect.gen(function* () {
        const { flow, sandbox } = yield* journey()
        sandbox.fault(endpoint, Fault.reset, { call: 1 })
        sandbox.fault(endpoint, Fault.status(503), { call: 2 })
        yield* flow.credential()
        assert.strictEqual(sandbox.count(endpoint), 3)
      })
    )
  }

  it.live("a token with a bad lifetime beside it is refused and reaches no log", () =>
    Effect.gen(function* () {
      for (const expires_in of [undefined, "", 0, -1, 1e300, "3599abc", 31 * 86_400]) {
        const { seen, within } = watch()
        const answer = { token_type: "Bearer", expires_in, access_token: "THE-VALID-TOKEN" }
        const { flow, sandbox } = yield* journey()
        sandbox.fault(entraCall, json(answer))
        const exit = yield* Effect.exit(within(flow.credential()))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(seen(), "expires_in")
        assert.notInclude(seen() + visible(exit), "THE-VALID-TOKEN")
      }
    })
  )

  it.effect("Retry-After is heeded to the second", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { flow, sandbox } = yield* journey()
      sandbox.fault(entraCall, Fault.throttled(7), { call: 1 })
      const before = yield* retries("Transient")
      const caller = yield* Effect.forkChild(flow.credential())
      yield* until(Effect.map(retries("Transient"), (count) => count > before))
      yield* TestClock.adjust("6999 millis")
      assert.strictEqual(sandbox.count(entraCall), 1)
      yield* TestClock.adjust("1 second")
      yield* until(() => caller.pollUnsafe() !== undefined)
      assert.strictEqual(sandbox.count(entraCall), 2)
      assert.isTrue(Exit.isSuccess(caller.pollUnsafe()!))
    })
  )
})

describe("clocks", () => {
  for (const minutes of [-4, 4]) {
    it.live(`a server whose clock is ${minutes} minutes off serves as if nothing were wrong`, () =>
      Effect.gen(function* () {
        const { flow, sandbox } = yield* journey()
        sandbox.skew("cognito", minutes * 60_000)
        sandbox.skew("entra", minutes * 60_000)
        const { expiresAt, obtainedAt } = yield* flow.credential()
        assert.strictEqual(expiresAt - obtainedAt, 3_599_000)
        assert.approximately(obtainedAt, Date.now(), 60_000)
        assert.isDefined(Flow.current(flow))
      })
    )
  }

  it.live("AWS's refusal of our clock costs one attempt", () =>
    Effect.gen(function* () {
      const { flow, sandbox } = yield* journey()
      // More than the five minutes that a signature may be old; Entra lives on the same time, to take the assertion.
      sandbox.skew("cognito", 20 * 60_000)
      sandbox.skew("entra", 20 * 60_000)
      yield* flow.credential()
      assert.strictEqual(sandbox.count(cognitoCall), 2)
    })
  )

  it.live(
    "an assertion refused as out of its time though brand-new says that a clock is wrong",
    () =>
      Effect.gen(function* () {
        const reason = yield* reasonFor((sandbox) => sandbox.skew("entra", 3_600_000))
        assert.isTrue(reason._tag === "Rejected" && reason.code === "AADSTS700024", visible(reason))
        assert.match(reason._tag === "Rejected" ? reason.hint : "", /a clock is wrong/)
      })
  )
})

describe("keys and trust", () => {
  it.live("a rotated key is taken as soon as it is published", () =>
    Effect.gen(function* () {
      const { flow, sandbox } = yield* journey()
      const first = yield* flow.credential()
      sandbox.rotateKeys("cognito")
      sandbox.rotateKeys("entra")
      const second = yield* flow.credential({ rejected: first })
      assert.notStrictEqual(text(second), text(first))
    })
  )

  it.effect("a trust that was just set up is waited for when asked, and only then", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { cognito, entra, flow, sandbox } = yield* journey({
        retry: RetryPolicy.waitForTrust("5 minutes")
      })
      const path = `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
      sandbox.propagation("10 seconds")
      yield* Effect.promise(async () => {
        const { value } = await graph(sandbox).get(path)
        // Graph's list of the one credential that the first journey has.
        const [{ audiences, id, issuer, name, subject }] = value as [Record<string, unknown>]
        await graph(sandbox).remove(`${path}/${String(id)}`)
        await graph(sandbox).create(path, { audiences, issuer, name, subject })
      })
      const impatient = yield* Flow.make({
        source: cognito,
        exchanger: entra,
        retry: RetryPolicy.none
      })
      const { reason } = yield* Effect.flip(impatient.credential())
      assert.isTrue(reason._tag === "Rejected" && reason.remedy === "waitForTrust", visible(reason))
      const before = yield* retries("Rejected")
      const caller = yield* Effect.forkChild(flow.credential())
      const isDone = () => caller.pollUnsafe() !== undefined
      // Each attempt is really made before time passes to the next one.
      for (let made = 1; !isDone(); made++) {
        yield* until(
          Effect.map(retries("Rejected"), (count) => isDone() || count === before + made)
        )
        yield* TestClock.adjust("5 seconds")
      }
      assert.isAtLeast((yield* retries("Rejected")) - before, 2)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(caller)))
    })
  )
})

describe("what people get wrong is told with the values to compare", () => {
  const credential = (sandbox: Sandbox.Sandbox) =>
    graph(sandbox).get(
      `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
    )

  const change =
    (patch: (record: Record<string, unknown>) => object) => async (sandbox: Sandbox.Sandbox) => {
      const { value } = await credential(sandbox)
      // Graph's list of the one credential that the first journey has.
      const [record] = value as ReadonlyArray<Record<string, unknown>>
      await graph(sandbox).patch(
        `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials/${String(record!["id"])}`,
        patch(record!)
      )
    }

  const cases: ReadonlyArray<
    readonly [
      string,
      (sandbox: Sandbox.Sandbox) => unknown,
      string,
      RegExp,
      Parameters<typeof journey>[0]?
    ]
  > = [
    [
      "a trailing slash on the issuer",
      change(({ issuer }) => ({ issuer: `${String(issuer)}/` })),
      "AADSTS700211",
      /token's issuer is "https:\/\/localhost:\d+".*trailing slash/
    ],
    [
      "the default audience left in",
      change(() => ({ audiences: ["api://AzureADTokenExchange"] })),
      "AADSTS700212",
      /audience is "us-east-1:[0-9a-f-]+"; the federated credential must list exactly/
    ],
    [
      "the user id where the identity belongs",
      change(() => ({ subject: "my_user_id" })),
      "AADSTS700213",
      /subject is "us-east-1:[0-9a-f-]+"/
    ],
    [
      "capital letters",
      change(({ subject }) => ({ subject: String(subject).toUpperCase() })),
      "AADSTS7002138",
      /upper and lower case only/
    ],
    [
      "another user id: a new identity",
      () => undefined,
      "AADSTS700213",
      /subject is/,
      { userId: "somebody else" }
    ],
    [
      "a resource that is not there",
      () => undefined,
      "AADSTS500011",
      /"https:\/\/nowhere.example\/.default"/,
      { scope: "https://nowhere.example/.default" }
    ]
  ]
  for (const [name, prepare, code, hint, options] of cases) {
    it.live(`${name}: ${code}`, () =>
      Effect.gen(function* () {
        const reason = yield* reasonFor(prepare, options)
        assert.isTrue(reason._tag === "Rejected", visible(reason))
        if (reason._tag !== "Rejected") return
        assert.strictEqual(reason.code, code)
        assert.match(reason.hint, hint)
        assert.isDefined(reason.reference?.traceId)
      })
    )
  }

  it.live("a wrong secret key, by AWS's own name", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make()
      const cognito = yield* source({
        identityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? "",
        logins: { "my.dev.provider": "my_user_id" },
        endpoint: sandbox.http,
        credentials: { accessKeyId: sandbox.aws.workload.accessKeyId, secretAccessKey: "wrong" }
      })
      const error: FederationError = yield* Effect.flip(cognito.assertion({}))
      assert.isTrue(
        error.reason._tag === "Rejected" && error.reason.code === "InvalidSignatureException"
      )
    })
  )
})

describe("continuous access evaluation", () => {
  const call = Effect.fnUntraced(function* (sandbox: Sandbox.Sandbox, credential: AccessToken) {
    const url = `${sandbox.http}/v1.0/applications`
    return yield* send({ url, headers: { authorization: `Bearer ${text(credential)}` } })
  })
  const day = 24 * 3600 * 1000

  it.live("a revoked token is challenged, and what answers the challenge serves again", () =>
    Effect.gen(function* () {
      const { counts, flow, sandbox } = yield* journey({ clientCapabilities: ["cp1"] })
      const old = yield* flow.credential()
      assert.strictEqual((yield* call(sandbox, old)).status, 200)
      assert.isAtLeast(old.expiresAt - old.obtainedAt, day)

      sandbox.revokeTokens()
      const refused = yield* call(sandbox, old)
      assert.strictEqual(refused.status, 401)
      const claims = claimsChallenge(refused.headers)
      assert.isDefined(claims)
      const renewed = yield* flow.credential({ claims, rejected: old })
      assert.strictEqual((yield* call(sandbox, renewed)).status, 200)
      assert.strictEqual(text(yield* flow.credential()), text(renewed))
      assert.deepStrictEqual(counts()[1], 2)
    }).pipe(Effect.scoped)
  )

  it.live("without the claims another token would be challenged as well", () =>
    Effect.gen(function* () {
      const { flow, sandbox } = yield* journey({ clientCapabilities: ["cp1"] })
      const old = yield* flow.credential()
      sandbox.revokeTokens()
      const other = yield* flow.credential({ rejected: old })
      assert.notStrictEqual(text(other), text(old))
      assert.isDefined(claimsChallenge((yield* call(sandbox, other)).headers))
    }).pipe(Effect.scoped)
  )

  it.live("a client that can answer no challenge keeps a token of the usual length", () =>
    Effect.gen(function* () {
      const { flow, sandbox } = yield* journey()
      const credential = yield* flow.credential()
      sandbox.revokeTokens()
      assert.strictEqual((yield* call(sandbox, credential)).status, 200)
      assert.strictEqual(credential.expiresAt - credential.obtainedAt, 3_599_000)
    }).pipe(Effect.scoped)
  )
})
