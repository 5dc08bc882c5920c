/** Config files' flows with the sources and exchangers for any server, from the file to the credential. */
import { createServer } from "node:http"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { decode } from "@federate/config"
import { RetryPolicy } from "@federate/core"
import type { AccessToken, FederationError } from "@federate/core"
import { generateSigningKey, publication, readSigningKey } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { adapters } from "../src/adapters.ts"
import { cloud } from "./cloud.ts"

const { folder, sandbox } = cloud({ setup: "empty" })

/** An issuer of one's own on this machine, with its key in a file; the sandbox trusts it. */
const ownIssuer = Effect.gen(function* () {
  const privateKeyFile = join(folder, "signing-key.pem")
  const key = yield* generateSigningKey("ES256")
  writeFileSync(privateKeyFile, Redacted.value(key))
  const { published } = yield* readSigningKey("", key)
  const server = createServer((request, response) =>
    response.end(JSON.stringify(publication(issuer, [published])[request.url!.slice(1)]))
  )
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
    }),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  // It listens on a port, not on a path.
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  sandbox().trustAssertion({ issuer, subject: "build" })
  return { issuer, privateKeyFile }
})

const credential = Effect.fnUntraced(function* (text: string) {
  const { flows } = yield* decode(text, {
    file: "federate.yaml",
    adapters,
    platform: {
      fetch: (url, init) => fetch(url.replace(sandbox().https, sandbox().http), init)
    },
    environment: () => undefined
  })
  const flow = yield* flows.get("api")!.make()
  // What the exchangers here issue.
  const issued = flow.credential() as Effect.Effect<AccessToken, FederationError>
  return yield* Effect.provideService(issued, RetryPolicy.Override, RetryPolicy.none)
})

const selfSigned = (
  { issuer, privateKeyFile }: Effect.Success<typeof ownIssuer>,
  subject = "build"
) => `
flows:
  api:
    source:
      type: self-signed
      issuer: ${issuer}
      subject: ${subject}
      privateKeyFile: ${privateKeyFile}
      lifetime: 2 minutes
`

describe("a config file", () => {
  it.live("trades a self-signed assertion by token exchange, at a server that it discovers", () =>
    Effect.gen(function* () {
      const token = yield* credential(`${selfSigned(yield* ownIssuer)}
    exchanger:
      type: token-exchange
      issuer: ${sandbox().oauth.issuer}
      audience: [https://api.example]
      scopes: [read]
`)
      assert.deepInclude(token, { tokenType: "Bearer", scopes: ["read"] })
      assert.closeTo(token.expiresAt - token.obtainedAt, 120_000, 2000)
    })
  )

  it.live("trades one by the JWT bearer grant", () =>
    Effect.gen(function* () {
      const token = yield* credential(`${selfSigned(yield* ownIssuer)}
    exchanger:
      type: jwt-bearer
      tokenEndpoint: ${sandbox().oauth.tokenEndpoint}
`)
      assert.deepStrictEqual(token.scopes, ["read", "write"])
    })
  )

  it.live("trades one at services that want JSON, by their names", () =>
    Effect.gen(function* () {
      const own = yield* ownIssuer
      for (const [service, type] of [
        ["openai", "token-exchange"],
        ["openrouter", "token-exchange"],
        ["anthropic", "jwt-bearer"]
      ] as const) {
        const { parameters, tokenEndpoint } = sandbox().services[service]
        const { token } = yield* credential(`${selfSigned(own)}
    exchanger:
      type: ${type}
      service: ${service}
      tokenEndpoint: ${tokenEndpoint}
      parameters: ${JSON.stringify(parameters)}
`)
        assert.isAbove(Redacted.value(token).length, 20)
      }
    })
  )

  it.live("is told what to compare when the subject is not trusted", () =>
    Effect.gen(function* () {
      const own = yield* ownIssuer
      const error = yield* Effect.flip(
        credential(`${selfSigned(own, "another")}
    exchanger:
      type: jwt-bearer
      issuer: ${sandbox().oauth.issuer}
`)
      )
      assert.match(
        error.message,
        new RegExp(`invalid_grant.*issuer ${own.issuer}, subject another`)
      )
    })
  )

  it.live("is told of an audience that the source cannot give, before any call", () =>
    Effect.gen(function* () {
      const own = yield* ownIssuer
      const error = yield* Effect.flip(
        credential(`${selfSigned(own)}      audience: one
    exchanger:
      type: jwt-bearer
      issuer: ${sandbox().oauth.issuer}
      assertionAudience: another
`)
      )
      assert.match(
        error.message,
        /demands the audience "another", and self-signed can only give "one"/
      )
    })
  )
})
