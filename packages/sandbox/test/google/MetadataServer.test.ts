/** One of Google's machines: what its metadata server says, and what is made of it. */
import { googleMetadata } from "@federate/ambient"
import { Fault, Sandbox } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { GoogleAuth } from "google-auth-library"
import { decodeJwt } from "jose"
import { afterEach, vi } from "vitest"
import { running } from "../running.ts"
import { google } from "./google.ts"

const sandbox = running()
afterEach(() => {
  vi.unstubAllEnvs()
  sandbox().clearFaults()
})

let account: { readonly email: string; readonly uniqueId: string } | undefined
const attached = () => (account ??= sandbox().attachServiceAccount())

const ask = async (path: string, headers: Readonly<Record<string, string | undefined>> = {}) => {
  const response = await fetch(`${sandbox().http}/computeMetadata/v1/${path}`, {
    headers: new Headers({ "metadata-flavor": "Google", ...headers })
  })
  assert.strictEqual(response.headers.get("metadata-flavor"), "Google")
  return { status: response.status, body: await response.text() }
}

const identity = "instance/service-accounts/default/identity"

describe("the metadata server", () => {
  it("signs for the machine's service account, for whom is asked", async () => {
    const { email, uniqueId } = attached()
    const { body } = await ask(`${identity}?audience=party&format=full`)
    const claims: Readonly<Record<string, unknown>> = decodeJwt(body)
    assert.deepInclude(claims, {
      iss: sandbox().google.issuer,
      sub: uniqueId,
      azp: uniqueId,
      aud: "party",
      email,
      email_verified: true
    })
    const { body: standard } = await ask(`${identity}?audience=party`)
    assert.notProperty(decodeJwt(standard), "email")
    const named = await ask(`instance/service-accounts/${email}/identity?audience=party`)
    assert.strictEqual(decodeJwt(named.body).sub, uniqueId)
  })

  it("hands out tokens that Google knows", async () => {
    attached()
    const { body } = await ask("instance/service-accounts/default/token")
    const { access_token: token } = JSON.parse(body)
    const project = `projects/${sandbox().google.projectNumber}`
    // It may do nothing of its own; what it is refused says that Google knows it.
    const { message } = await google(sandbox(), token).refused(403, "GET", project)
    assert.match(message, /resourcemanager\.projects\.get/)
  })

  const refusals: ReadonlyArray<readonly [string, string, Record<string, string>, number, RegExp]> =
    [
      ["who does not say whom he means", "", { "metadata-flavor": "" }, 403, /Metadata-Flavor/],
      ["who asks for another", "", { "x-forwarded-for": "10.0.0.1" }, 403, /Forwarded/],
      ["an identity for nobody", identity, {}, 400, /^non-empty audience parameter required$/],
      ["an account that is not there", identity.replace("default", "x@y"), {}, 404, /Not Found/],
      ["what it does not have", "instance/disks/", {}, 404, /Not Found/]
    ]
  for (const [what, path, headers, status, said] of refusals) {
    it(`refuses ${what}`, async () => {
      attached()
      const { body, status: answered } = await ask(path, headers)
      assert.strictEqual(answered, status)
      assert.match(body, said)
    })
  }

  it.live("has no identity where no account is attached", () =>
    Effect.gen(function* () {
      const bare = yield* Sandbox.make({ setup: "empty" })
      const { reason } = yield* Effect.flip(
        Effect.flatMap(googleMetadata({ host: new URL(bare.http).host }), (source) =>
          source.assertion({ audience: "party" })
        )
      )
      assert.propertyVal(reason, "code", "HTTP 404", visible(reason))
    })
  )
})

describe("google-auth-library", () => {
  it("finds itself on Google, and gets both kinds of tokens", async () => {
    const { uniqueId } = attached()
    for (const [name, value] of Object.entries(sandbox().platforms.googleMachine))
      vi.stubEnv(name, value)
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", undefined)
    vi.stubEnv("GOOGLE_CLOUD_PROJECT", sandbox().google.projectId)
    const auth = new GoogleAuth()
    const { token } = await (await auth.getClient()).getAccessToken()
    assert.match(token ?? "", /^ya29\./)
    const client = await auth.getIdTokenClient("party")
    const jwt = await client.idTokenProvider.fetchIdToken("party")
    assert.strictEqual(decodeJwt(jwt).sub, uniqueId)
  })
})

describe("a source on such a machine", () => {
  it.effect("gets its assertion, and tells a server that is busy from one that is not there", () =>
    Effect.gen(function* () {
      const { uniqueId } = attached()
      const source = yield* googleMetadata({
        environment: (name) =>
          new Map<string, string>(Object.entries(sandbox().platforms.googleMachine)).get(name)
      })
      const { issuer, subject } = yield* source.assertion({ audience: "party" })
      assert.deepStrictEqual([issuer, subject], [sandbox().google.issuer, uniqueId])
      sandbox().fault("gce.identity", Fault.status(503))
      const { reason } = yield* Effect.flip(source.assertion({ audience: "party" }))
      assert.propertyVal(reason, "_tag", "Transient")
    })
  )
})
