/** HashiCorp Vault and OpenBao as an assertion source: identity tokens, signed for who holds one of its own tokens. */
import {
  Assertion,
  AssertionSource,
  configured,
  Misconfigured,
  Rejected,
  Unavailable
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import {
  endpoint,
  json,
  overloaded,
  platformEnvironment,
  publicText,
  send,
  unexpected
} from "@federate/http"
import type { Environment, Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { forAudience } from "./fit.ts"
import { readTokenFile } from "@federate/local"

export interface VaultOptions {
  /** Whose key signs, and whose client id is the audience. */
  readonly role: string
  /** https, or http on loopback. Default: `VAULT_ADDR`. */
  readonly address?: string | undefined
  /** What Vault knows this workload by. Default: `tokenFile`; without that, `VAULT_TOKEN`. */
  readonly token?: Redacted.Redacted | undefined
  /** Where it is written, as by Vault's agent; read anew each time. */
  readonly tokenFile?: string | undefined
  /** Default: `VAULT_NAMESPACE`. */
  readonly namespace?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "vault"

/**
 * `GET /v1/identity/oidc/token/:role`
 * (https://developer.hashicorp.com/vault/api-docs/secret/identity/tokens#generate-a-signed-id-token): a JWT about the
 * entity that the Vault token is of. Its audience is the role's client id, which nobody can choose here. Without an
 * address, or without a token, it is `Unavailable`.
 */
export const vault = Effect.fnUntraced(function* (
  options: VaultOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { environment = platformEnvironment, fetch, role } = options
  const namespace = options.namespace ?? environment("VAULT_NAMESPACE")
  const url = yield* configured(name, checked(options, environment))
  const tokenOf = ({ token, tokenFile }: VaultOptions) => {
    if (token !== undefined) return Effect.succeed(token)
    if (tokenFile !== undefined) {
      return readTokenFile({ setting: "tokenFile", path: tokenFile, absent: logIn })
    }
    const set = environment("VAULT_TOKEN")
    return set === undefined
      ? Effect.fail(new Unavailable({ detail: "VAULT_TOKEN is not set", hint: logIn }))
      : Effect.succeed(Redacted.make(set))
  }
  return AssertionSource.make({
    name,
    offers: {},
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      if (url === undefined) return yield* Effect.fail(noAddress)
      const token = Redacted.value(yield* tokenOf(options))
      if (!/^[!-~]+$/.test(token)) return yield* Effect.fail(noHeader)
      const headers = {
        "x-vault-token": token,
        ...(namespace !== undefined && { "x-vault-namespace": namespace })
      }
      const answer = yield* send({ url, headers }, { fetch })
      const data = json(answer)?.["data"]
      const jwt =
        typeof data === "object" && data !== null && "token" in data ? data.token : undefined
      if (answer.status !== 200 || typeof jwt !== "string")
        return yield* Effect.fail(refused(answer, role, namespace))
      // It signs when it is asked.
      const assertion = yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(jwt), { obtainedAt: answer.sentAt, issuerTime: "iat" })
      )
      return yield* Effect.fromResult(forAudience(request, assertion, clientId(role)))
    })
  })
})

const logIn =
  "Log in to Vault, or have its agent do it: VAULT_TOKEN, or the file that `tokenFile` names."

const clientId = (role: string) => (audience: string) =>
  `The role's client id is the audience: \`vault write identity/oidc/role/${role} key=KEY client_id="${audience}"\`, or demand what it has.`

const noAddress = new Unavailable({
  detail: "VAULT_ADDR is not set",
  hint: "Set it, or write Vault's `address`."
})

const noHeader = new Misconfigured({
  setting: "token",
  problem: "has characters that no token of Vault's has",
  hint: "Leave blanks, quotes and ends of lines out of it."
})

/** What can be told to be wrong before any call, and where to ask; nothing where Vault is nowhere. */
const checked = ({ address, role, ...options }: VaultOptions, environment: Environment) =>
  Result.gen(function* () {
    if (options.token !== undefined && options.tokenFile !== undefined) {
      return yield* misconfigured(
        "tokenFile",
        "stands beside `token`",
        "Leave one of them: which is meant cannot be told."
      )
    }
    if (!/^[\w.-]+$/.test(role)) {
      return yield* misconfigured("role", "is no role's name", "`vault list identity/oidc/role`")
    }
    const given = address ?? environment("VAULT_ADDR")
    if (given === undefined) return undefined
    const base = yield* endpoint(address === undefined ? "VAULT_ADDR" : "address", given)
    return `${base.href.replace(/\/+$/, "")}/v1/identity/oidc/token/${role}`
  })

const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** Vault tells errors by their status; their texts are for people. */
const refused = (answer: HttpAnswer, role: string, namespace: string | undefined): Reason => {
  const errors = json(answer)?.["errors"]
  const busy = overloaded(answer)
  if (busy !== undefined || answer.status < 400 || !Array.isArray(errors))
    return busy ?? unexpected(answer)
  const where = namespace === undefined ? "" : ` in the namespace ${namespace}`
  return new Rejected({
    code: `HTTP ${answer.status}`,
    status: answer.status,
    description: publicText(errors.join("; ")) || "Vault gave no reason",
    hint:
      answer.status === 403
        ? `The Vault token has ended (\`vault token lookup\`), or its policy does not let it read identity/oidc/token/${role}${where}.`
        : `The role "${role}" or its key is not there${where} (\`vault read identity/oidc/role/${role}\`), or the Vault token is nobody's: a root token has no identity.`,
    remedy: "none"
  })
}
