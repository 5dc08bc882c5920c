import { createSecretKey } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { listen, make } from "@federate/broker"
import type { BrokerConfig, ServedFlow } from "@federate/broker"
import { Transient } from "@federate/core"
import { watch } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { Base64Url } from "effect/encoding"
import { TestClock } from "effect/testing"
import { generateKeyPair } from "jose"
import { issuer, network, sign } from "../issuers.ts"
import type { Issuer, Token } from "../issuers.ts"
import { ask, assertions, keys, serving, tokens } from "../serving.ts"
import type { Got } from "../serving.ts"

type Policies = NonNullable<BrokerConfig["tokenExchange"]>["policies"]
type Policy = Policies[string]

const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const grant = "urn:ietf:params:oauth:grant-type:token-exchange"
const form = { "Content-Type": "application/x-www-form-urlencoded" }

const ci = await issuer("https://ci.example")
const stranger = await generateKeyPair("RS256")
const other = await issuer("https://other.example/tenant", "ES256")

/** A policy that trusts the test's own issuer, unless told otherwise. */
const policy = (change: Partial<Policy> = {}): Policy => ({
  issuer: ci.url,
  audience: "party",
  subject: "repo:org/app:*",
  flows: ["graph"],
  ...change
})

/** The body of a request; `undefined` leaves a parameter out. */
const body = (token: string, change: Readonly<Record<string, string | undefined>> = {}): string =>
  new URLSearchParams(
    Object.entries({
      grant_type: grant,
      subject_token: token,
      subject_token_type: tokenType("jwt"),
      ...change
    }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  ).toString()

const path = "/oauth2/token"

/** A broker with these policies over these flows, and a client of its token endpoint. */
const exchanging = Effect.fnUntraced(function* (
  flows: ReadonlyArray<ServedFlow>,
  policies: Policies,
  config: BrokerConfig = {},
  issuers: ReadonlyArray<Issuer> = [ci, other]
) {
  const broker = yield* serving(
    flows,
    { ...config, tokenExchange: { policies, ...config.tokenExchange } },
    undefined,
    { fetch: network(...issuers) }
  )
  const trade = (token: string, change?: Readonly<Record<string, string | undefined>>) =>
    broker.ask(path, { method: "POST", headers: form, body: body(token, change) })
  return { ...broker, trade }
})

/** A broker over one flow with one policy. */
const one = Effect.fnUntraced(function* (change: Partial<Policy> = {}, issuers?: [Issuer]) {
  const graph = yield* tokens("graph")
  const broker = yield* exchanging(
    [graph.served],
    { build: policy(change) },
    {},
    issuers ?? [ci, other]
  )
  return { ...graph, ...broker }
})

const isRefused = (got: Got, error: string, about: RegExp, status = 400) => {
  assert.deepEqual([got.status, got.json()["error"]], [status, error], got.text)
  const described = String(got.json()["error_description"])
  assert.match(described, about)
  // RFC 6749 §5.2.
  assert.match(described, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
  assert.strictEqual(got.headers["cache-control"], "no-store")
}

describe("a token exchange", () => {
  it.live("answers as RFC 8693 §2.2.1 says, and tells the audit who it was", () =>
    Effect.gen(function* () {
      const { handed, trade } = yield* one()
      const got = yield* trade(yield* ci.issue())
      assert.strictEqual(got.status, 200, got.text)
      assert.strictEqual(got.headers["content-type"], "application/json")
      assert.strictEqual(got.headers["cache-control"], "no-store")
      assert.strictEqual(got.headers["pragma"], "no-cache")
      const { expires_in, ...rest } = got.json()
      assert.deepEqual(rest, {
        access_token: "graph-1",
        issued_token_type: tokenType("access_token"),
        token_type: "Bearer"
      })
      assert.isTrue(Number(expires_in) > 3590 && Number(expires_in) <= 3600)
      const [told] = handed
      assert.deepInclude(told, {
        caller: "loopback",
        protocol: "token-exchange",
        flow: "graph",
        scope: "",
        subject: "https://ci.example repo:org/app:main"
      })
    })
  )

  it.live("takes the types that say the same, and parameters that say nothing", () =>
    Effect.gen(function* () {
      const { trade } = yield* one()
      const token = yield* ci.issue()
      for (const change of [
        { subject_token_type: tokenType("id_token") },
        { requested_token_type: tokenType("access_token") },
        { audience: "graph" },
        { audience: "", scope: "", actor_token: "", resource: "", requested_token_type: "" },
        { client_id: "anybody", something: "else" }
      ]) {
        assert.strictEqual((yield* trade(token, change)).status, 200, JSON.stringify(change))
      }
    })
  )

  it.live("asks for scopes that the policy lists, and tells those that were granted", () =>
    Effect.gen(function* () {
      const { handed, trade, upstream } = yield* one({ scopes: ["read", "write"] })
      const token = yield* ci.issue()
      const got = yield* trade(token, { scope: "read write" })
      assert.strictEqual(got.json()["scope"], "read write")
      assert.deepEqual(upstream.asked, [{ scopes: ["read", "write"] }])
      assert.strictEqual(handed[0]?.scope, "read write")
      isRefused(
        yield* trade(token, { scope: "read delete" }),
        "invalid_scope",
        /policy build lets nobody ask for the scope delete\. It lets ask for read, write/
      )
      isRefused(yield* trade(token, { scope: 're"ad' }), "invalid_scope", /characters/)
    })
  )

  it.live("asks for no scope without a list", () =>
    Effect.gen(function* () {
      const { trade } = yield* one()
      isRefused(yield* trade(yield* ci.issue(), { scope: "read" }), "invalid_scope", /none/)
    })
  )

  it.live("keeps who it was to one short line", () =>
    Effect.gen(function* () {
      const { handed, trade } = yield* one({ subject: "a**" })
      yield* trade(yield* ci.issue({ claims: { sub: `a\n\u202Eb${"c".repeat(5000)}` } }))
      const subject = handed[0]?.subject ?? ""
      assert.match(subject, /^https:\/\/ci\.example a bc+…$/)
      assert.isBelow(subject.length, 1002)
    })
  )
})

describe("a request", () => {
  const cases: ReadonlyArray<
    readonly [string, Readonly<Record<string, string | undefined>>, string, RegExp]
  > = [
    ["without grant_type", { grant_type: undefined }, "invalid_request", /grant_type is missing/],
    [
      "of another grant",
      { grant_type: "client_credentials" },
      "unsupported_grant_type",
      /token-exchange/
    ],
    ["without a token", { subject_token: "" }, "invalid_request", /subject_token is missing/],
    [
      "without the token's type",
      { subject_token_type: undefined },
      "invalid_request",
      /subject_token_type is missing/
    ],
    [
      "with a token of another type",
      { subject_token_type: tokenType("access_token") },
      "invalid_request",
      /must be .*:jwt or .*:id_token/
    ],
    [
      "for a token of another type",
      { requested_token_type: tokenType("refresh_token") },
      "invalid_request",
      /requested_token_type must be/
    ],
    [
      "for a type that the flow does not issue",
      { requested_token_type: tokenType("jwt") },
      "invalid_request",
      /flow graph issues .*:access_token/
    ],
    ["with an actor", { actor_token: "x" }, "invalid_request", /actor_token is not taken/],
    [
      "with an actor's type",
      { actor_token_type: tokenType("jwt") },
      "invalid_request",
      /actor_token/
    ],
    ["for a resource", { resource: "https://graph" }, "invalid_target", /Name a flow by audience/],
    ["for an unknown flow", { audience: "nowhere" }, "invalid_target", /No policy/],
    ["with no JWT", { subject_token: "e.y" }, "invalid_request", /is not a JWT/],
    [
      "with an endless token",
      { subject_token: "e".repeat(17_000) },
      "invalid_request",
      /at most 16384/
    ]
  ]
  for (const [name, change, error, about] of cases) {
    it.live(`${name} is refused`, () =>
      Effect.gen(function* () {
        const { refused, trade } = yield* one()
        isRefused(yield* trade(yield* ci.issue(), change), error, about)
        assert.deepInclude(refused[0], {
          caller: "loopback",
          protocol: "token-exchange",
          status: 400,
          code: error
        })
        assert.match(refused[0]!.message, about)
      })
    )
  }

  it.live("says nothing twice", () =>
    Effect.gen(function* () {
      const broker = yield* one()
      const text = body(yield* ci.issue())
      for (const more of ["subject_token=x", "audience=graph&audience=graph", "scope=a&scope=b"]) {
        const got = yield* broker.ask(path, {
          method: "POST",
          headers: form,
          body: `${text}&${more}`
        })
        isRefused(got, "invalid_request", /is there twice/)
      }
    })
  )

  it.live("is a form that is posted", () =>
    Effect.gen(function* () {
      const broker = yield* one()
      const text = body(yield* ci.issue())
      const query = yield* broker.ask(`${path}?${text}`, { method: "POST", headers: form })
      isRefused(query, "invalid_request", /grant_type is missing/)
      const got = yield* broker.ask(`${path}?${text}`)
      assert.deepEqual([got.status, got.headers["allow"]], [405, "POST"])
      const json = yield* broker.ask(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: "{}"
      })
      isRefused(json, "invalid_request", /must be a form/)
      const long = yield* broker.ask(path, {
        method: "POST",
        headers: form,
        body: "a".repeat(70_000)
      })
      assert.strictEqual(long.status, 413)
    })
  )
})

describe("a subject token", () => {
  const hmac = createSecretKey(Buffer.from(JSON.stringify(ci.jwk())))
  const now = () => Math.floor(Date.now() / 1000)
  const header = { alg: "RS256", kid: "key-1", typ: "JWT" }

  const unsigned = ci
    .issue()
    .pipe(
      Effect.map((token) =>
        [Base64Url.encode(JSON.stringify({ alg: "none" })), token.split(".")[1], "AA"].join(".")
      )
    )

  const cases: ReadonlyArray<readonly [string, Effect.Effect<string>, RegExp, Partial<Policy>?]> = [
    ["that nobody signed", unsigned, /algorithm: it must be signed by RS256/],
    [
      "signed by a shared secret",
      sign(hmac, { alg: "HS256", kid: "key-1" }, ci.url),
      /algorithm: it must be signed by/
    ],
    ["by another key", sign(stranger.privateKey, header, ci.url), /signature: /],
    [
      "by a key that is not published",
      sign(stranger.privateKey, { ...header, kid: "<secret>" }, ci.url),
      /key: its issuer publishes no key/
    ],
    ["with an extension", ci.issue({ header: { crit: ["b64"], b64: true } }), /form: .*crit/],
    [
      "signed by what the policy does not take",
      ci.issue(),
      /algorithm: it must be signed by ES256\./,
      { algorithms: ["ES256"] }
    ],
    ["that is over", ci.issue({ lifetime: -120 }), /time: The token ended at/],
    ["that has just ended", ci.issue({ lifetime: -5 }), /its exp is over/],
    ["without an end", ci.issue({ claims: { exp: undefined } }), /no exp/],
    ["of tomorrow", ci.issue({ claims: { nbf: now() + 86_400 } }), /time: The token's nbf/],
    ["that is an access token", ci.issue({ header: { typ: "at+jwt" } }), /typ must be JWT/],
    ["that is a proof", ci.issue({ header: { typ: "dpop+jwt" } }), /typ must be JWT/],
    [
      "for somebody else",
      ci.issue({ claims: { aud: "else" } }),
      /build: aud is 'else', and must hold 'party'/
    ],
    [
      "for others",
      ci.issue({ claims: { aud: ["a", "b"] } }),
      /aud is \['a','b'\], and must hold 'party'/
    ],
    ["for nobody", ci.issue({ claims: { aud: undefined } }), /aud is absent/],
    [
      "about somebody in capitals",
      ci.issue({ claims: { sub: "repo:Org/app:main" } }),
      /sub is 'repo:Org\/app:main', and must match 'repo:org\/app:\*'/
    ],
    [
      "about a segment more",
      ci.issue({ claims: { sub: "repo:org/app:ref:x" } }),
      /sub is .*, and must match/
    ],
    ["about nobody", ci.issue({ claims: { sub: undefined } }), /sub is absent/],
    [
      "about a list",
      ci.issue({ claims: { sub: ["repo:org/app:main"] } }),
      /sub is \['repo:org\/app:main'\]/
    ],
    [
      "without a claim",
      ci.issue(),
      /environment is absent, and must match 'prod'/,
      { claims: { environment: "prod" } }
    ],
    [
      "without a claim that every object has",
      ci.issue(),
      /constructor is absent/,
      { claims: { constructor: "**" } }
    ],
    [
      "with another claim",
      ci.issue({ claims: { run: { id: 1 } } }),
      /run is \{'id':1\}, and must match '1' or '2'/,
      { claims: { run: ["1", "2"] } }
    ],
    [
      "by an issuer that is written otherwise",
      ci.issue({ claims: { iss: `${ci.url}/` } }),
      /No policy here trusts the subject_token's issuer, https:\/\/ci\.example\/\./
    ],
    [
      "by an issuer with a long name",
      ci.issue({ claims: { iss: `\n${"x".repeat(500)}` } }),
      /issuer, x{200}\./
    ],
    ["by nobody", ci.issue({ claims: { iss: undefined } }), /issuer, which it does not name/]
  ]
  for (const [name, token, about, change] of cases) {
    it.live(`${name} is refused, and not repeated`, () =>
      Effect.gen(function* () {
        const { trade, upstream } = yield* one(change)
        const text = yield* token
        const { seen, within } = watch()
        const got = yield* within(trade(text))
        isRefused(got, "invalid_request", about)
        assert.deepEqual(upstream.asked, [])
        for (const secret of [text.split(".")[2]!, "<secret>"].filter(({ length }) => length > 4)) {
          assert.notInclude(got.text + seen(), secret)
        }
      })
    )
  }

  it.live("is taken by whatever its policy demands", () =>
    Effect.gen(function* () {
      const takes = Effect.fnUntraced(function* (token: Token, change: Partial<Policy>) {
        const { trade } = yield* one(change)
        assert.strictEqual((yield* trade(yield* ci.issue(token))).status, 200)
      })
      yield* takes({ claims: { aud: ["other", "party"] } }, {})
      yield* takes({ claims: { aud: "second" } }, { audience: ["first", "second"] })
      yield* takes({ header: {} }, {})
      yield* takes({ header: { typ: "JOSE" } }, {})
      yield* takes({ header: { typ: "application/JWT" } }, {})
      yield* takes({ claims: { nbf: now() + 30 } }, {})
      yield* takes(
        { claims: { n: 7, yes: true, teams: ["a", "ops/x"], none: null } },
        { claims: { n: "7", yes: "true", teams: "ops/*" } }
      )
      yield* takes({ claims: { x: "2" } }, { claims: { x: ["1", "2"] }, algorithms: ["RS256"] })
    })
  )
})

describe("policies", () => {
  const both = Effect.gen(function* () {
    const graph = yield* tokens("graph")
    const vault = yield* tokens("vault")
    return { graph, vault, served: [graph.served, vault.served] }
  })

  it.live("give the one flow that they leave, or the one that audience names", () =>
    Effect.gen(function* () {
      const { served } = yield* both
      const { trade } = yield* exchanging(served, {
        main: policy({ subject: "repo:org/app:main", flows: ["graph", "vault"] }),
        any: policy({ flows: ["graph"] })
      })
      const main = yield* ci.issue()
      isRefused(
        yield* trade(main),
        "invalid_request",
        /Say by audience .* graph, vault|vault, graph/
      )
      for (const audience of ["graph", "vault"]) {
        const got = yield* trade(main, { audience })
        assert.match(String(got.json()["access_token"]), new RegExp(`^${audience}-`))
      }
      const branch = yield* ci.issue({ claims: { sub: "repo:org/app:branch" } })
      assert.match(String((yield* trade(branch)).json()["access_token"]), /^graph-/)
      isRefused(
        yield* trade(branch, { audience: "vault" }),
        "invalid_request",
        /No policy trusts the subject_token\. main: sub is 'repo:org\/app:branch'/
      )
    })
  )

  it.live("are looked at in the file's order", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const { trade } = yield* exchanging([graph.served], {
        narrow: policy({ subject: "repo:org/app:main", scopes: ["read"] }),
        wide: policy({ scopes: ["write"] })
      })
      const main = yield* ci.issue()
      assert.strictEqual((yield* trade(main, { scope: "read" })).status, 200)
      isRefused(yield* trade(main, { scope: "write" }), "invalid_scope", /policy narrow/)
      const branch = yield* ci.issue({ claims: { sub: "repo:org/app:x" } })
      assert.strictEqual((yield* trade(branch, { scope: "write" })).status, 200)
    })
  )

  it.live("take the algorithms of their own, and not of each other", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const { trade } = yield* exchanging([graph.served], {
        strict: policy({ algorithms: ["ES256"] }),
        main: policy({ subject: "repo:org/app:main" })
      })
      assert.strictEqual((yield* trade(yield* ci.issue())).status, 200)
      isRefused(
        yield* trade(yield* ci.issue({ claims: { sub: "repo:org/app:x" } })),
        "invalid_request",
        /strict: alg is RS256, and must be ES256\./
      )
    })
  )

  it.live("never mix issuers: each is believed by its own keys alone", () =>
    Effect.gen(function* () {
      const { served } = yield* both
      const { trade } = yield* exchanging(served, {
        ci: policy(),
        other: policy({ issuer: other.url, flows: ["vault"] })
      })
      assert.match(String((yield* trade(yield* other.issue())).json()["access_token"]), /^vault-/)
      const forged = yield* ci.issue({ claims: { iss: other.url } })
      isRefused(yield* trade(forged), "invalid_request", /key: |algorithm: /)
      isRefused(
        yield* trade(yield* ci.issue(), { audience: "vault" }),
        "invalid_target",
        /No policy for the subject_token's issuer/
      )
    })
  )

  it.live("belong to a way in", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "federate-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true }))
      )
      const { served } = yield* both
      const socket = { path: join(folder, "broker.sock"), flows: [] }
      const { broker, handed, trade } = yield* exchanging(
        served,
        {
          here: policy(),
          there: policy({ subject: "repo:org/app:main", flows: ["vault"], socket: "jobs" })
        },
        { sockets: { jobs: socket } }
      )
      const [jobs] = broker.sockets
      const origin = yield* listen(jobs!.listener, jobs!)
      const token = yield* ci.issue()
      const got = yield* ask(origin, path, { method: "POST", headers: form, body: body(token) })
      assert.strictEqual(got.json()["access_token"], "vault-1")
      assert.strictEqual((yield* trade(token)).json()["access_token"], "graph-1")
      assert.deepEqual(
        handed.map(({ caller, flow }) => [caller, flow]),
        [
          ["jobs", "vault"],
          ["loopback", "graph"]
        ]
      )
    })
  )

  it.live("are what there is a token endpoint for", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("graph")
      for (const config of [{}, { tokenExchange: { policies: {} } }]) {
        const broker = yield* serving([served], config)
        const posted = yield* broker.ask(path, { method: "POST", headers: form, body: "" })
        assert.strictEqual(posted.status, 404)
        const metadata = yield* broker.ask("/.well-known/oauth-authorization-server")
        assert.strictEqual(metadata.status, 404)
      }
    })
  )
})

describe("a policy that cannot work", () => {
  const cases: ReadonlyArray<readonly [string, Policies, string, RegExp]> = [
    ["names no flow", { p: policy({ flows: [] }) }, "p.flows", /names no flow/],
    ["names an unknown flow", { p: policy({ flows: ["x"] }) }, "p.flows", /names no flow: "x"/],
    [
      "names a flow of AWS credentials",
      { p: policy({ flows: ["bucket"] }) },
      "p.flows",
      /issues AWS credentials/
    ],
    [
      "names a flow without an exchanger",
      { p: policy({ flows: ["plain"] }) },
      "p.flows",
      /issues assertions/
    ],
    [
      "forwards to a flow that cannot",
      { p: policy({ flows: ["closed"] }) },
      "p.flows",
      /"closed" cannot trade .* mode: flow/
    ],
    ["names an unknown socket", { p: policy({ socket: "x" }) }, "p.socket", /no socket: "x"/],
    ["trusts plain http", { p: policy({ issuer: "http://ci.example" }) }, "p.issuer", /Use https/],
    ["trusts no URL", { p: policy({ issuer: "ci" }) }, "p.issuer", /not an absolute URL/],
    [
      "takes keys by plain http",
      { p: policy({ jwksUri: "http://ci.example/k" }) },
      "p.jwksUri",
      /Use https/
    ],
    [
      "takes keys from two places",
      { a: policy(), b: policy({ jwksUri: "https://ci.example/k" }) },
      "b.jwksUri",
      /another policy/
    ],
    ["is for no audience", { p: policy({ audience: [] }) }, "p.audience", /names no audience/],
    ...["", "*", "**", "**:**", "*/*:*"].map(
      (subject) =>
        [
          `trusts "${subject}"`,
          { p: policy({ subject }) },
          "p.subject",
          /every subject of the issuer/
        ] as const
    ),
    [
      "has an endless pattern",
      { p: policy({ subject: "a".repeat(513) }) },
      "p.subject",
      /more than 512/
    ],
    [
      "demands nothing of a claim",
      { p: policy({ claims: { x: [] } }) },
      "p.claims.x",
      /has no pattern/
    ],
    ["takes HMACs", { p: policy({ algorithms: ["HS256"] }) }, "p.algorithms", /HS256/],
    ["takes no algorithm", { p: policy({ algorithms: [] }) }, "p.algorithms", /lists none/],
    ["has a number for a name", { "1": policy() }, "", /"1" is no name/]
  ]
  for (const [name, policies, setting, about] of cases) {
    it.effect(`${name} is Misconfigured`, () =>
      Effect.gen(function* () {
        const graph = yield* tokens("graph")
        const { over: _, ...closed } = (yield* tokens("closed")).served
        const flows = [
          graph.served,
          (yield* keys("bucket")).served,
          (yield* assertions("plain")).served,
          closed
        ]
        const error = yield* Effect.flip(make({ flows, config: { tokenExchange: { policies } } }))
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(
          error.message,
          `broker.tokenExchange.policies${setting === "" ? "" : `.${setting}`}: `
        )
        assert.match(error.message, about)
      })
    )
  }

  it.effect("is none that is for this machine", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("graph")
      const { over: _, ...closed } = served
      const config = (change: Partial<Policy>) => ({
        tokenExchange: { policies: { p: policy(change) } }
      })
      yield* make({ flows: [served], config: config({ issuer: "http://localhost:8080/ci" }) })
      yield* make({ flows: [closed], config: config({ mode: "flow" }) })
    })
  )
})

describe("forwarding", () => {
  it.live("trades each assertion by itself, and the same one once", () =>
    Effect.gen(function* () {
      const { trade, upstream } = yield* one()
      const mine = yield* ci.issue()
      const yours = yield* ci.issue({ claims: { sub: "repo:org/app:yours" } })
      const got = []
      for (const token of [mine, yours, mine, yours]) {
        got.push((yield* trade(token)).json()["access_token"])
      }
      assert.deepEqual(got, ["graph-1", "graph-2", "graph-1", "graph-2"])
      assert.lengthOf(upstream.asked, 2)
    })
  )

  it.live("trades it once for each scope", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const { trade } = yield* exchanging([graph.served], {
        read: policy({ scopes: ["read"] })
      })
      const token = yield* ci.issue()
      yield* trade(token, { scope: "read" })
      yield* trade(token)
      assert.deepEqual(graph.upstream.asked, [{ scopes: ["read"] }, {}])
    })
  )

  it.live("trades once for a thousand who come at once", () =>
    Effect.gen(function* () {
      const { trade, upstream } = yield* one()
      const token = yield* ci.issue()
      const got = yield* Effect.all(
        Array.from({ length: 1000 }, () => trade(token)),
        { concurrency: "unbounded" }
      )
      assert.deepEqual(new Set(got.map(({ json }) => json()["access_token"])), new Set(["graph-1"]))
      assert.lengthOf(upstream.asked, 1)
    })
  )

  it.live("hands the assertion on as it is, and what the other side says of it back", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { served } = yield* tokens("graph")
      const spying = {
        ...served,
        over: (source: Parameters<NonNullable<typeof served.over>>[0]) => {
          seen.push(source.name)
          return Effect.tap(served.over!(source), () =>
            Effect.map(Effect.orDie(source.assertion({})), ({ subject }) => seen.push(subject!))
          )
        }
      }
      const { trade } = yield* exchanging([spying], { build: policy() })
      yield* trade(yield* ci.issue())
      assert.deepEqual(seen, ["subject_token", "repo:org/app:main"])
    })
  )
})

describe("an assertion that ends", () => {
  it.effect("gets nothing any more, whatever was traded for it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { trade, upstream } = yield* one()
      const token = yield* ci.issue({ lifetime: 60 })
      assert.strictEqual((yield* trade(token)).status, 200)
      yield* TestClock.adjust("61 seconds")
      isRefused(yield* trade(token), "invalid_request", /its exp is over/)
      assert.lengthOf(upstream.asked, 1)
    })
  )
})

describe("handing out a flow's own credential", () => {
  it.live("asks upstream once for all, and tells the audit them apart", () =>
    Effect.gen(function* () {
      const { handed, trade, upstream } = yield* one({ mode: "flow" })
      for (const branch of ["a", "b"]) {
        const token = yield* ci.issue({ claims: { sub: `repo:org/app:${branch}` } })
        assert.strictEqual((yield* trade(token)).json()["access_token"], "graph-1")
      }
      assert.lengthOf(upstream.asked, 1)
      assert.deepEqual(
        handed.map(({ subject }) => subject),
        ["https://ci.example repo:org/app:a", "https://ci.example repo:org/app:b"]
      )
    })
  )
})

describe("what keeps a caller waiting", () => {
  it.live("is an issuer's keys, fetched on behind the caller's back", () =>
    Effect.gen(function* () {
      const slow = held(yield* Effect.promise(() => issuer("https://slow.example")))
      const { trade } = yield* one({ issuer: slow.url }, [slow.issuer])
      const token = yield* slow.issuer.issue()
      const got = yield* trade(token)
      isRefused(got, "temporarily_unavailable", /keys .* are being fetched/, 503)
      assert.strictEqual(got.headers["retry-after"], "1")
      slow.release()
      assert.strictEqual((yield* trade(token)).status, 200)
      assert.deepEqual(slow.issuer.fetched, ["/.well-known/openid-configuration", "/keys"])
    })
  )

  it.effect("keeps it no longer because both do", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const slow = held(yield* Effect.promise(() => issuer("https://slow.example")))
      const { trade, upstream } = yield* one({ issuer: slow.url }, [slow.issuer])
      upstream.before = Effect.never
      const caller = yield* Effect.forkChild(trade(yield* slow.issuer.issue()))
      yield* until(() => slow.issuer.fetched.length === 1)
      yield* TestClock.adjust(600)
      slow.release()
      yield* until(() => upstream.asked.length === 1)
      yield* TestClock.adjust(300)
      isRefused(yield* Fiber.join(caller), "temporarily_unavailable", /'graph' has no/, 503)
    })
  )

  it.live("is a flow, fetched on behind the caller's back", () =>
    Effect.gen(function* () {
      const { trade, upstream } = yield* one()
      const gate = yield* Deferred.make<void>()
      upstream.before = Deferred.await(gate)
      const token = yield* ci.issue()
      const got = yield* trade(token)
      isRefused(got, "temporarily_unavailable", /'graph' has no credential yet/, 503)
      assert.strictEqual(got.headers["retry-after"], "1")
      yield* Deferred.done(gate, Exit.void)
      assert.strictEqual((yield* trade(token)).json()["access_token"], "graph-1")
      assert.lengthOf(upstream.asked, 1)
    })
  )

  it.live("is an issuer that is down, left alone until it may be asked again", () =>
    Effect.gen(function* () {
      const down = yield* Effect.promise(() => issuer("https://down.example"))
      down.answer = async () => new Response("", { status: 500 })
      const { trade } = yield* one({ issuer: down.url }, [down])
      const token = yield* down.issue()
      for (const _ of [1, 2]) {
        const got = yield* trade(token)
        isRefused(got, "temporarily_unavailable", /down\.example/, 503)
        const after = Number(got.headers["retry-after"])
        assert.isTrue(after > 25 && after <= 30)
      }
      assert.lengthOf(down.fetched, 1)
    })
  )

  it.live("is another side that is busy, as long as it says", () =>
    Effect.gen(function* () {
      const { trade, upstream } = yield* one()
      upstream.before = Effect.fail(new Transient({ detail: "busy", retryAt: Date.now() + 20_000 }))
      const got = yield* trade(yield* ci.issue())
      isRefused(got, "temporarily_unavailable", /busy/, 503)
      assert.isAbove(Number(got.headers["retry-after"]), 15)
    })
  )
})

describe("an issuer's keys", () => {
  it.live("are fetched once for all who ask", () =>
    Effect.gen(function* () {
      const fresh = yield* Effect.promise(() => issuer("https://fresh.example"))
      const { trade } = yield* one({ issuer: fresh.url, mode: "flow" }, [fresh])
      const issued = yield* Effect.all(
        Array.from({ length: 20 }, (_, n) => fresh.issue({ claims: { sub: `repo:org/app:${n}` } }))
      )
      const got = yield* Effect.all(
        issued.map((token) => trade(token)),
        {
          concurrency: "unbounded"
        }
      )
      assert.isTrue(got.every(({ status }) => status === 200))
      assert.lengthOf(fresh.fetched, 2)
    })
  )

  it.effect("are fetched again for a new one, and an old one is believed no more", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const turning = yield* Effect.promise(() => issuer("https://turning.example"))
      const { trade } = yield* one({ issuer: turning.url }, [turning])
      const before = yield* turning.issue()
      assert.strictEqual((yield* trade(before)).status, 200)
      yield* turning.rotate()
      const after = yield* turning.issue({ lifetime: 400 })
      isRefused(yield* trade(after), "invalid_request", /key: /)
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* trade(after)).status, 200)
      isRefused(yield* trade(before), "invalid_request", /key: /)
    })
  )

  it.live("are where the policy says", () =>
    Effect.gen(function* () {
      const fresh = yield* Effect.promise(() => issuer("https://fresh.example"))
      const { trade } = yield* one({ issuer: fresh.url, jwksUri: `${fresh.url}/my/keys` }, [fresh])
      assert.strictEqual((yield* trade(yield* fresh.issue())).status, 200)
      assert.deepEqual(fresh.fetched, ["/my/keys"])
    })
  )
})

describe("the metadata", () => {
  const metadata = "/.well-known/oauth-authorization-server"

  it.live("tells a client where and how to ask, at the origin that it asked", () =>
    Effect.gen(function* () {
      const broker = yield* one()
      const got = yield* broker.ask(metadata)
      assert.strictEqual(got.status, 200)
      assert.deepEqual(got.json(), {
        issuer: broker.origin,
        token_endpoint: `${broker.origin}/oauth2/token`,
        grant_types_supported: [grant],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ["none"]
      })
      const named = yield* broker.ask(metadata, {
        headers: { Host: broker.origin.replace("http://127.0.0.1", "localhost") }
      })
      assert.match(String(named.json()["issuer"]), /^http:\/\/localhost:\d+$/)
    })
  )

  it.live("names the issuer that the config names, which is an origin", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("graph")
      const tokenExchange = (name: string) => ({
        tokenExchange: { issuer: name, policies: { p: policy() } }
      })
      const broker = yield* serving([served], tokenExchange("https://broker.internal"))
      const { issuer: named, token_endpoint } = (yield* broker.ask(metadata)).json()
      assert.deepEqual(
        [named, token_endpoint],
        ["https://broker.internal", "https://broker.internal/oauth2/token"]
      )
      for (const wrong of ["https://broker/", "https://broker/a", "http://broker", "broker"]) {
        const error = yield* Effect.flip(make({ flows: [served], config: tokenExchange(wrong) }))
        assert.match(error.message, /broker\.tokenExchange\.issuer: /)
      }
    })
  )
})

/** Lets the network go on until something is so. */
const until = (so: () => boolean) =>
  Effect.repeat(
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
    { until: () => so() }
  )

/** Holds an issuer's answers back until they are released. */
const held = (slow: Issuer) => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  const answers = network({ ...slow, fetched: [], answer: undefined })
  slow.answer = async (url) => {
    await gate
    return answers(url, {})
  }
  return { issuer: slow, url: slow.url, release: () => release() }
}
