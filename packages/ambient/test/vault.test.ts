import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vault } from "@federate/ambient"
import type { VaultOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const secret = "hvs.THE-TOKEN-OF-VAULT"
const jwt = Redacted.value(assertionFor("the-entity").token)
const address = "https://vault.example"

const issued = (assertion: string) =>
  Response.json({ data: { client_id: "party", token: assertion, ttl: 900 } })
const saying =
  (status: number, ...errors: ReadonlyArray<string>) =>
  () =>
    Response.json({ errors }, { status })

const make = (options: Partial<VaultOptions> = {}) =>
  vault({ role: "workload", environment: () => undefined, ...options })

assertionSourceContract("Vault", {
  make: (fetch) => make({ address, token: Redacted.make(secret), fetch }),
  well: issued,
  assertion: jwt,
  life: 900,
  secrets: [secret],
  refused: [
    {
      name: "a token that may not",
      answer: saying(403, "1 error occurred:", "permission denied"),
      becomes: "Rejected",
      code: "HTTP 403",
      hint: /policy does not let it read identity\/oidc\/token\/workload/
    },
    {
      name: "a role that is not there",
      answer: saying(400, 'role "workload" not found'),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /vault read identity\/oidc\/role\/workload/
    },
    { name: "a sealed Vault", answer: saying(503, "Vault is sealed"), becomes: "Transient" },
    {
      name: "a refusal without words",
      answer: saying(404),
      becomes: "Rejected",
      code: "HTTP 404"
    }
  ]
})

describe("Vault", () => {
  const asking = (options: Partial<VaultOptions>) =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const fetch: Fetch = async (url, { headers }) => {
        const sent = new Headers(headers)
        asked.push([url, sent.get("x-vault-token"), sent.get("x-vault-namespace")].join(" "))
        return issued(jwt)
      }
      const source = yield* make({ ...options, fetch })
      yield* source.assertion({})
      yield* source.assertion({})
      return asked
    })

  const path = "/v1/identity/oidc/token/workload"

  it.effect("is found by its own variables, or where the settings say", () =>
    Effect.gen(function* () {
      const set: Record<string, string> = {
        VAULT_ADDR: "https://vault.example/",
        VAULT_TOKEN: secret,
        VAULT_NAMESPACE: "team/"
      }
      const environment = (name: string) => set[name]
      const [byVariables] = yield* asking({ environment })
      assert.strictEqual(byVariables, `https://vault.example${path} ${secret} team/`)
      const [bySettings] = yield* asking({
        environment,
        address: "http://127.0.0.1:8200/proxied",
        token: Redacted.make("own"),
        namespace: "own"
      })
      assert.strictEqual(bySettings, `http://127.0.0.1:8200/proxied${path} own own`)
    })
  )

  it.live("is asked with what its agent has written last", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
        (made) => Effect.promise(() => rm(made, { recursive: true }))
      )
      const tokenFile = join(directory, "token")
      const sent: Array<string | null> = []
      const source = yield* make({
        address,
        tokenFile,
        fetch: async (_, { headers }) => {
          sent.push(new Headers(headers).get("x-vault-token"))
          return issued(jwt)
        }
      })
      for (const token of ["first", "second"]) {
        yield* Effect.promise(() => writeFile(tokenFile, `${token}\n`))
        yield* source.assertion({})
      }
      assert.deepStrictEqual(sent, ["first", "second"])
      yield* Effect.promise(() => writeFile(tokenFile, `"${secret}"\n\nand more`))
      const { message } = yield* Effect.flip(source.assertion({}))
      assert.match(message, /token: has characters that no token of Vault's has/)
      assert.notInclude(message, secret)
    })
  )

  it.live("is Unavailable without an address, or a token", () =>
    Effect.gen(function* () {
      for (const [options, hint] of [
        [{ token: Redacted.make(secret) }, /VAULT_ADDR is not set/],
        [{ address }, /VAULT_TOKEN is not set.*Log in/],
        [{ address, tokenFile: "/nowhere/token" }, /no file \/nowhere\/token.*Log in/]
      ] as const) {
        const source = yield* make(options)
        const { message, reason } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(reason._tag, "Unavailable")
        assert.match(message, hint)
      }
    })
  )

  it.effect("tells where its audience is set, where another is demanded", () =>
    Effect.gen(function* () {
      const token = Redacted.make(secret)
      const source = yield* make({ address, token, fetch: async () => issued(jwt) })
      const { message } = yield* Effect.flip(source.assertion({ audience: "other" }))
      assert.match(message, /"other" is demanded, and the token is for "party".*client_id="other"/)
    })
  )

  it.effect("says before any call what cannot work", () =>
    Effect.gen(function* () {
      for (const [options, text] of [
        [{ address: "http://vault.example" }, /address: is http/],
        [{ environment: () => "http://vault.example" }, /VAULT_ADDR: is http/],
        [{ role: "../policies" }, /role: is no role's name/],
        [{ token: Redacted.make(secret), tokenFile: "/x" }, /tokenFile: stands beside/]
      ] as const) {
        const { message, stage } = yield* Effect.flip(make(options))
        assert.strictEqual(stage, "configuration")
        assert.match(message, text)
      }
    })
  )
})
