import { assert, describe, it } from "@effect/vitest"
import type { ServedFlow } from "@federate/broker"
import { Rejected, Transient } from "@federate/core"
import { Effect } from "effect"
import { assertions, serving, tokens } from "../serving.ts"
import type { Got } from "../serving.ts"

const v1 = "/computeMetadata/v1"
const account = `${v1}/instance/service-accounts/default`
const google = { headers: { "Metadata-Flavor": "Google" } }
const email = "app@project.iam.gserviceaccount.com"

const config = {
  gce: {
    projectId: "project",
    numericProjectId: "123456789012",
    zone: "europe-west3-a"
  }
}

/** A broker over a flow for Google, and one of assertions. */
const both = Effect.gen(function* () {
  const storage = yield* tokens("storage", { cloud: "google", client: email })
  const identity = yield* assertions("identity")
  return { storage, identity, ...(yield* serving([storage.served, identity.served], config)) }
})

/** Google's clients take no answer without it, not even an error. */
const isFlavored = ({ headers }: Got) => {
  assert.strictEqual(headers["metadata-flavor"], "Google")
  assert.strictEqual(headers["server"], "Metadata Server for VM")
}

describe("metadata", () => {
  const leaves: ReadonlyArray<readonly [string, string]> = [
    [`${account}/email`, email],
    [`${account}/aliases`, "default"],
    [`${account}/scopes`, "https://www.googleapis.com/auth/cloud-platform"],
    [`${v1}/instance/service-accounts/${email}/email`, email],
    [`${v1}/project/project-id`, "project"],
    [`${v1}/project/numeric-project-id`, "123456789012"],
    [`${v1}/instance/zone`, "projects/123456789012/zones/europe-west3-a"],
    [`${v1}/universe/universe-domain`, "googleapis.com"],
    [`${v1}/universe/universe_domain`, "googleapis.com"]
  ]
  const folders: ReadonlyArray<readonly [string, string]> = [
    ["/computeMetadata", "v1/\n"],
    [v1, "instance/\nproject/\nuniverse/\n"],
    [`${v1}/instance`, "service-accounts/\nzone\n"],
    [`${v1}/instance/service-accounts`, `default/\n${email}/\n`],
    [account, "aliases\nemail\nscopes\n"],
    [`${v1}/project`, "project-id\nnumeric-project-id\n"]
  ]

  it.live("is plain text, each leaf and each folder, with and without a slash at the end", () =>
    Effect.gen(function* () {
      const { ask } = yield* both
      for (const [path, text] of [...leaves, ...folders]) {
        for (const each of [path, `${path}/`, `${path}?alt=text`]) {
          const got = yield* ask(each, google)
          assert.strictEqual(got.status, 200, each)
          assert.strictEqual(got.text, text, each)
          assert.strictEqual(got.headers["content-type"], "application/text")
          isFlavored(got)
        }
      }
    })
  )

  it.live("is JSON where that is asked for, numbers as numbers", () =>
    Effect.gen(function* () {
      const { ask } = yield* both
      const asked: ReadonlyArray<readonly [string, unknown]> = [
        [`${v1}/project/numeric-project-id?alt=json`, 123_456_789_012],
        [`${v1}/project/project-id?alt=json`, "project"],
        [`${account}/aliases?alt=json`, ["default"]],
        [
          `${v1}/project/?recursive=true`,
          { projectId: "project", numericProjectId: 123_456_789_012 }
        ],
        [
          `${v1}/project?recursive=TRUE&alt=json`,
          { projectId: "project", numericProjectId: 123_456_789_012 }
        ]
      ]
      for (const [path, value] of asked) {
        const got = yield* ask(path, google)
        assert.deepEqual(got.json(), value as never, path)
        assert.strictEqual(got.headers["content-type"], "application/json")
        isFlavored(got)
      }
    })
  )

  it.live("tells accounts whole, as Python asks for them", () =>
    Effect.gen(function* () {
      const { ask } = yield* both
      const one = {
        aliases: ["default"],
        email,
        scopes: ["https://www.googleapis.com/auth/cloud-platform"]
      }
      const got = yield* ask(`${account}/?recursive=true`, google)
      assert.deepEqual(got.json(), one)
      const all = yield* ask(`${v1}/instance/service-accounts?recursive=true`, google)
      assert.deepEqual(all.json(), { default: one, [email]: one })
      const instance = yield* ask(`${v1}/instance?recursive=true`, google)
      assert.deepEqual(instance.json(), {
        serviceAccounts: { default: one, [email]: one },
        zone: "projects/123456789012/zones/europe-west3-a"
      })
    })
  )

  it.live("tells what it was told, and nothing that it was not", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("storage", { cloud: "google" })
      const { ask } = yield* serving([served], {
        gce: { universeDomain: "example.goog", scopes: ["one", "two"], email: "me@example.org" }
      })
      assert.strictEqual(
        (yield* ask(`${v1}/universe/universe-domain`, google)).text,
        "example.goog"
      )
      assert.strictEqual((yield* ask(`${account}/scopes`, google)).text, "one\ntwo")
      assert.strictEqual((yield* ask(`${account}/email`, google)).text, "me@example.org")
      for (const absent of ["project/project-id", "project/numeric-project-id", "instance/zone"]) {
        assert.strictEqual((yield* ask(`${v1}/${absent}`, google)).status, 404)
      }
    })
  )

  it.live("is refused without its header, on every path", () =>
    Effect.gen(function* () {
      const { ask } = yield* both
      const paths = [...leaves, ...folders].map(([path]) => path)
      for (const path of [...paths, `${account}/token`, `${account}/identity?audience=a`]) {
        for (const headers of [{}, { "Metadata-Flavor": "Azure" }, { "Metadata-Flavor": "" }]) {
          const got = yield* ask(path, { headers })
          assert.strictEqual(got.status, 403, path)
          assert.match(got.text, /Metadata-Flavor: Google/)
          isFlavored(got)
        }
      }
    })
  )

  it.live("is nowhere to be found without a flow for it, or where it is not spoken", () =>
    Effect.gen(function* () {
      const azure = yield* tokens("graph", { cloud: "azure" })
      const storage = yield* tokens("storage", { cloud: "google" })
      const brokers = [
        yield* serving([azure.served]),
        yield* serving([storage.served], { withoutSecret: [] })
      ]
      for (const { ask } of brokers) {
        for (const path of [v1, account, `${account}/token`]) {
          assert.strictEqual((yield* ask(path, google)).status, 404)
        }
      }
    })
  )
})

describe("access tokens", () => {
  it.live("are JSON, with the seconds that are left as a number", () =>
    Effect.gen(function* () {
      const { ask } = yield* both
      for (const name of ["default", email]) {
        const got = yield* ask(`${v1}/instance/service-accounts/${name}/token`, google)
        assert.strictEqual(got.status, 200)
        assert.strictEqual(got.headers["content-type"], "application/json")
        isFlavored(got)
        const { access_token, expires_in, token_type, ...more } = got.json()
        assert.deepEqual([access_token, token_type, more], ["storage-1", "Bearer", {}])
        assert.isTrue(Number.isInteger(expires_in))
        assert.approximately(Number(expires_in), 3599, 1)
      }
    })
  )

  it.live("are for the scopes that are asked for, in whatever way they are listed", () =>
    Effect.gen(function* () {
      const { ask, storage } = yield* both
      for (const scopes of ["b,a", "a%20b", "a,,b,", "a", ""]) {
        assert.strictEqual((yield* ask(`${account}/token?scopes=${scopes}`, google)).status, 200)
      }
      assert.deepEqual(
        storage.upstream.asked.map(({ scopes }) => scopes),
        [["b", "a"], ["a"], undefined]
      )
    })
  )

  it.live("are for allowed scopes alone, where those are listed", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("storage", { cloud: "google" })
      const { ask } = yield* serving([served], { gce: { scopes: ["a", "b"] } })
      assert.strictEqual((yield* ask(`${account}/token?scopes=b`, google)).status, 200)
      const got = yield* ask(`${account}/token?scopes=a,c`, google)
      assert.strictEqual(got.status, 403)
      assert.match(got.text, /no token for the scope c; add it under broker\.gce\.scopes/)
      isFlavored(got)
      assert.strictEqual((yield* ask(`${account}/token?scopes=%22a%22`, google)).status, 400)
      assert.strictEqual(upstream.asked.length, 1)
    })
  )

  it.live(
    "are told missing in Google's way: text, its header, and 404 where there is no flow",
    () =>
      Effect.gen(function* () {
        const { served } = yield* assertions("identity")
        const { ask } = yield* serving([served])
        const got = yield* ask(`${account}/token`, google)
        assert.strictEqual(got.status, 404)
        assert.match(got.text, /broker\.gce\.flow/)
        isFlavored(got)
      })
  )

  it.live("are told missing where several flows could issue them", () =>
    Effect.gen(function* () {
      const flows = [
        yield* tokens("one", { cloud: "google" }),
        yield* tokens("two", { cloud: "google" })
      ]
      const { ask } = yield* serving(flows.map(({ served }) => served))
      const got = yield* ask(`${account}/token`, google)
      assert.strictEqual(got.status, 400)
      assert.match(got.text, /one, two\. Say which at broker\.gce\.flow/)
    })
  )

  it.live("are told refused and late as text", () =>
    Effect.gen(function* () {
      const hint = "Compare the subject."
      const reason = new Rejected({ code: "no", description: "No", hint, remedy: "none" })
      const refused = yield* both
      refused.storage.upstream.before = Effect.fail(reason)
      const no = yield* refused.ask(`${account}/token`, google)
      assert.strictEqual(no.status, 400)
      assert.include(no.text, hint)
      isFlavored(no)
      const late = yield* both
      late.storage.upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      const got = yield* late.ask(`${account}/token`, google)
      assert.strictEqual(got.status, 503)
      assert.match(String(got.headers["retry-after"]), /^\d+$/)
      isFlavored(got)
    })
  )
})

describe("identity tokens", () => {
  it.live("are the assertion as it is, for the audience that is asked for", () =>
    Effect.gen(function* () {
      const { ask, identity } = yield* both
      for (const path of [account, `${v1}/instance/service-accounts/${email}`]) {
        const got = yield* ask(
          `${path}/identity?audience=https%3A%2F%2Fexample.org&format=full`,
          google
        )
        assert.strictEqual(got.status, 200)
        assert.match(got.text, /^[\w-]+\.[\w-]+\.[\w-]+$/)
        assert.strictEqual(got.headers["content-type"], "application/text")
        isFlavored(got)
      }
      assert.deepEqual(identity.upstream.asked, [{ audience: "https://example.org" }])
    })
  )

  it.live("are for an audience, and for an allowed one where those are listed", () =>
    Effect.gen(function* () {
      const { served } = yield* assertions("identity")
      const { ask } = yield* serving([served], { gce: { audiences: ["a"] } })
      assert.strictEqual((yield* ask(`${account}/identity?audience=a`, google)).status, 200)
      const foreign = yield* ask(`${account}/identity?audience=b`, google)
      assert.strictEqual(foreign.status, 403)
      assert.match(foreign.text, /audience b; add it under broker\.gce\.audiences/)
      for (const none of ["", "?audience="]) {
        const got = yield* ask(`${account}/identity${none}`, google)
        assert.strictEqual(got.status, 400)
        assert.strictEqual(got.text, "non-empty audience parameter required")
        isFlavored(got)
      }
    })
  )

  it.live("are what an exchanger issues, where it issues ID tokens", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("account")
      const idTokens: ServedFlow = { ...served, issues: "Assertion" }
      const { ask, broker, handed } = yield* serving([idTokens], { gce: { audiences: ["a", "b"] } })
      const got = yield* ask(`${account}/identity?audience=b`, google)
      assert.deepEqual([got.status, got.text], [200, "account-1"])
      assert.deepInclude(handed[0], { protocol: "gce-identity", flow: "account", scope: "b" })
      // The first of the audiences is what such a flow is tried with.
      yield* broker.warm
      assert.deepEqual(upstream.asked, [{ audience: "b" }, { audience: "a" }])
    })
  )

  it.live("are told missing where no flow, or more than one, hands out assertions", () =>
    Effect.gen(function* () {
      const storage = yield* tokens("storage", { cloud: "google" })
      const none = yield* serving([storage.served])
      const got = yield* none.ask(`${account}/identity?audience=a`, google)
      assert.strictEqual(got.status, 404)
      assert.match(got.text, /broker\.gce\.identityFlow/)
      const flows = [yield* assertions("one"), yield* assertions("two")]
      const several = yield* serving(flows.map(({ served }) => served))
      const told = yield* several.ask(`${account}/identity?audience=a`, google)
      assert.strictEqual(told.status, 400)
      assert.match(told.text, /one, two\. Say which at broker\.gce\.identityFlow/)
    })
  )
})
