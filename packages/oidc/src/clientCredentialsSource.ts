/** Access tokens of any OpenID provider, for a client of its own, as an assertion source (RFC 6749 §4.4). */
import { Assertion, AssertionSource, configured, Malformed, Rejected } from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { clientAuthentication } from "./client.ts"
import type { Client } from "./client.ts"
import { grant } from "./grant.ts"
import { checkedServer, place } from "./server.ts"
import type { Server } from "./server.ts"
import { checkedParameters, checkedResources, checkedScopes, misconfigured } from "./settings.ts"
import { refusal } from "./tokenAnswer.ts"
import type { Refusal } from "./tokenAnswer.ts"

export interface ClientCredentialsSourceOptions extends Server {
  readonly client: Client
  readonly scopes?: ReadonlyArray<string> | undefined
  /** Whom the token is for, with providers that take the parameter (Auth0). */
  readonly audience?: string | undefined
  /** The same as RFC 8707 has it: absolute URIs. */
  readonly resource?: ReadonlyArray<string> | undefined
  /** Parameters of the provider's own. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
  /** Default: the platform's. A client certificate is shown over connections of its own. */
  readonly fetch?: Fetch | undefined
}

const name = "oidc-client-credentials"

/**
 * Client credentials at the provider that the discovery document names: by secret, private key or certificate. The
 * access token, which must be a JWT (RFC 9068), is the assertion; an opaque one is `Malformed`. It says of its times
 * what it says of itself. Settings that cannot work are `Misconfigured`, before any call.
 */
export const clientCredentialsSource = Effect.fnUntraced(function* (
  options: ClientCredentialsSourceOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { fetch } = options
  const { client, parameters, server } = yield* configured(name, checked(options))
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* (): Effect.fn.Return<Assertion.Assertion, Reason> {
      const where = yield* place(server, client, fetch)
      const proof = yield* client.prove(where)
      const { obtainedAt, token } = yield* grant({
        ...where,
        clientId: client.id,
        authenticate: proof.authenticate,
        grantType: "client_credentials",
        parameters,
        refused: (answer) => refused(answer, options.client),
        // Its own exp tells.
        life: 1,
        fetch: proof.fetch ?? fetch
      })
      return yield* Effect.fromResult(
        Result.mapError(Assertion.fromJwt(token, { obtainedAt, issuerTime: "iat" }), opaque)
      )
    })
  })
})

const opaque = ({ detail }: Malformed): Malformed =>
  new Malformed({
    detail: `${detail}. Only JWTs can be assertions: the provider may issue them (RFC 9068) for an API that is named by \`audience\`, \`resource\` or \`scopes\`.`
  })

const refused = (answer: Refusal, { id }: Client): Rejected => {
  const told = refusal(answer)
  const hint = hints.get(answer.error)
  return hint === undefined ? told : new Rejected({ ...told, hint: hint(id) })
}

const hints = new Map<string, (id: string) => string>(
  Object.entries({
    invalid_client: (id: string) =>
      `Compare the client "${id}" and its secret, key or certificate with its registration, and \`client.authentication\` with its token_endpoint_auth_method.`,
    invalid_request: (id: string) =>
      `Check scopes, audience and resource, and that the client "${id}" is allowed the grant type client_credentials.`,
    invalid_target: () => "The provider does not know this `audience` or `resource`.",
    unauthorized_client: (id: string) =>
      `Allow the client "${id}" the grant type client_credentials.`
  })
)

const checked = (options: ClientCredentialsSourceOptions) =>
  Result.gen(function* () {
    const { audience } = options
    const server = yield* checkedServer(options)
    const client = yield* clientAuthentication(options.client)
    if (client.method === "none" || client.method === "assertion") {
      return yield* misconfigured(
        "client",
        `authenticates by ${client.method}, and this grant is for clients that prove who they are`,
        "Name a `secret`, a `privateKeyFile`, or a `certificateFile` with its `certificateKeyFile`."
      )
    }
    const scopes = yield* checkedScopes(options.scopes ?? [])
    const parameters = new URLSearchParams({
      ...(yield* checkedParameters(options.parameters)),
      ...(scopes.length > 0 && { scope: scopes.join(" ") }),
      ...(audience !== undefined && { audience })
    })
    for (const resource of yield* checkedResources(options.resource ?? []))
      parameters.append("resource", resource)
    return { server, client, parameters }
  })
