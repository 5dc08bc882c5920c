/** HashiCorp Vault as an assertion source: identity tokens, signed for who holds a Vault token. */
import { Assertion, AssertionSource, configured, Rejected } from "@federate/core"
import { endpoint, json, overloaded, publicText, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import { Effect, Redacted } from "effect"

export interface Options {
  /** Vault's own: https, or http on loopback. */
  readonly address: string
  /** Whose key signs, and whose client id is the audience. */
  readonly role: string
  readonly token: Redacted.Redacted
  readonly fetch?: Fetch | undefined
}

const name = "vault"

/** https://developer.hashicorp.com/vault/api-docs/secret/identity/tokens#generate-a-signed-id-token */
export const source = Effect.fnUntraced(function* ({ address, fetch, role, token }: Options) {
  const base = yield* configured(name, endpoint("address", address))
  const url = new URL(`/v1/identity/oidc/token/${encodeURIComponent(role)}`, base).href
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* () {
      const headers = { "x-vault-token": Redacted.value(token) }
      const answer = yield* send({ url, headers }, { fetch })
      const data = json(answer)?.["data"]
      const jwt = typeof data === "object" && data && "token" in data ? data.token : undefined
      if (answer.status !== 200 || typeof jwt !== "string")
        return yield* Effect.fail(classify(answer, role))
      return yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(jwt), { obtainedAt: answer.sentAt, issuerTime: "iat" })
      )
    })
  })
})

const classify = (answer: HttpAnswer, role: string) => {
  const errors = json(answer)?.["errors"]
  const busy = overloaded(answer)
  if (busy !== undefined || answer.status < 400 || !Array.isArray(errors))
    return busy ?? unexpected(answer)
  return new Rejected({
    code: String(answer.status),
    status: answer.status,
    description: publicText(errors.join("; ")) || "Vault gave no reason",
    hint:
      answer.status === 403
        ? `The Vault token has ended (\`vault token lookup\`), or its policy does not let it read identity/oidc/token/${role}.`
        : `The role "${role}" or its key is not set up, or the Vault token is nobody's: a root token has no identity.`,
    remedy: "none"
  })
}
