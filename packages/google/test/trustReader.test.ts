import { writeFileSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { relyingParty, trustReaders } from "@federate/google/trust"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const pool = "projects/123456/locations/global/workloadIdentityPools/pool"
const name = `${pool}/providers/github`
const audience = `//iam.googleapis.com/${name}`
const token = Redacted.make("THE-TOKEN")
const provider = {
  name,
  state: "ACTIVE",
  attributeMapping: { "google.subject": "assertion.sub" },
  attributeCondition: "true",
  oidc: { issuerUri: "https://issuer.example" }
}

type Settings = Parameters<(typeof trustReaders)[number]["read"]>[0]

const reading = (
  answer: (url: string) => Response,
  given: Settings = { audience },
  variables: Readonly<Record<string, string>> = {},
  access: { readonly token?: Redacted.Redacted } = { token }
) => {
  const asked: Array<readonly [url: string, authorization: string | null]> = []
  const read = trustReaders[0]!.read(given, access, {
    environment: (variable) => variables[variable],
    fetch: async (url, { headers }) => {
      asked.push([url, new Headers(headers).get("authorization")])
      return answer(url)
    }
  })
  return { asked, read }
}

const standing = (pools: object) => (url: string) =>
  Response.json(url.endsWith("/providers/github") ? provider : { name: pool, ...pools })

describe("a provider", () => {
  it.effect("is read with how its pool stands", () =>
    Effect.gen(function* () {
      const { asked, read } = reading(standing({ state: "ACTIVE" }))
      const documents = yield* read
      assert.deepEqual(documents, [{ ...provider, pool: { state: "ACTIVE" } }])
      assert.deepEqual(asked, [
        [`https://iam.googleapis.com/v1/${name}`, "Bearer THE-TOKEN"],
        [`https://iam.googleapis.com/v1/${pool}`, "Bearer THE-TOKEN"]
      ])
      assert.deepEqual(relyingParty.records(documents[0])[0]?.problems, [])
    })
  )

  it.effect.each([
    {
      pools: { disabled: true },
      what: "the pool is disabled",
      fix: /workload-identity-pools update projects\/.* --no-disabled/
    },
    {
      pools: { state: "DELETED" },
      what: "the pool is deleted",
      fix: /workload-identity-pools undelete projects\//
    }
  ])("takes nobody when $what", ({ fix, pools, what }) =>
    Effect.gen(function* () {
      const [document] = yield* reading(standing(pools)).read
      const [problem, ...more] = relyingParty.records(document)[0]?.problems ?? []
      assert.strictEqual(problem?.what, what)
      assert.match(problem?.fix ?? "", fix)
      assert.deepEqual(more, [])
    })
  )

  it.effect("is named by a credentials file where the settings name none", () =>
    Effect.gen(function* () {
      const file = join(
        yield* Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
        "google.json"
      )
      writeFileSync(
        file,
        JSON.stringify({
          type: "external_account",
          audience,
          subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
          token_url: "https://sts.googleapis.com/v1/token",
          credential_source: { file: "/token" }
        })
      )
      const { asked, read } = reading(standing({}), { credentialsFile: file })
      yield* read
      assert.include(asked[0]?.[0], name)
      const { reason } = yield* Effect.flip(reading(standing({}), {}).read)
      assert.deepInclude(reason, { _tag: "Misconfigured", setting: "audience" })
    })
  )

  it.effect("is read elsewhere when gcloud's variable or the universe says so", () =>
    Effect.gen(function* () {
      for (const [settings, variables, origin] of [
        [
          { audience },
          { CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "https://localhost:1/" },
          "https://localhost:1/v1/"
        ],
        [{ audience, universeDomain: "cloud.example" }, {}, "https://iam.cloud.example/v1/"]
      ] as const) {
        const { asked, read } = reading(standing({}), settings, variables)
        yield* read
        assert.isTrue(asked.every(([url]) => url.startsWith(origin)))
      }
      const { asked, read } = reading(standing({}), undefined, {
        CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "http://iam.example"
      })
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "Misconfigured")
      assert.deepEqual(asked, [])
    })
  )

  it.effect("is not read without a token, and is not there when Google has none", () =>
    Effect.gen(function* () {
      const { asked, read } = reading(standing({}), undefined, {}, {})
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "Unavailable")
      assert.deepEqual(asked, [])
      const gone = reading(() =>
        Response.json({ error: { code: 404, status: "NOT_FOUND", message: "no" } }, { status: 404 })
      )
      assert.deepEqual(yield* gone.read, [])
    })
  )

  it.effect.each([
    [403, { status: "PERMISSION_DENIED" }, "Rejected", /workloadIdentityPoolAdmin/],
    [401, { status: "UNAUTHENTICATED" }, "Rejected", /print-access-token/],
    [
      403,
      { status: "PERMISSION_DENIED", details: [{ reason: "SERVICE_DISABLED" }] },
      "Rejected",
      /gcloud services enable/
    ],
    [400, { status: "OUT_OF_RANGE" }, "Rejected", /Look the reason up/],
    [429, { status: "RESOURCE_EXHAUSTED" }, "Transient", /RESOURCE_EXHAUSTED/]
  ] as const)("is refused with the fix: %d %o", ([status, error, tag, hint]) =>
    Effect.gen(function* () {
      const { read } = reading(() =>
        Response.json({ error: { code: status, message: "It said no.", ...error } }, { status })
      )
      const { reason } = yield* Effect.flip(read)
      assert.strictEqual(reason._tag, tag)
      assert.match(JSON.stringify(reason), hint)
    })
  )

  it.effect("is not what is no answer of Google's", () =>
    Effect.gen(function* () {
      for (const answer of [
        () => new Response("<html>", { status: 404 }),
        () => new Response("<html>"),
        () => Response.json({}, { status: 302 })
      ]) {
        const { reason } = yield* Effect.flip(reading(answer).read)
        assert.strictEqual(reason._tag, "Malformed")
      }
    })
  )
})
