import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AssertionSource } from "@federate/core"
import { externalAccountSource } from "@federate/google"
import type { CredentialSource, SourceOptions } from "@federate/google"
import type { Fetch } from "@federate/http"
import { assertionSourceContract, visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { afterAll, beforeAll } from "vitest"
import { audience } from "./google.ts"

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = [
  encode({ alg: "RS256", kid: "1" }),
  encode({ iss: "https://issuer.example", sub: "workload", aud: "x", iat: 0, exp: 900 }),
  "c2lnbmF0dXJl"
].join(".")

const url = "https://issuer.example/token"
const secret = "THE-REQUEST-TOKEN"

const rejected = (status: number) =>
  ({
    name: `${status}`,
    answer: () => Response.json({ message: "no" }, { status }),
    becomes: "Rejected",
    code: `HTTP ${status}`,
    remedy: "none",
    hint: /credential_source\.url/
  }) as const

// A page of an unknown status is a refusal here: whoever stands at the URL speaks no protocol of its own.
assertionSourceContract("Google's URL source", {
  make: (fetch) =>
    externalAccountSource({
      options: { audience },
      credentialSource: {
        url,
        headers: { authorization: Redacted.make(`Bearer ${secret}`) },
        format: { type: "json", subject_token_field_name: "value" }
      },
      fetch
    }),
  // The epoch by the issuer's clock: `exp` is made a duration by it.
  well: (assertion) =>
    Response.json({ value: assertion }, { headers: { date: new Date(0).toUTCString() } }),
  assertion: jwt,
  life: 900,
  secrets: [secret],
  refused: [rejected(401), rejected(403), rejected(400)]
})

let directory = ""
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "federate-google-"))
})
afterAll(() => rm(directory, { recursive: true }))

const make = (credentialSource: CredentialSource, more: Partial<SourceOptions> = {}) =>
  externalAccountSource({ options: { audience }, credentialSource, ...more })

const ask = (credentialSource: CredentialSource, fetch?: Fetch) =>
  Effect.flatMap(make(credentialSource, { fetch }), (source) => source.assertion({}))

describe("a file", () => {
  const write = (name: string, text: string) =>
    Effect.promise(async () => {
      const file = join(directory, name)
      await writeFile(file, text)
      // Long ago: what was written just now may be half of a token.
      await utimes(file, 0, 0)
      return file
    })

  it.effect("is read anew each time, as text or as JSON", () =>
    Effect.gen(function* () {
      const file = yield* write("token", `${jwt}\n`)
      const source = yield* make({ file })
      const first = yield* source.assertion({})
      assert.strictEqual(Redacted.value(first.token), jwt)
      assert.strictEqual(first.expiresAt, 900_000)
      yield* write("token", jwt.replace(/[^.]*$/, "YW5vdGhlcg"))
      const second = yield* source.assertion({})
      assert.notStrictEqual(Redacted.value(second.token), jwt)
      const json = yield* write("token.json", JSON.stringify({ id_token: jwt }))
      const { subject } = yield* ask({
        file: json,
        format: { type: "json", subject_token_field_name: "id_token" }
      })
      assert.strictEqual(subject, "workload")
    })
  )

  it.live("that is not there lets the next source try, and one that cannot be read does not", () =>
    Effect.gen(function* () {
      const absent = yield* make({ file: join(directory, "absent") })
      const file = yield* write("other", jwt)
      const present = yield* make({ file })
      yield* AssertionSource.firstAvailable(absent, present).assertion({})
      const { message, reason } = yield* Effect.flip(ask({ file: directory }))
      assert.strictEqual(reason._tag, "Misconfigured")
      assert.match(message, /is a directory/)
    })
  )

  it.effect("that holds no token is told without being quoted", () =>
    Effect.gen(function* () {
      const file = yield* write("wrong", '{"id_token": 1, "other": "SECRET"}')
      for (const format of [
        undefined,
        { type: "json", subject_token_field_name: "id_token" },
        { type: "json", subject_token_field_name: "absent" }
      ] as const) {
        const error = yield* Effect.flip(ask({ file, ...(format && { format }) }))
        assert.strictEqual(error.reason._tag, "Malformed")
        assert.notInclude(visible(error), "SECRET")
      }
      const text = yield* write("text", "SECRET")
      const { reason } = yield* Effect.flip(
        ask({ file: text, format: { type: "json", subject_token_field_name: "x" } })
      )
      assert.strictEqual(reason._tag, "Malformed")
    })
  )
})

describe("a URL", () => {
  it.effect("is asked with the file's headers, and may be a metadata server", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [string, string | null]> = []
      const fetch: Fetch = async (asked, { headers }) => {
        seen.push([asked, new Headers(headers).get("metadata")])
        return new Response(`${jwt}\n`)
      }
      const metadata = "http://169.254.169.254/metadata/identity/oauth2/token?resource=x"
      const { subject } = yield* ask(
        { url: metadata, headers: { Metadata: Redacted.make("True") } },
        fetch
      )
      assert.strictEqual(subject, "workload")
      assert.deepStrictEqual(seen, [[metadata, "True"]])
    })
  )
})

describe("what is no source here", () => {
  it.effect("is told before anything is read", () =>
    Effect.gen(function* () {
      for (const [source, text] of [
        [
          { executable: { command: "/bin/true" } },
          /is a command, and none .*`allowExecutables: true`/
        ],
        [{ environment_id: "aws1", url: "http://169.254.169.254/" }, /signed for AWS and no JWT/],
        [{ certificate: {} }, /is a certificate and no JWT/],
        [{}, /not exactly one of file, url and executable/],
        [{ file: "x", url }, /not exactly one of file, url and executable/],
        [{ url: "http://issuer.example/token" }, /credential_source\.url: is http/],
        [{ url: "http://169.254.169.254.example/" }, /credential_source\.url: is http/]
      ] as const) {
        const error = yield* Effect.flip(make(source))
        assert.strictEqual(error.stage, "configuration")
        assert.match(error.message, text)
      }
    })
  )
})
