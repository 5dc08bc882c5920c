import { assert, describe, it } from "@effect/vitest"
import { Rejected, Transient } from "@federate/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { hearing, keys, serving } from "../serving.ts"

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const longest = 21_600

/** A broker over one flow for AWS, and its secret as a header. */
const one = Effect.gen(function* () {
  const flow = yield* keys("bucket")
  const broker = yield* serving([flow.served], { aws: { region: "eu-central-1" } })
  const secret = broker.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!
  return { ...flow, ...broker, secret, headers: { Authorization: secret } }
})

describe("container credentials", () => {
  it.live("are texts, with an end that every SDK reads", () =>
    Effect.gen(function* () {
      const { ask, headers } = yield* one
      const got = yield* ask("/aws/credentials", { headers })
      assert.strictEqual(got.status, 200)
      assert.strictEqual(got.headers["content-type"], "application/json")
      const { Expiration, ...rest } = got.json()
      assert.deepEqual(rest, {
        AccessKeyId: "AKIA1",
        AccountId: "123456789012",
        SecretAccessKey: "secret-1",
        Token: "session-1"
      })
      assert.match(String(Expiration), rfc3339)
      assert.approximately(Date.parse(String(Expiration)), Date.now() + 3_600_000, 2000)
    })
  )

  it.live("are had with the secret as it is, and with nothing before it", () =>
    Effect.gen(function* () {
      const { ask, secret, upstream } = yield* one
      const wrong = [`Bearer ${secret}`, `${secret}=`, secret.slice(1), secret.toUpperCase(), ""]
      for (const headers of [{}, ...wrong.map((Authorization) => ({ Authorization }))]) {
        const { json, status } = yield* ask("/aws/credentials", { headers })
        assert.strictEqual(status, 401)
        assert.deepEqual(Object.keys(json()), ["Code", "Message"])
        assert.strictEqual(json()["Code"], "AccessDeniedException")
        assert.match(String(json()["Message"]), /\$AWS_CONTAINER_AUTHORIZATION_TOKEN/)
      }
      assert.isEmpty(upstream.asked)
    })
  )

  it.live("are each flow's own below its name; above it they are the one's that is named", () =>
    Effect.gen(function* () {
      const flows = [yield* keys("first"), yield* keys("second")]
      const served = flows.map((flow) => flow.served)
      const several = yield* serving(served)
      const secretOf = ({ variables }: typeof several) => ({
        headers: { Authorization: variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]! }
      })
      for (const [index, { upstream }] of flows.entries()) {
        const path = `/aws/credentials/${served[index]!.flow.name}`
        assert.strictEqual((yield* several.ask(path, secretOf(several))).status, 200)
        assert.strictEqual((yield* several.ask(`${path}/`, secretOf(several))).status, 200)
        assert.strictEqual((yield* several.ask(path)).status, 401)
        assert.strictEqual(upstream.asked.length, 1)
      }
      assert.strictEqual(
        (yield* several.ask("/aws/credentials/third", secretOf(several))).status,
        404
      )
      const told = yield* several.ask("/aws/credentials", secretOf(several))
      assert.strictEqual(told.status, 400)
      assert.match(
        String(told.json()["Message"]),
        /Several flows issue AWS credentials: first, second\. Say which at broker\.aws\.flow/
      )
      const chosen = yield* serving(served, { aws: { flow: "second" } })
      assert.strictEqual((yield* chosen.ask("/aws/credentials", secretOf(chosen))).status, 200)
    })
  )

  it.live("are told refused and late as JSON with a code and a message", () =>
    Effect.gen(function* () {
      const hint = "Look at the trust policy."
      const refused = yield* one
      refused.upstream.before = Effect.fail(
        new Rejected({ code: "AccessDenied", description: "No", hint, remedy: "none" })
      )
      const no = yield* refused.ask("/aws/credentials", refused)
      assert.strictEqual(no.status, 400)
      assert.strictEqual(no.json()["Code"], "AccessDeniedException")
      assert.include(String(no.json()["Message"]), hint)
      const late = yield* one
      late.upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      const got = yield* late.ask("/aws/credentials", late)
      assert.strictEqual(got.status, 503)
      assert.strictEqual(got.json()["Code"], "ServiceUnavailableException")
      assert.strictEqual(got.headers["retry-after"], "1")
    })
  )
})

const life = "X-aws-ec2-metadata-token-ttl-seconds"
const role = "/latest/meta-data/iam/security-credentials/"
const begin = (seconds: number | string) => ({
  method: "PUT",
  headers: { [life]: String(seconds) }
})
const within = (session: string) => ({ headers: { "X-aws-ec2-metadata-token": session } })

describe("the instance metadata service", () => {
  it.live("tells the role, its credentials, and the region, within a session", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      const session = yield* ask("/latest/api/token", begin(longest))
      assert.strictEqual(session.status, 200)
      assert.strictEqual(session.headers["content-type"], "text/plain")
      assert.strictEqual(session.headers[life.toLowerCase()], String(longest))
      const inside = within(session.text)
      assert.strictEqual((yield* ask(role, inside)).text, "bucket")
      const { Expiration, LastUpdated, ...rest } = (yield* ask(`${role}bucket`, inside)).json()
      assert.deepEqual(rest, {
        Code: "Success",
        Type: "AWS-HMAC",
        AccessKeyId: "AKIA1",
        AccountId: "123456789012",
        SecretAccessKey: "secret-1",
        Token: "session-1"
      })
      for (const date of [Expiration, LastUpdated]) assert.match(String(date), rfc3339)
      const region = yield* ask("/latest/meta-data/placement/region", inside)
      assert.strictEqual(region.text, "eu-central-1")
    })
  )

  it.live("calls the role as it is told to", () =>
    Effect.gen(function* () {
      const { served } = yield* keys("bucket")
      const { ask } = yield* serving([served], { aws: { role: "Reader" } })
      const inside = within((yield* ask("/latest/api/token", begin(60))).text)
      assert.strictEqual((yield* ask(role, inside)).text, "Reader")
      assert.strictEqual((yield* ask(`${role}Reader`, inside)).status, 200)
      assert.strictEqual((yield* ask(`${role}bucket`, inside)).status, 404)
      assert.strictEqual((yield* ask("/latest/meta-data/placement/region", inside)).status, 404)
    })
  )

  it.live("begins sessions of a second to six hours", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      for (const seconds of [1, longest, "00060"]) {
        assert.strictEqual((yield* ask("/latest/api/token", begin(seconds))).status, 200)
      }
      for (const seconds of [
        "0",
        longest + 1,
        "-1",
        "1.5",
        "1e3",
        "0x10",
        " ",
        "",
        "999999",
        "٦٠"
      ]) {
        // Header values are bytes.
        const bytes = Buffer.from(String(seconds)).toString("latin1")
        const got = yield* ask("/latest/api/token", begin(bytes))
        assert.strictEqual(got.status, 400, String(seconds))
        assert.match(got.text, /must be from 1 to 21600/)
      }
      assert.strictEqual((yield* ask("/latest/api/token", { method: "PUT" })).status, 400)
    })
  )

  it.live("begins none for what was forwarded, nor by GET", () =>
    Effect.gen(function* () {
      const { ask } = yield* one
      const headers = { [life]: "60", "X-Forwarded-For": "10.0.0.1" }
      assert.strictEqual((yield* ask("/latest/api/token", { method: "PUT", headers })).status, 403)
      const got = yield* ask("/latest/api/token", { headers: { [life]: "60" } })
      assert.strictEqual(got.status, 405)
      assert.strictEqual(got.headers["allow"], "PUT")
    })
  )

  it.live("tells nothing without a session of its own", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* one
      const another = yield* one
      const session = (yield* ask("/latest/api/token", begin(60))).text
      const [end = "", signature = ""] = session.split(".")
      const forged = [
        "",
        ".",
        end,
        `${Number(end) + 1}.${signature}`,
        `${end}.`,
        `${end}.${signature.slice(0, -2)}`,
        `${end}.${signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`,
        `.${signature}`,
        `NaN.${signature}`,
        (yield* another.ask("/latest/api/token", begin(60))).text
      ]
      for (const path of [role, `${role}bucket`, "/latest/meta-data/placement/region"]) {
        for (const sent of [{}, ...forged.map(within)]) {
          const got = yield* ask(path, sent)
          assert.strictEqual(got.status, 401)
          assert.match(got.text, /PUT \/latest\/api\/token/)
        }
      }
      assert.isEmpty(upstream.asked)
    })
  )

  it.effect("ends a session when it said it would", () =>
    Effect.gen(function* () {
      const { served } = yield* keys("bucket")
      const { ask } = yield* hearing([served])
      const session = within((yield* ask("/latest/api/token", begin(60))).text)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* ask(role, session)).status, 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* ask(role, session)).status, 401)
    })
  )

  it.live("says which flows there are, within a session, where it cannot choose", () =>
    Effect.gen(function* () {
      const flows = [yield* keys("first"), yield* keys("second")]
      const { ask } = yield* serving(flows.map(({ served }) => served))
      const inside = within((yield* ask("/latest/api/token", begin(60))).text)
      const got = yield* ask(role, inside)
      assert.strictEqual(got.status, 400)
      assert.match(got.text, /first, second/)
      assert.strictEqual((yield* ask(`${role}first`, inside)).status, 404)
    })
  )

  it.live("tells refused and late credentials as text", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* one
      const inside = within((yield* ask("/latest/api/token", begin(60))).text)
      upstream.before = Effect.fail(new Transient({ detail: "It is down" }))
      const got = yield* ask(`${role}bucket`, inside)
      assert.strictEqual(got.status, 503)
      assert.strictEqual(got.headers["content-type"], "text/plain")
      assert.include(got.text, "It is down")
    })
  )
})
