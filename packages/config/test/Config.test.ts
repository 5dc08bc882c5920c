import { decode, jsonSchema } from "@federate/config"
import type { Adapters } from "@federate/config"
import * as cognito from "@federate/cognito/adapter"
import * as entra from "@federate/entra/adapter"
import type { Fetch, Platform } from "@federate/http"
import { AssertionSource, Misconfigured, RefreshPolicy, Unavailable } from "@federate/core"
import type { AccessToken, Adapter, Reason } from "@federate/core"
import { assertionFor, visible } from "@federate/testing"
import { assert, describe, it, vi } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect, Equal, Redacted, Schema } from "effect"
import { Yaml } from "effect/encoding"
import { TestClock } from "effect/testing"

const adapters: Adapters<Platform> = {
  sources: [cognito.source, cognito.loginSource],
  exchangers: [cognito.exchanger, entra.exchanger]
}

const pool = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const tenantId = "11111111-2222-3333-4444-555555555555"
const clientId = "66666666-7777-8888-9999-aaaaaaaaaaaa"

const variables: Readonly<Record<string, string>> = {
  COGNITO_IDENTITY_POOL_ID: pool,
  AZURE_TENANT_ID: tenantId,
  AZURE_CLIENT_ID: clientId,
  EMPTY: "",
  SECRET: "THE-SECRET"
}

const journey = `
flows:
  graph:
    source:
      type: cognito
      identityPoolId: \${COGNITO_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }
      tokenDuration: 2 minutes
    exchanger:
      type: entra
      tenantId: \${AZURE_TENANT_ID}
      clientId: \${AZURE_CLIENT_ID}
      scopes: [https://graph.microsoft.com/.default]
`

const read = (text: string, fetch?: Fetch) =>
  decode(text, {
    file: "federate.yaml",
    adapters,
    platform: { fetch },
    environment: (name) => variables[name]
  })

const problems = (text: string) =>
  Effect.map(Effect.flip(read(text)), (error) =>
    error.problems.map(({ message, path }) => `${path}: ${message}`)
  )

const fixedConfig = Schema.Struct({ subject: Schema.String })

const failing = (type: string, reason: Reason): Adapters<Platform>["sources"][number] => ({
  type,
  description: "It fails",
  metered: false,
  config: Schema.Struct({}),
  make: () =>
    Effect.succeed(AssertionSource.make({ name: type, assertion: () => Effect.fail(reason) }))
})

const fixed: Adapter.SourceAdapter<typeof fixedConfig, typeof fixedConfig.Type, Platform> = {
  type: "fixed",
  description: "Always the same",
  metered: false,
  config: fixedConfig,
  make: ({ subject }) => Effect.succeed(AssertionSource.fixed(assertionFor(subject)))
}

/** The same with sources that are there, that are not, and that are misconfigured. */
const composing = (text: string, fetch?: Fetch) =>
  decode(text, {
    file: "federate.yaml",
    adapters: {
      ...adapters,
      sources: [
        fixed,
        failing("absent", new Unavailable({ detail: "It is not here" })),
        failing("refused", new Misconfigured({ setting: "x", problem: "is wrong", hint: "Fix." }))
      ]
    },
    platform: { fetch },
    environment: (name) => variables[name]
  })

const chain = `
flows:
  over:
    source: { flow: under }
    exchanger: { type: entra, tenantId: "${tenantId}", clientId: "${clientId}" }
  under:
    source: { type: fixed, subject: me }
    exchanger:
      type: entra
      tenantId: ${tenantId}
      clientId: ${clientId}
      scopes: [https://graph.microsoft.com/.default]
`

/** A flow called x with this inside. */
const flow = (inside: string) => `flows:\n  x:\n${inside.replace(/^/gm, "    ")}`
const source = `source: { type: cognito, identityPoolId: "${pool}", logins: { my.dev.provider: me } }`

describe("a config file", () => {
  it.effect("is decoded into flows that work", () =>
    Effect.gen(function* () {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const asked: Array<string> = []
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
      const jwt = [part({ alg: "RS512" }), part({ aud: pool, iat: 0, exp: 120 }), "AAAA"].join(".")
      const fetch: Fetch = async (url) => {
        asked.push(url)
        return url.includes("cognito")
          ? Response.json({ IdentityId: "eu-central-1:1", Token: jwt })
          : Response.json({ access_token: "token", token_type: "Bearer", expires_in: 600 })
      }
      const { flows } = yield* read(journey, fetch)
      const definition = flows.get("graph")!
      assert.deepInclude(definition, { name: "graph", source: "cognito", exchanger: "entra" })
      const made = yield* definition.make()
      const credential = yield* made.credential()
      assert.isTrue(
        "token" in credential && Redacted.value(credential.token as Redacted.Redacted) === "token"
      )
      assert.deepStrictEqual(asked, [
        "https://cognito-identity.eu-central-1.amazonaws.com/",
        `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`
      ])
      // Cognito counts calls: its assertion is remembered, and serves another scope.
      yield* TestClock.adjust("10 seconds")
      yield* made.credential({ scopes: ["https://management.azure.com/.default"] })
      assert.strictEqual(asked.filter((url) => url.includes("cognito")).length, 1)
    })
  )

  it.effect("may describe a source over another one", () =>
    Effect.gen(function* () {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const layered = `
source:
  type: cognito-login
  identityPoolId: "${pool}"
  ${source}`
      const asked: Array<string> = []
      const token = Redacted.value(assertionFor("someone", 0, { aud: pool }).token)
      const { flows } = yield* read(flow(layered), async (_, { headers }) => {
        asked.push(new Headers(headers).get("x-amz-target")?.replace(/.*\./, "") ?? "")
        return Response.json({ IdentityId: "eu-central-1:1", Token: token })
      })
      const definition = flows.get("x")!
      assert.strictEqual(definition.source, "cognito-login")
      assert.deepStrictEqual(
        definition.sources.map(({ type }) => type),
        ["cognito-login", "cognito"]
      )
      const made = yield* definition.make()
      yield* made.credential()
      assert.deepStrictEqual(asked, [
        "GetOpenIdTokenForDeveloperIdentity",
        "GetId",
        "GetOpenIdToken"
      ])
    })
  )

  it.effect("tells what is wrong with each of two sources, one over the other", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* problems(flow(`source: { type: cognito-login, source: { type: cognito, foo: 1 } }`)),
        [
          "flows.x.source.identityPoolId: is missing",
          `flows.x.source.source.foo: is not known; known are identityPoolId, logins, identityId, tokenDuration, principalTags, region, endpoint`,
          "flows.x.source.source.identityPoolId: is missing",
          "flows.x.source.source.logins: is missing"
        ]
      )
      const id = `identityPoolId: "${pool}"`
      assert.deepStrictEqual(yield* problems(flow(`source: { type: cognito-login, ${id} }`)), [
        "flows.x.source.source: must be a mapping with a type: cognito"
      ])
      assert.deepStrictEqual(
        yield* problems(
          flow(`source: { type: cognito-login, ${id}, source: { type: cognito-login, ${id} } }`)
        ),
        ["flows.x.source.source.type: names no adapter; known are cognito"]
      )
      assert.deepStrictEqual(
        yield* problems(flow(`source: { type: cognito, ${id}, logins: {}, source: {} }`)),
        [
          "flows.x.source.source: is not known; known are identityPoolId, logins, identityId, tokenDuration, principalTags, region, endpoint"
        ]
      )
    })
  )

  it.effect("may name several sources, of which the first that exists is taken", () =>
    Effect.gen(function* () {
      const assertionOf = Effect.fnUntraced(function* (inside: string) {
        const { flows } = yield* composing(flow(inside))
        const made = yield* flows.get("x")!.make()
        // Without an exchanger it hands out its assertion in this form.
        const { token } = (yield* made.credential()) as AccessToken
        return Redacted.value(token)
      })
      const second = Redacted.value(assertionFor("second").token)
      assert.strictEqual(
        yield* assertionOf(`source: [{ type: absent }, { type: fixed, subject: second }]`),
        second
      )
      // Refused is not absent: another would be somebody else.
      const refused = yield* Effect.flip(
        assertionOf("source: [{ type: refused }, { type: fixed, subject: second }]")
      )
      assert.match(visible(refused), /Misconfigured/)
      const { flows } = yield* composing(flow("source: [{ type: absent }, { type: refused }]"))
      assert.strictEqual(flows.get("x")!.source, "absent | refused")
    })
  )

  it.effect("is refused an impossible pair, whichever of its sources it is with", () =>
    Effect.gen(function* () {
      const { flows } = yield* composing(
        flow(`
source: [{ type: absent }, { type: fixed, subject: me }]
exchanger: { type: cognito, identityPoolId: "${pool}" }`)
      )
      const { message } = yield* Effect.flip(flows.get("x")!.make())
      assert.match(message, /demands the audience "eu-central.*and fixed can only give "party"/)
    })
  )

  it.effect("may stand on another flow, whose token is its assertion", () =>
    Effect.gen(function* () {
      const token = Redacted.value(assertionFor("app").token)
      const bodies: Array<string> = []
      const { flows } = yield* composing(`${chain}`, async (_, { body }) => {
        bodies.push(String(body))
        return Response.json({ access_token: token, token_type: "Bearer", expires_in: 3600 })
      })
      const { make, source: type } = flows.get("over")!
      assert.strictEqual(type, "flow under")
      const made = yield* make()
      yield* made.credential({ scopes: ["https://vault.azure.net/.default"] })
      assert.lengthOf(bodies, 2)
      assert.include(bodies[0], Redacted.value(assertionFor("me").token))
      assert.include(bodies[1], `client_assertion=${token}`)
    })
  )

  it.effect("is another flow when the one that it stands on is another", () =>
    Effect.gen(function* () {
      const identity = (text: string) =>
        Effect.map(composing(text), ({ flows }) => flows.get("over")!.identity)
      assert.isTrue(Equal.equals(yield* identity(chain), yield* identity(chain)))
      const changed = chain.replace("subject: me", "subject: you")
      assert.isFalse(Equal.equals(yield* identity(chain), yield* identity(changed)))
    })
  )

  it.effect("is told of lists and flows that cannot be", () =>
    Effect.gen(function* () {
      const told = (text: string) =>
        Effect.map(Effect.flip(composing(text)), (error) =>
          error.problems.map(({ message, path }) => `${path}: ${message}`)
        )
      assert.deepStrictEqual(
        yield* told(`
flows:
  empty: { source: [] }
  wrong: { source: [{ type: fixed }, { type: absent, x: 1 }] }
  lost: { source: { flow: empti } }
  nameless: { source: { flow: [], more: 1 } }
  aws: { source: { type: absent }, exchanger: { type: cognito, identityPoolId: "${pool}" } }
  keys: { source: { flow: aws } }
  one: { source: { flow: two } }
  two: { source: [{ flow: one }] }
  fine: { source: { flow: wrong } }`),
        [
          "flows.empty.source: must name at least one source",
          "flows.wrong.source[0].subject: is missing",
          "flows.wrong.source[1].x: is not known; known are ",
          "flows.lost.source.flow: names no flow; known are empty, wrong, lost, nameless, aws, keys, one, two, fine",
          "flows.nameless.source.more: is not known; known are flow",
          "flows.keys.source.flow: names a flow of AWS credentials, and only a token can be an assertion",
          "flows.two.source[0].flow: goes in a circle: one over two over one"
        ]
      )
    })
  )

  it.effect("may name a flow without an exchanger", () =>
    Effect.gen(function* () {
      for (const exchanger of ["", "\nexchanger:", "\nexchanger: null"]) {
        const { flows } = yield* read(flow(source + exchanger))
        assert.isUndefined(flows.get("x")!.exchanger)
        assert.strictEqual((yield* flows.get("x")!.make()).name, "x")
      }
    })
  )

  it.effect("sets policies, with durations as people write them", () =>
    Effect.gen(function* () {
      const policies = `
retry: { attempts: 2, firstDelay: 1s, maximumDelay: 10s, attemptTimeout: 3 seconds, deadline: 1h 30m, waitForTrust: 5m }
refresh: { freshPart: 0.5, freshPartOfLong: 0.4, jitter: 0, margin: 30s, patience: 500ms, backgroundTimeout: 2s }`
      const { flows } = yield* read(flow(source + policies))
      yield* flows.get("x")!.make()
      yield* read(flow(`${source}\nretry: { waitForTrust: 5m }\nrefresh: {}`))
    })
  )

  it.effect("tells what its settings cannot do when a flow is made", () =>
    Effect.gen(function* () {
      const { flows } = yield* read(flow(source.replace(pool, "no-pool")))
      const error = yield* Effect.flip(flows.get("x")!.make())
      assert.match(error.message, /identityPoolId: "no-pool" is not of the form/)
    })
  )
})

describe("variables", () => {
  it.effect("stand anywhere in a text, with or without a default", () =>
    Effect.gen(function* () {
      const { flows } = yield* read(
        flow(
          `source: { type: cognito, identityPoolId: "\${REGION:-eu-central-1}:\${NOT_SET:-1}\${EMPTY:-2}", logins: { a.b: "$$\${SECRET}" } }`
        )
      )
      const made = yield* flows.get("x")!.make()
      assert.strictEqual(made.name, "x")
    })
  )

  it.effect("that are not set, or badly written, are told with their place", () =>
    Effect.gen(function* () {
      const told = yield* problems(
        flow(
          `source: { type: cognito, identityPoolId: "\${NOT_SET}", logins: { a: "\${EMPTY}", b: "\${1x}", c: "\${OPEN" } }`
        )
      )
      assert.deepStrictEqual(told.slice(0, 4), [
        "flows.x.source.identityPoolId: the environment variable NOT_SET is not set: set it, or give a default, ${NOT_SET:-…}",
        "flows.x.source.logins.a: the environment variable EMPTY is not set: set it, or give a default, ${EMPTY:-…}",
        'flows.x.source.logins.b: "${1x}" is no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar sign',
        'flows.x.source.logins.c: "${OPEN" is no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar sign'
      ])
    })
  )

  it.effect("stand in values only", () =>
    Effect.gen(function* () {
      const told = yield* problems(
        flow(`source: { type: cognito, identityPoolId: "${pool}", logins: { "\${SECRET}": me } }`)
      )
      assert.deepStrictEqual(told, [
        'flows.x.source.logins["${SECRET}"]: is a key, and a variable may stand in values only'
      ])
    })
  )

  it.effect("bring no syntax along, and are never quoted", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read(flow(`source: { type: "\${SECRET}" }`)))
      assert.notInclude(visible(error), "THE-SECRET")
      const listed = yield* Effect.flip(read(flow(`${source}\nretry: { deadline: "\${SECRET}" }`)))
      assert.notInclude(visible(listed), "THE-SECRET")
    })
  )
})

describe("what is wrong", () => {
  it.effect("is told all at once, with its path and what is known instead", () =>
    Effect.gen(function* () {
      const told = yield* problems(`
flows:
  graph:
    source:
      type: cognito
      identityPoolID: x
      logins: { my.dev.provider: 5 }
      tokenDuration: 120
    exchanger: { type: entra, tenantId: t, clientId: c, cloud: mars, scopes: https://graph }
    retry: { attempts: 0, deadline: 5, tries: 3 }
    refresh: { jitter: 7, freshPart: x }
    retries: 1
  two: { source: { type: azure } }
  three: { source: cognito, retry: 5 }
  "bad name!": 3
flow: 1
`)
      assert.deepStrictEqual(told, [
        "flow: is not known; known are flows, trust",
        "flows.graph.retries: is not known; known are source, exchanger, retry, refresh",
        "flows.graph.source.identityPoolID: is not known; did you mean identityPoolId?",
        "flows.graph.source.identityPoolId: is missing",
        'flows.graph.source.logins["my.dev.provider"]: must be a text',
        "flows.graph.source.tokenDuration: must be a duration with its unit, such as 90s, 2 minutes, 1h 30m",
        "flows.graph.exchanger.scopes: must be a list",
        'flows.graph.exchanger.cloud: must be one of "public", "usGovernment", "china", "france", "germany", "singapore"',
        "flows.graph.retry.tries: is not known; known are attempts, firstDelay, maximumDelay, attemptTimeout, deadline, waitForTrust",
        "flows.graph.retry.attempts: must be a value between 1 and 20",
        "flows.graph.retry.deadline: must be a duration with its unit, such as 90s, 2 minutes, 1h 30m",
        "flows.graph.refresh.freshPart: must be a number",
        "flows.graph.refresh.jitter: must be a value between 0 and 0.5",
        "flows.two.source.type: names no adapter; known are cognito, cognito-login",
        "flows.three.source: must be a mapping with a type: cognito, cognito-login",
        "flows.three.retry: must be a mapping",
        'flows["bad name!"]: must be a mapping with a source'
      ])
    })
  )

  it.effect("is told of a type that is missing or nearly right, and of names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problems(flow("source: { identityPoolId: x }")), [
        "flows.x.source.type: is missing; known are cognito, cognito-login"
      ])
      assert.deepStrictEqual(yield* problems(flow("source: { type: Cognito }")), [
        "flows.x.source.type: names no adapter; did you mean cognito?"
      ])
      const [name] = yield* problems(`flows:\n  "-x":\n    ${source}`)
      assert.match(name ?? "", /^flows\.-x: a flow's name is of letters/)
    })
  )

  it.effect("is told of a file that is none", () =>
    Effect.gen(function* () {
      for (const [text, told] of [
        ["a: [", /^: is not YAML: .* between brackets at line 1; /],
        [
          "flows:\n  x: { y: [a] }\n  graph: {\n    a: b,\n    scopes: [${NAME}] }",
          /^: is not YAML: .* between brackets at line 3; what holds one of \{\}\[\],: there, such as "\$\{NAME\}", belongs in quotes$/
        ],
        [
          "flows: { https://vault.azure.net: vault }",
          /^flows\.https: is a key with a colon in it: put it in quotes$/
        ],
        ["flows:\n  a: 1\n  a: 2", /^: is not YAML: Duplicate key 'a' at line 3/],
        ["", /^: has no flows/],
        ["[]", /^: has no flows/],
        ["flows:", /^flows: must name at least one flow/],
        ["flows: {}", /^flows: must name at least one flow/],
        ["flows: []", /^flows: must name at least one flow/],
        ["x".repeat(1_100_000), /^: is over 1048576 characters long/]
      ] as const) {
        assert.match((yield* problems(text))[0] ?? "", told)
      }
    })
  )

  it.effect("reads well", () =>
    Effect.gen(function* () {
      const one = yield* Effect.flip(read("flows: {}"))
      assert.match(one.message, /^federate\.yaml: flows: must name/)
      const two = yield* Effect.flip(read("flows: {}\nx: 1"))
      assert.match(
        two.message,
        /^federate\.yaml: 2 problems\n {2}- x: is not known.*\n {2}- flows: must name/
      )
    })
  )
})

describe("sections", () => {
  const sections = {
    server: Schema.Struct({ port: Schema.Int, name: Schema.optionalKey(Schema.String) })
  }
  const readWith = (text: string) =>
    decode(text, {
      file: "federate.yaml",
      adapters,
      platform: {},
      environment: (name) => variables[name],
      sections
    })

  it.effect("are an app's own, decoded as strictly", () =>
    Effect.gen(function* () {
      const flows = flow(source)
      assert.deepStrictEqual((yield* readWith(flows)).sections, {})
      assert.deepStrictEqual(
        (yield* readWith(`${flows}\nserver: { port: 1, name: "\${SECRET}" }`)).sections,
        {
          server: { port: 1, name: "THE-SECRET" }
        }
      )
      for (const [wrong, told] of [
        ["server: 5", "server: must be a mapping"],
        ["server: { port: x }", "server.port: must be a number"],
        ["server: { port: 1, nmae: x }", "server.nmae: is not known; known are port, name"],
        ["other: {}", "other: is not known; known are flows, trust, server"]
      ] as const) {
        const { message } = yield* Effect.flip(readWith(`${flows}\n${wrong}`))
        assert.include(message, told)
      }
    })
  )

  it("stand in the JSON Schema", () => {
    const validate = new Ajv2020({ strict: false }).compile(jsonSchema(adapters, sections))
    const flows = flow(source)
    assert.isTrue(
      validate(Yaml.parse(`${flows}\nserver: { port: 1 }`)),
      JSON.stringify(validate.errors)
    )
    assert.isFalse(validate(Yaml.parse(`${flows}\nserver: { port: x }`)))
  })
})

describe("a flow's definition", () => {
  const defined = (text: string) => Effect.map(read(text), ({ flows }) => [...flows.values()][0]!)

  it.effect("says what its credentials are, and for whom", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* defined(journey), { issues: "AccessToken", cloud: "azure" })
      assert.deepInclude(yield* defined(flow(source)), { issues: "Assertion", cloud: undefined })
    })
  )

  it.effect("knows itself again, and hides what it is made of", () =>
    Effect.gen(function* () {
      const one = yield* defined(journey)
      assert.isTrue(Equal.equals(one.identity, (yield* defined(journey)).identity))
      const other = yield* defined(journey.replace("2 minutes", "3 minutes"))
      assert.isFalse(Equal.equals(one.identity, other.identity))
      assert.notInclude(visible(one), "my_user_id")
    })
  )

  it.effect("makes a flow over another source, with another policy where the file says none", () =>
    Effect.gen(function* () {
      let body = ""
      const fetch: Fetch = async (_url, init) => {
        body = String(init.body)
        return Response.json({ access_token: "token", token_type: "Bearer", expires_in: 3600 })
      }
      const { flows } = yield* read(journey, fetch)
      const made = yield* flows.get("graph")!.make({
        source: AssertionSource.fixed(assertionFor("somebody else")),
        refresh: RefreshPolicy.make({ margin: "6 minutes" })
      })
      yield* made.credential()
      assert.include(body, Redacted.value(assertionFor("somebody else").token))
      assert.strictEqual([...made.entries.values()][0]?.points?.hard, 54 * 60_000)
      const own = yield* defined(`${journey}    refresh: { margin: 30s }\n`)
      assert.strictEqual(own.name, "graph")
    })
  )
})

describe("jsonSchema", () => {
  it("knows every adapter and refuses what nobody knows", () => {
    const schema = jsonSchema(adapters)
    assert.strictEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
    const text = JSON.stringify(schema)
    for (const part of [
      '"enum":["cognito"]',
      '"enum":["entra"]',
      '"tokenDuration"',
      '"freshPart"',
      "From 1 s to 24 h"
    ]) {
      assert.include(text, part)
    }
    assert.notInclude(text, '"additionalProperties":true')
  })

  it("is a schema (draft 2020-12) that takes the first journey and refuses what the decoder refuses", () => {
    const validate = new Ajv2020({ strict: false }).compile(jsonSchema(adapters))
    const layered = flow(`source: { type: cognito-login, identityPoolId: x, ${source} }`)
    const listed = flow(
      `source: [{ flow: y }, { type: cognito, identityPoolId: x, logins: { a: b } }]`
    )
    for (const right of [journey, layered, listed, flow("source: { flow: x }")])
      assert.isTrue(validate(Yaml.parse(right)), JSON.stringify(validate.errors))
    for (const wrong of [
      "flows:\n  x: {}",
      "flow: {}",
      layered.replace("type: cognito,", "type: cognito-login,"),
      layered.replace(source, ""),
      journey.replace("type: cognito", "type: azure"),
      journey.replace("tenantId", "tenantID"),
      `${journey}    foo: 1\n`,
      `${journey}    retry: { attempts: 0 }\n`
    ]) {
      assert.isFalse(validate(Yaml.parse(wrong)), wrong)
    }
  })
})
