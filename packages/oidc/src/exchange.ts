/** What the two grants that trade an assertion have in common. */
import { configured, TokenExchanger } from "@federate/core"
import type {
  AccessToken,
  Assertion,
  AssertionSource,
  FederationError,
  Reason,
  TokenRequest
} from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { clientAuthentication } from "./client.ts"
import type { Client } from "./client.ts"
import { grant } from "./grant.ts"
import type { Writing } from "./grant.ts"
import { refused } from "./refused.ts"
import { checkedServer, place } from "./server.ts"
import type { Server } from "./server.ts"
import type { Service } from "./services.ts"
import { checkedParameters, checkedResources, checkedScopes, misconfigured } from "./settings.ts"

export interface ExchangeOptions<ServiceName extends string> extends Server, Writing {
  /** One that is known: its endpoint and its ways are filled in, for whatever is not set. */
  readonly service?: ServiceName | undefined
  /** Default: the server does not ask who the client is. */
  readonly client?: Client | undefined
  /** What a request without scopes of its own asks for. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** What the token is for (RFC 8707): absolute URIs. */
  readonly resource?: ReadonlyArray<string> | undefined
  /** Parameters of the server's own: ids of rules, providers, accounts. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
  /** Whom the assertion must be for. Without it a source that can choose takes the issuer, or the token endpoint. */
  readonly assertionAudience?: string | undefined
  /** The JWS algorithms that the server takes. Default: unknown. */
  readonly algorithms?: ReadonlyArray<string> | undefined
  /** The server remembers each assertion's `jti`: every request gets one of its own. */
  readonly singleUse?: boolean | undefined
  /** How long a token lives, where the server's answers do not say and its documentation does. */
  readonly lifetime?: Duration.Input | undefined
  /** Default: the platform's. A client certificate is shown over connections of its own. */
  readonly fetch?: Fetch | undefined
}

/** What is each grant's own. */
export interface Kind {
  readonly name: string
  readonly grantType: string
  readonly services: Readonly<Record<string, Service>>
  /** Its parameters for one exchange. What else is asked of a source is asked as the assertion was. */
  readonly parameters: (
    assertion: Assertion.Assertion,
    request: TokenRequest.TokenRequest,
    asks: Pick<AssertionSource.AssertionRequest, "preferredAudience" | "singleUse">
  ) => Effect.Effect<ReadonlyArray<readonly [string, string]>, Reason>
  /** What is wrong with what came back. */
  readonly check?: (credential: AccessToken, writing: Writing) => Reason | undefined
}

/** Makes the exchanger. Settings that cannot work are `Misconfigured`, before any call. */
export const exchanger = Effect.fnUntraced(function* <ServiceName extends string>(
  { check, grantType, name, parameters: ownParameters, services }: Kind,
  options: ExchangeOptions<ServiceName>
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const { algorithms, assertionAudience, fetch } = options
  const { client, life, parameters, resources, scopes, server, singleUse, writing } =
    yield* configured(name, checked(options, services))
  const preferredAudience = server.issuer ?? server.tokenEndpoint
  const asks = {
    ...(preferredAudience !== undefined && { preferredAudience }),
    ...(singleUse && { singleUse })
  }

  return TokenExchanger.make({
    name,
    asks: {
      ...asks,
      ...(assertionAudience !== undefined && { audience: assertionAudience }),
      ...(algorithms !== undefined && { algorithms })
    },
    exchange: Effect.fnUntraced(function* (assertion, request): Effect.fn.Return<
      AccessToken,
      Reason
    > {
      const asked = yield* Effect.fromResult(checkedScopes(request.scopes ?? scopes))
      const own = yield* ownParameters(assertion, request, asks)
      const where = yield* place(server, client, fetch)
      const proof = yield* client.prove({ ...where, assertion })
      const now = yield* Clock.currentTimeMillis
      const credential = yield* grant({
        ...where,
        ...writing,
        clientId: client.id,
        authenticate: proof.authenticate,
        grantType,
        parameters: new URLSearchParams([
          ...own,
          ...resources.map((resource): [string, string] => ["resource", resource]),
          ...(asked.length === 0 ? [] : [["scope", asked.join(" ")]]),
          ...Object.entries(parameters)
        ] as Array<[string, string]>), // pairs, each written as one
        refused: (answer) =>
          refused(answer, { ...where, assertion, client, grantType, now, singleUse }),
        life,
        fetch: proof.fetch ?? fetch
      })
      const problem = check?.(credential, writing)
      return problem === undefined ? credential : yield* Effect.fail(problem)
    })
  })
})

const checked = (options: ExchangeOptions<string>, services: Readonly<Record<string, Service>>) =>
  Result.gen(function* () {
    const { issuer, lifetime, resource = [], scopes = [], service } = options
    const known = service === undefined ? undefined : services[service]
    const server = yield* checkedServer({
      issuer,
      // An issuer of one's own is asked where its endpoint is.
      tokenEndpoint:
        options.tokenEndpoint ?? (issuer === undefined ? known?.tokenEndpoint : undefined)
    })
    const parameters = yield* checkedParameters(options.parameters)
    const missing = known?.needs.find((name) => !parameters[name])
    if (missing !== undefined) {
      return yield* misconfigured(
        `parameters.${missing}`,
        "is absent",
        `${service} refuses what does not name it: write all of ${known!.needs.join(", ")}.`
      )
    }
    return {
      server,
      parameters,
      client: yield* clientAuthentication(options.client),
      scopes: yield* checkedScopes(scopes),
      resources: yield* checkedResources(resource),
      singleUse: options.singleUse ?? known?.singleUse ?? false,
      writing: {
        body: options.body ?? known?.body ?? "form",
        names: options.names ?? known?.names
      },
      life:
        lifetime === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(lifetime))
    }
  })
