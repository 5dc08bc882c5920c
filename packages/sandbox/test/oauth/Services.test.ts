import { Assertion, AssertionSource, Flow, RetryPolicy } from "@federate/core"
import { jwtBearer, tokenExchange } from "@federate/oidc"
import type { JwtBearerOptions, TokenExchangeOptions } from "@federate/oidc"
import { Fault, Sandbox } from "@federate/sandbox"
import type { TokenOptions } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schedule } from "effect"
import { TestClock } from "effect/testing"

/** A sandbox with a source that it trusts, and its services over plain http. */
const start = Effect.gen(function* () {
  yield* TestClock.setTime(Date.now())
  const sandbox = yield* Sandbox.make({ setup: "empty" })
  let n = 0
  const source = (change: Partial<TokenOptions> = {}) =>
    AssertionSource.make({
      name: "issuer",
      offers: { audience: "any" },
      assertion: Effect.fnUntraced(function* ({ preferredAudience = "" }) {
        const token = yield* Effect.promise(() =>
          sandbox.issueToken("workload", {
            subject: "workload",
            audience: preferredAudience,
            claims: { jti: `${++n}` },
            ...change
          })
        )
        return yield* Effect.fromResult(
          Assertion.fromJwt(Redacted.make(token), { obtainedAt: Date.now(), issuerTime: "iat" })
        )
      })
    })
  const { anthropic, openai, openrouter } = sandbox.services
  const fetch = (url: string, init: RequestInit) =>
    globalThis.fetch(url.replace(sandbox.https, sandbox.http), init)
  const common = ({ parameters, tokenEndpoint }: typeof openai) => ({
    parameters,
    tokenEndpoint,
    fetch
  })
  const exchangers = {
    openai: (change: Partial<TokenExchangeOptions> = {}) =>
      tokenExchange({ service: "openai", ...common(openai), ...change }),
    openrouter: (change: Partial<TokenExchangeOptions> = {}) =>
      tokenExchange({ service: "openrouter", ...common(openrouter), ...change }),
    anthropic: (change: Partial<JwtBearerOptions> = {}) =>
      jwtBearer({ service: "anthropic", ...common(anthropic), ...change })
  }
  const models = (name: keyof typeof exchangers, token: Redacted.Redacted) =>
    Effect.promise(async () => {
      const response = await fetch(`${sandbox.services[name].url}/v1/models`, {
        headers: { authorization: `Bearer ${Redacted.value(token)}` }
      })
      return response.status
    })
  return { sandbox, source, exchangers, models }
})

const names = ["anthropic", "openai", "openrouter"] as const

describe("a service that takes assertions", () => {
  it.effect("issues a token that its API takes, until it ends, and only its own", () =>
    Effect.gen(function* () {
      const { exchangers, models, sandbox, source } = yield* start
      for (const name of names) {
        const flow = Flow.direct({ source: source(), exchanger: yield* exchangers[name]() })
        const { expiresAt, obtainedAt, token } = yield* flow.credential()
        assert.strictEqual(expiresAt - obtainedAt, 300_000)
        assert.strictEqual(yield* models(name, token), 200)
        for (const other of names.filter((each) => each !== name))
          assert.strictEqual(yield* models(other, token), 401)
        sandbox.skew("services", 300_001)
        assert.strictEqual(yield* models(name, token), 401)
        sandbox.skew("services", 0)
      }
    })
  )

  it.effect("refuses another subject, issuer or audience, with what to compare", () =>
    Effect.gen(function* () {
      const { exchangers, source } = yield* start
      for (const name of names) {
        for (const change of [{ subject: "another" }, { audience: "another" }]) {
          const flow = Flow.direct({
            source: source(change),
            exchanger: yield* exchangers[name](),
            retry: RetryPolicy.none
          })
          const { reason } = yield* Effect.flip(flow.credential())
          assert.isTrue(reason._tag === "Rejected", `${name}: ${reason._tag}`)
          assert.propertyVal(
            reason,
            "code",
            name === "openrouter" ? "invalid_grant" : "authentication_error"
          )
          assert.match(Object(reason).hint, /issuer https.*workload, subject .*, audience/)
        }
      }
    })
  )

  it.effect("refuses an assertion that has ended, which is a clock's fault when it is new", () =>
    Effect.gen(function* () {
      const { exchangers, source } = yield* start
      const flow = Flow.direct({
        source: source({ lifetime: -120_000 }),
        exchanger: yield* exchangers.openai()
      })
      const { reason } = yield* Effect.flip(flow.credential())
      assert.match(Object(reason).hint, /a clock is wrong/)
    })
  )

  it.effect("wants its own parameters and body", () =>
    Effect.gen(function* () {
      const { exchangers, sandbox, source } = yield* start
      const refused = Effect.fnUntraced(function* (
        exchanger: ReturnType<typeof exchangers.openai>,
        code: string
      ) {
        const flow = Flow.direct({ source: source(), exchanger: yield* exchanger })
        const { reason } = yield* Effect.flip(flow.credential())
        assert.propertyVal(reason, "code", code)
      })
      for (const name of names) {
        const { parameters } = sandbox.services[name]
        const [[first] = [""]] = Object.entries(parameters)
        yield* refused(
          exchangers[name]({ parameters: { ...parameters, [first]: "wrong" } }),
          "invalid_grant"
        )
        const body = name === "openrouter" ? "json" : "form"
        yield* refused(exchangers[name]({ body }), "invalid_request")
        yield* refused(
          exchangers[name]({
            service: undefined,
            body: body === "json" ? "form" : "json",
            parameters: {}
          }),
          name === "anthropic" ? "invalid_grant" : "invalid_request"
        )
      }
    })
  )

  it.effect("takes texts alone", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* start
      const { openai } = sandbox.services
      for (const body of ["[]", "{}", "nonsense", '{"grant_type":1,"subject_token":"a"}']) {
        const answer = yield* Effect.promise(async () => {
          const response = await fetch(openai.tokenEndpoint.replace(sandbox.https, sandbox.http), {
            method: "POST",
            headers: { "content-type": "application/json" },
            body
          })
          return response.text()
        })
        assert.include(answer, "must be an object of texts")
      }
    })
  )

  it.effect("gets a fresh assertion with each retry and refresh, where it takes each once", () =>
    Effect.gen(function* () {
      const { exchangers, sandbox, source } = yield* start
      const flow = Flow.direct({
        source: yield* AssertionSource.cached(source()),
        exchanger: yield* exchangers.anthropic(),
        retry: { ...RetryPolicy.standard, schedule: Schedule.recurs(1) }
      })
      yield* flow.credential()
      yield* flow.credential()
      // What was sent and not answered may have been seen all the same.
      sandbox.fault("services.anthropic", Fault.truncated, { first: 1 })
      const { token } = yield* flow.credential()
      assert.match(Redacted.value(token), /^sk-ant-oat01-/)
      assert.strictEqual(sandbox.count("services.anthropic"), 4)
    })
  )

  it.effect("refuses an assertion that it has seen", () =>
    Effect.gen(function* () {
      const { exchangers, source } = yield* start
      // Whoever says that it may be used twice.
      const exchanger = yield* exchangers.anthropic({ singleUse: false })
      const assertion = yield* source().assertion(exchanger.asks)
      yield* exchanger.exchange(assertion, {})
      const { reason } = yield* Effect.flip(exchanger.exchange(assertion, {}))
      assert.propertyVal(reason, "code", "authentication_error")
      assert.match(Object(reason).hint, /takes each assertion once, set `singleUse`/)
    })
  )
})
