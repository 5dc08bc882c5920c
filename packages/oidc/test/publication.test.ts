import { announced, completed, publication, publishedKeys, switched } from "@federate/oidc"
import type { KeyRotation } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"

const key = (kid: string, alg = "RS256") => ({ kty: "RSA", kid, alg })
const hour = 3_600_000

describe("publication", () => {
  it("names the issuer to the letter, and its key set under it", () => {
    for (const issuer of ["https://id.example/a", "https://id.example/a/"]) {
      const keys = [key("a"), key("b", "PS256"), key("c")]
      const documents = publication(issuer, keys)
      assert.deepEqual<unknown>(documents, {
        ".well-known/openid-configuration": {
          issuer,
          jwks_uri: "https://id.example/a/.well-known/jwks.json",
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256", "PS256"]
        },
        ".well-known/jwks.json": { keys }
      })
    }
  })
})

describe("a key's rotation", () => {
  const begin: KeyRotation = { signing: key("a") }
  const kids = (rotation: KeyRotation) => publishedKeys(rotation).map(({ kid }) => kid)

  it("publishes a key for as long as a cached key set or one of its tokens may want it", () => {
    assert.deepEqual(kids(begin), ["a"])
    const both = announced(begin, key("b"), 1000)
    assert.deepEqual(kids(both), ["a", "b"])
    assert.strictEqual(both.signing.kid, "a")
    assert.strictEqual(both.next?.signsFrom, 1000 + 24 * hour)
    const after = switched(both, both.next!, 2000)
    assert.deepEqual(kids(after), ["b", "a"])
    assert.strictEqual(after.signing.kid, "b")
    // An hour is the longest life of a token; slow clocks get five minutes.
    assert.strictEqual(after.previous?.publishedUntil, 2000 + 25 * hour + 5 * 60_000)
    assert.deepEqual(kids(completed(after)), ["b"])
  })
})
