import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  clientCredentialsSource,
  discover,
  readSigningKey,
  remoteKeys,
  verify
} from "@federate/oidc"
import type { Client } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { afterAll, vi } from "vitest"
import { pem, privateKeys } from "./keys.ts"
import { connectProxy } from "../../http/test/connectProxy.ts"
import { api, name, startProvider } from "./oidcProvider.ts"
import type { RunningProvider } from "./oidcProvider.ts"

const directory = mkdtempSync(join(tmpdir(), "federate-oidc-"))
afterAll(() => rmSync(directory, { recursive: true }))

const secret = Redacted.make("the:client secret")
const key = pem(privateKeys.p256)

const start = Effect.gen(function* () {
  const { published } = yield* readSigningKey("", key)
  return yield* startProvider(published)
})

const files = ({ cert, key: privateKey }: RunningProvider["client"]) => {
  const certificateFile = join(directory, "certificate.pem")
  const certificateKeyFile = join(directory, "certificate-key.pem")
  writeFileSync(certificateFile, cert)
  writeFileSync(certificateKeyFile, privateKey)
  return { certificateFile, certificateKeyFile }
}

const ask = (issuer: string, client: Client, resource: ReadonlyArray<string> = [api]) =>
  Effect.flatMap(
    clientCredentialsSource({ issuer, client, resource, scopes: ["read"] }),
    (source) => source.assertion({})
  )

describe("a real OpenID provider (oidc-provider)", () => {
  it.live("is discovered", () =>
    Effect.gen(function* () {
      const { issuer } = yield* start
      const { jwksUri, tokenEndpoint } = yield* discover({ issuer })
      assert.strictEqual(new URL(jwksUri).origin, issuer)
      assert.strictEqual(new URL(tokenEndpoint!).origin, issuer)
    })
  )

  it.live("gives a JWT that its keys verify, to each way of proving who one is", () =>
    Effect.gen(function* () {
      const { client, issuer } = yield* start
      const keys = yield* remoteKeys({ issuer })
      for (const each of [
        { id: "by-basic", secret },
        { id: "by-post", secret, authentication: "client_secret_post" },
        { id: "by-key", privateKey: key },
        { id: "by-certificate", ...files(client) }
      ] satisfies ReadonlyArray<Client>) {
        const assertion = yield* ask(issuer, each)
        yield* verify(assertion.token, {
          keys,
          algorithms: ["RS256"],
          issuer,
          subject: each.id,
          audience: "the-api"
        })
        assert.strictEqual(assertion.lifetime, 120_000)
      }
    })
  )

  it.live("refuses who cannot prove it, and what was not granted, with what to do", () =>
    Effect.gen(function* () {
      const { issuer, stranger } = yield* start
      for (const [client, code, hint] of [
        [
          { id: "by-basic", secret: Redacted.make("wrong") },
          "invalid_client",
          /client_secret_basic|registration/
        ],
        [{ id: "nobody", secret }, "invalid_client", /"nobody"/],
        [{ id: "by-key", privateKey: pem(privateKeys.rsa) }, "invalid_client", /"by-key"/],
        [{ id: "by-certificate", ...files(stranger) }, "invalid_client", /certificate/],
        [{ id: "not-granted", secret }, "invalid_request", /client_credentials/]
      ] satisfies ReadonlyArray<readonly [Client, string, RegExp]>) {
        const { reason } = yield* Effect.flip(ask(issuer, client))
        assert.isTrue(reason._tag === "Rejected", `${client.id}: ${reason._tag}`)
        assert.propertyVal(reason, "code", code)
        assert.match(Object(reason).hint, hint)
      }
    })
  )

  it.live("gives opaque tokens where no API is named, which are no assertions", () =>
    Effect.gen(function* () {
      const { issuer } = yield* start
      const error = yield* Effect.flip(ask(issuer, { id: "by-basic", secret }, []))
      assert.match(error.message, /not a JWT.*`resource`/)
    })
  )

  it.live("is not taken for an issuer of nearly the same name", () =>
    Effect.gen(function* () {
      const { issuer } = yield* start
      const error = yield* Effect.flip(ask(`${issuer}/`, { id: "by-basic", secret }))
      assert.match(error.message, /names another issuer/)
    })
  )

  it.live("is shown the certificate where its metadata says that certificates are shown", () =>
    Effect.gen(function* () {
      const { client, issuer } = yield* start
      const asked: Array<string> = []
      const relocated = (alias: string) =>
        clientCredentialsSource({
          issuer,
          client: { id: "by-certificate", ...files(client) },
          resource: [api],
          fetch: async (url, init) => {
            asked.push(url)
            // Its metadata is an object.
            const document = (await (await fetch(url, init)).json()) as object
            return Response.json({
              ...document,
              token_endpoint: `${issuer}/elsewhere`,
              mtls_endpoint_aliases: { token_endpoint: alias }
            })
          }
        })
      const source = yield* relocated(`${issuer}/token`)
      assert.strictEqual((yield* source.assertion({})).subject, "by-certificate")
      assert.deepStrictEqual(asked, [`${issuer}/.well-known/openid-configuration`])
      const plain = yield* relocated("http://idp.example/token")
      assert.match((yield* Effect.flip(plain.assertion({}))).message, /certificates that is http/)
    })
  )

  it.live("is shown it through a proxy, which learns the host alone", () =>
    Effect.gen(function* () {
      const { client, issuer } = yield* start
      const { port } = new URL(issuer)
      const proxy = yield* Effect.acquireRelease(
        Effect.promise(() => connectProxy(Number(port))),
        ({ close }) => Effect.sync(close)
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      vi.stubEnv("HTTPS_PROXY", `http://${proxy.host}`)
      const source = yield* clientCredentialsSource({
        // This machine's own name would be asked straight.
        issuer: issuer.replace("localhost", name),
        tokenEndpoint: `${issuer.replace("localhost", name)}/token`,
        client: { id: "by-certificate", ...files(client) },
        resource: [api]
      })
      assert.strictEqual((yield* source.assertion({})).subject, "by-certificate")
      assert.deepStrictEqual(proxy.asked, [[`${name}:${port}`, undefined]])
    })
  )

  it.live("is shown no certificate whose key is another's", () =>
    Effect.gen(function* () {
      const { client, issuer, stranger } = yield* start
      const { reason } = yield* Effect.flip(
        ask(issuer, { id: "by-certificate", ...files({ cert: client.cert, key: stranger.key }) })
      )
      assert.propertyVal(reason, "setting", "client.certificateFile")
    })
  )
})
