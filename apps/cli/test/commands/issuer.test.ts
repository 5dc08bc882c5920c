import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { remoteKeys, selfSigned, verify } from "@federate/oidc"
import { Effect } from "effect"
import type { Redacted } from "effect"
import { TestClock } from "effect/testing"
import { federate } from "../command.ts"
import { folder } from "../folder.ts"

const here = join(folder(), "project")

const before = process.cwd()
beforeEach(() => {
  mkdirSync(here)
  process.chdir(here)
})
afterEach(() => {
  process.chdir(before)
  rmSync(here, { recursive: true })
})

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"))
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
const well = "federate-issuer/public/.well-known"
/** The key set of an issuer's folder. */
const keySet = (directory = "federate-issuer") =>
  // What federate wrote.
  (
    read(`${directory}/public/.well-known/jwks.json`) as {
      readonly keys: ReadonlyArray<Readonly<Record<string, string>>>
    }
  ).keys
const published = () => keySet().map(({ kid = "" }) => kid)

/** Static hosting of what the folder says is to be published. Gives the issuer's URL. */
const hosting = Effect.gen(function* () {
  const server = createServer((request, response) => {
    const file = `federate-issuer/public${request.url}`
    if (existsSync(file)) response.end(readFileSync(file))
    else response.writeHead(404).end()
  })
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
    }),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  // It listens on a port, not on a path.
  return `http://localhost:${(server.address() as AddressInfo).port}`
})

const rotate = Effect.map(federate(["issuer", "rotate"]), ({ code, stderr }) => {
  assert.strictEqual(code, 0, stderr)
  return stderr
})

describe("federate issuer create", () => {
  it.effect("writes a key for its owner alone, and what is to be published without it", () =>
    Effect.gen(function* () {
      const issuer = "https://id.example/federate/"
      const { code, stderr, stdout } = yield* federate(["issuer", "create", issuer])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "federate-issuer/public")
      assert.include(stderr, "https://id.example/federate/.well-known/openid-configuration")
      assert.include(stderr, "federate-issuer/signing-key.pem")
      assert.strictEqual(mode("federate-issuer"), "700")
      assert.strictEqual(mode("federate-issuer/signing-key.pem"), "600")
      assert.deepEqual(read(`${well}/openid-configuration`), {
        issuer,
        jwks_uri: "https://id.example/federate/.well-known/jwks.json",
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"]
      })
      assert.hasAllKeys(keySet()[0], ["kty", "n", "e", "use", "alg", "kid"])
      assert.deepEqual(readdirSync("federate-issuer").toSorted(), [
        "issuer.json",
        "public",
        "signing-key.pem"
      ])
    })
  )

  it.effect("makes keys of each algorithm, in a folder of your choice", () =>
    Effect.gen(function* () {
      for (const algorithm of ["PS256", "ES256", "ES384", "EdDSA"]) {
        const { code, stderr } = yield* federate([
          "issuer",
          "create",
          "https://id.example",
          "--algorithm",
          algorithm,
          "-d",
          `my ${algorithm}`
        ])
        assert.strictEqual(code, 0, stderr)
        assert.strictEqual(keySet(`my ${algorithm}`)[0]?.["alg"], algorithm)
      }
    })
  )

  it.effect("does not write over an issuer, unless it is told to", () =>
    Effect.gen(function* () {
      const create = ["issuer", "create", "https://id.example"]
      yield* federate(create)
      const first = published()
      const { code, stderr } = yield* federate(create)
      assert.strictEqual(code, 2)
      assert.match(stderr, /holds an issuer already.*federate issuer rotate/s)
      assert.deepEqual(published(), first)
      assert.strictEqual((yield* federate([...create, "--force"])).code, 0)
      assert.notDeepEqual(published(), first)
    })
  )

  it.effect("takes only what can be an issuer", () =>
    Effect.gen(function* () {
      for (const issuer of ["id.example", "http://id.example", "https://a?b", "https://a#b"]) {
        const { code, stderr } = yield* federate(["issuer", "create", issuer])
        assert.strictEqual(code, 2, issuer)
        assert.include(stderr, `"${issuer}" as an issuer`)
      }
      assert.isFalse(existsSync("federate-issuer"))
    })
  )

  it.effect("leaves a folder that is there as it is", () =>
    Effect.gen(function* () {
      mkdirSync("mine", { mode: 0o755 })
      yield* federate(["issuer", "create", "https://id.example", "-d", "mine"])
      assert.strictEqual(mode("mine"), "755")
      assert.strictEqual(mode("mine/signing-key.pem"), "600")
    })
  )

  it.effect("tells where it cannot write", () =>
    Effect.gen(function* () {
      writeFileSync("federate-issuer", "a file")
      const { code, stderr } = yield* federate(["issuer", "create", "https://id.example"])
      assert.strictEqual(code, 2)
      assert.match(stderr, /cannot be \w+: .*--directory/s)
    })
  )
})

describe("federate issuer rotate", () => {
  it.effect("exchanges the key so that every token can be verified, whenever it was signed", () =>
    Effect.gen(function* () {
      const issuer = yield* hosting
      yield* federate(["issuer", "create", issuer])
      const source = yield* selfSigned({
        issuer,
        subject: "build",
        audience: "party",
        lifetime: "1 hour",
        privateKeyFile: "federate-issuer/signing-key.pem"
      })
      /** A party that fetches the keys now believes a token. */
      const believed = Effect.fnUntraced(function* (token: Redacted.Redacted) {
        const keys = yield* remoteKeys({ issuer })
        return yield* verify(token, { keys, algorithms: ["RS256"], issuer })
      })
      const sign = Effect.map(source.assertion({}), ({ header, token }) => ({
        kid: header["kid"],
        token
      }))
      const first = yield* sign
      yield* believed(first.token)

      // A new key is published, and signs nothing.
      assert.match(yield* rotate, /signs nothing yet[^]*Publish what is in[^]*Next: .* in 1 day/)
      const [a = "", b = ""] = published()
      assert.strictEqual(a, first.kid)
      assert.strictEqual(mode("federate-issuer/next-key.pem"), "600")
      yield* TestClock.adjust("23 hours")
      assert.match(
        yield* rotate,
        /^Next: federate issuer rotate lets the key \S+ sign, in 1 h, at 1970-01-02/
      )
      assert.strictEqual((yield* sign).kid, a)

      // It signs; what the old one signed last is still verified.
      yield* TestClock.adjust("1 hour")
      const last = yield* sign
      assert.match(yield* rotate, /signs from now on[^]*Next: .* drops the old key/)
      assert.isFalse(existsSync("federate-issuer/next-key.pem"))
      assert.strictEqual(mode("federate-issuer/signing-key.pem"), "600")
      const second = yield* sign
      assert.strictEqual(second.kid, b)
      yield* believed(last.token)
      yield* believed(second.token)
      assert.deepEqual(published(), [b, a])

      // The old one goes when its last token has ended.
      yield* TestClock.adjust("25 hours")
      assert.match(yield* rotate, /^Next: federate issuer rotate drops the old key \S+, in 5 min/)
      yield* TestClock.adjust("5 minutes")
      assert.match(yield* rotate, /published no longer/)
      assert.deepEqual(published(), [b])
      yield* believed((yield* sign).token)
    })
  )

  it.effect("lets no key sign that is not published", () =>
    Effect.gen(function* () {
      const issuer = yield* hosting
      yield* federate(["issuer", "create", issuer])
      const old = readFileSync(`${well}/jwks.json`)
      yield* rotate
      writeFileSync(`${well}/jwks.json`, old)
      yield* TestClock.adjust("1 day")
      const { code, stderr } = yield* federate(["issuer", "rotate"])
      assert.strictEqual(code, 2)
      assert.match(
        stderr,
        /nobody could verify it\. key: The issuer publishes no key[^]*Publish what is in/
      )
      assert.isTrue(existsSync("federate-issuer/next-key.pem"))
    })
  )

  it.effect("goes on where an earlier call was cut short", () =>
    Effect.gen(function* () {
      const issuer = yield* hosting
      yield* federate(["issuer", "create", issuer])
      yield* rotate
      const [, next] = published()
      yield* TestClock.adjust("1 day")
      const record = readFileSync("federate-issuer/issuer.json")
      yield* rotate
      // The key had changed its place, and the record was not written.
      writeFileSync("federate-issuer/issuer.json", record)
      assert.match(yield* rotate, /signs from now on/)
      assert.strictEqual(published()[0], next)
    })
  )

  it.effect("says so when the next key is lost", () =>
    Effect.gen(function* () {
      const issuer = yield* hosting
      yield* federate(["issuer", "create", issuer])
      yield* rotate
      rmSync("federate-issuer/next-key.pem")
      yield* TestClock.adjust("1 day")
      const { code, stderr } = yield* federate(["issuer", "rotate"])
      assert.strictEqual(code, 2)
      assert.match(stderr, /next-key\.pem is gone/)
    })
  )

  it.effect("says so when there is no issuer, or not one of its own", () =>
    Effect.gen(function* () {
      assert.match(
        (yield* federate(["issuer", "rotate"])).stderr,
        /there is no such file.*--directory/s
      )
      yield* federate(["issuer", "create", "https://id.example"])
      for (const text of ["", "{}", '{"issuer":1}']) {
        writeFileSync("federate-issuer/issuer.json", text)
        const { code, stderr } = yield* federate(["issuer", "show"])
        assert.strictEqual(code, 2)
        assert.match(stderr, /is not what federate wrote/)
      }
    })
  )
})

describe("federate issuer show", () => {
  it.effect("tells the key that signs, and what is due", () =>
    Effect.gen(function* () {
      yield* federate(["issuer", "create", "https://id.example", "-d", "my issuer"])
      const { code, stderr, stdout } = yield* federate(["issuer", "show", "-d", "my issuer"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /^issuer {4}https:\/\/id\.example\nsigning {3}[\w-]{43} \(RS256\)\n$/)
      assert.strictEqual(
        stderr,
        "Due whenever you like: federate issuer rotate --directory 'my issuer' begins to exchange the key.\n"
      )
    })
  )
})
