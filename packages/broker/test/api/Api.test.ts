import { assert, describe, it } from "@effect/vitest"
import { Rejected, Transient } from "@federate/core"
import { Effect } from "effect"
import { keys, serving, tokens } from "../serving.ts"

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<Schema>
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean
}

interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>
}

interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get: {
          readonly operationId: string
          readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: string }>
          readonly security: ReadonlyArray<Readonly<Record<string, unknown>>>
          readonly responses: Readonly<Record<string, Response>>
        }
      }
    >
  >
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes: Readonly<Record<string, { readonly type: string }>>
  }
}

const described = Effect.gen(function* () {
  const graph = yield* tokens("graph")
  const bucket = yield* keys("bucket")
  const heard = yield* serving([graph.served, bucket.served])
  const got = yield* heard.ask("/openapi.json")
  assert.strictEqual(got.headers["content-type"], "application/json")
  // What the test is about.
  return { ...heard, graph, document: got.json() as unknown as OpenApi }
})

const pointers = (value: unknown): ReadonlyArray<string> =>
  value === null || typeof value !== "object"
    ? []
    : Object.entries(value).flatMap(([name, inner]) =>
        name === "$ref" ? [String(inner)] : pointers(inner)
      )

/** What is wrong with a value, as far as the document's own schemas go. */
const faults = (
  { components }: OpenApi,
  schema: Schema,
  value: unknown,
  at = "$"
): ReadonlyArray<string> => {
  const { $ref, additionalProperties, anyOf, enum: values, items, properties, type } = schema
  if ($ref !== undefined) {
    return faults(
      { components } as OpenApi,
      components.schemas[$ref.split("/").at(-1)!]!,
      value,
      at
    )
  }
  if (anyOf !== undefined) {
    const each = anyOf.map((one) => faults({ components } as OpenApi, one, value, at))
    return each.some((one) => one.length === 0) ? [] : each.flat()
  }
  if (values !== undefined) return values.includes(value) ? [] : [`${at}: ${String(value)}`]
  if (type === "array") {
    return Array.isArray(value)
      ? value.flatMap((one, index) =>
          faults({ components } as OpenApi, items!, one, `${at}[${index}]`)
        )
      : [`${at} is no array`]
  }
  if (type === "object") {
    if (value === null || typeof value !== "object") return [`${at} is no object`]
    const missing = (schema.required ?? []).filter((name) => !(name in value))
    return [
      ...missing.map((name) => `${at}.${name} is missing`),
      ...Object.entries(value).flatMap(([name, inner]) => {
        const its = properties?.[name]
        if (its !== undefined) return faults({ components } as OpenApi, its, inner, `${at}.${name}`)
        return additionalProperties === false ? [`${at}.${name} is not described`] : []
      })
    ]
  }
  if (type === "integer") return Number.isInteger(value) ? [] : [`${at} is no integer`]
  return typeof value === type ? [] : [`${at} is no ${type}`]
}

describe("/openapi.json", () => {
  it.effect("describes both paths, each with every answer that it gives", () =>
    Effect.gen(function* () {
      const { document } = yield* described
      assert.match(document.openapi, /^3\.1\./)
      assert.deepInclude(document.info, { title: "Federate broker", version: "1" })
      const { "/v1/flows": flows, "/v1/flows/{flow}/credential": credential } = document.paths
      assert.sameMembers(Object.keys(flows!.get.responses), ["200", "400", "403", "503"])
      assert.sameMembers(Object.keys(credential!.get.responses), [
        "200",
        "400",
        "401",
        "403",
        "404",
        "503"
      ])
      assert.deepEqual(
        credential!.get.parameters.map(({ in: where, name }) => [name, where]),
        [
          ["flow", "path"],
          ["scope", "query"],
          ["audience", "query"]
        ]
      )
      assert.deepEqual(flows!.get.security, [])
      assert.deepEqual(credential!.get.security, [{ bearer: [] }])
      assert.strictEqual(document.components.securitySchemes["bearer"]!.type, "http")
      assert.property(credential!.get.responses["503"]!.headers, "retry-after")
      for (const { get } of Object.values(document.paths)) {
        assert.isNotEmpty(get.operationId)
        for (const [status, { content, description }] of Object.entries(get.responses)) {
          assert.isNotEmpty(description)
          const type = status === "200" ? "application/json" : "application/problem+json"
          assert.deepEqual(Object.keys(content), [type])
        }
      }
    })
  )

  it.effect("holds whatever it points to", () =>
    Effect.gen(function* () {
      const { document } = yield* described
      const all = pointers(document)
      assert.isNotEmpty(all)
      for (const pointer of all) {
        const name = /^#\/components\/schemas\/(\w+)$/.exec(pointer)?.[1]
        assert.property(document.components.schemas, name ?? pointer)
      }
    })
  )

  it.effect("describes what is really answered", () =>
    Effect.gen(function* () {
      const { ask, document, graph, variables } = yield* described
      const headers = { Authorization: `Bearer ${variables["FEDERATE_BROKER_TOKEN"]}` }
      const path = "/v1/flows/{flow}/credential"
      const check = Effect.fnUntraced(function* (
        status: number,
        of: string,
        asked: string,
        sent = {}
      ) {
        const got = yield* ask(asked, sent)
        assert.strictEqual(got.status, status)
        const { content } = document.paths[of]!.get.responses[String(status)]!
        const { schema } = content[String(got.headers["content-type"])]!
        assert.deepEqual(faults(document, schema, got.json()), [])
      })
      yield* check(200, path, "/v1/flows/graph/credential?scope=a", { headers })
      yield* check(200, path, "/v1/flows/bucket/credential", { headers })
      yield* check(400, path, "/v1/flows/graph/credential?scope=%0a", { headers })
      yield* check(401, path, "/v1/flows/graph/credential")
      yield* check(403, path, "/v1/flows/graph/credential", { headers: { Origin: "null" } })
      yield* check(404, path, "/v1/flows/none/credential", { headers })
      graph.upstream.before = Effect.fail(
        new Rejected({ code: "C", description: "No.", hint: "Do.", remedy: "none" })
      )
      yield* check(400, path, "/v1/flows/graph/credential?scope=b", { headers })
      graph.upstream.before = Effect.fail(new Transient({ detail: "busy" }))
      yield* check(503, path, "/v1/flows/graph/credential?scope=c", { headers })
      yield* check(200, "/v1/flows", "/v1/flows")
    })
  )
})
