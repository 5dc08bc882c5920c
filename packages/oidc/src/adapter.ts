/** `type: oidc-client-credentials` and `type: self-signed` among the sources of a config file, `type: token-exchange` and `type: jwt-bearer` among the exchangers. */
import { Assertion, AssertionSource } from "@federate/core"
import type { AccessToken, Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { methods } from "./client.ts"
import { clientCredentialsSource } from "./clientCredentialsSource.ts"
import { jwtBearer as makeJwtBearer } from "./jwtBearer.ts"
import { algorithms } from "./key.ts"
import { secretFile } from "./secretText.ts"
import { selfSigned as makeSelfSigned } from "./selfSigned.ts"
import { bearerNames, exchangingNames } from "./services.ts"
import { tokenExchange as makeTokenExchange } from "./tokenExchange.ts"

const text = (description: string, ...examples: ReadonlyArray<string>) =>
  Schema.String.annotate({ description, ...(examples.length > 0 && { examples }) })

const texts = (description: string) => Schema.Array(Schema.String).annotate({ description })

const secret = (description: string) => Schema.RedactedFromValue(text(description))

const named = (description: string) =>
  Schema.Record(Schema.String, Schema.String).annotate({ description })

const algorithm = Schema.Literals(algorithms).annotate({
  description: "RS256 for RSA keys without it; with elliptic keys the curve tells it"
})

const client = Schema.Struct({
  id: text("The client's id, as it is registered"),
  authentication: Schema.optionalKey(
    Schema.Literals(methods).annotate({
      description:
        "What the credential below is for without it; `assertion` is the flow's own assertion (RFC 7523)"
    })
  ),
  secret: Schema.optionalKey(secret("The client's secret: ${CLIENT_SECRET}")),
  privateKey: Schema.optionalKey(secret("A private key, PEM or JWK: ${CLIENT_KEY}")),
  privateKeyFile: Schema.optionalKey(text("A file of one, read anew each time")),
  algorithm: Schema.optionalKey(algorithm),
  assertionAudience: Schema.optionalKey(
    text(
      "Whom the client's signed assertion is for; the issuer without it, else the token endpoint"
    )
  ),
  certificateFile: Schema.optionalKey(text("The client's certificate with its chain, PEM")),
  certificateKeyFile: Schema.optionalKey(text("The certificate's private key, PEM"))
})

const scopes = Schema.optionalKey(texts("What is asked for when the caller does not say"))

const resource = Schema.optionalKey(texts("What the token is for (RFC 8707): absolute URIs"))

const parameters = Schema.optionalKey(named("Parameters of the server's own, by their names there"))

const issuer = text("The provider's issuer, to the letter", "https://idp.example")

const sourceConfig = Schema.Struct({
  issuer,
  tokenEndpoint: Schema.optionalKey(text("Instead of the one in the issuer's discovery document")),
  client: client.annotate({ description: "Who asks, and how it proves that" }),
  scopes: Schema.optionalKey(texts("What the token is asked for")),
  audience: Schema.optionalKey(text("Whom the token is for, with providers that take it")),
  resource,
  parameters
})

export const clientCredentials: Adapter.SourceAdapter<
  typeof sourceConfig,
  typeof sourceConfig.Type,
  Platform
> = {
  type: "oidc-client-credentials",
  description:
    "Any OpenID provider: a JWT access token for a client of its own, by secret, private key or certificate",
  metered: true,
  config: sourceConfig,
  make: (options, { fetch }) => clientCredentialsSource({ ...options, fetch })
}

const selfSignedConfig = Schema.Struct({
  issuer: text(
    "Your own: where the discovery document is published",
    "https://id.example/federate"
  ),
  subject: text("Who the workload is, as the trust on the other side says", "build"),
  audience: Schema.optionalKey(
    text("The only audience; without it whatever the relying party asks for")
  ),
  lifetime: Schema.optionalKey(DurationFromText("1 s to 1 h; 5 minutes without it")),
  privateKeyFile: Schema.optionalKey(
    text("PEM or JWK, read anew each time; `federate issuer create` writes one")
  ),
  privateKey: Schema.optionalKey(secret("PEM or JWK, in the place of a file: ${SIGNING_KEY}")),
  algorithm: Schema.optionalKey(algorithm),
  claims: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Json).annotate({
      description: "What the tokens say besides"
    })
  )
})

export const selfSigned: Adapter.SourceAdapter<
  typeof selfSignedConfig,
  typeof selfSignedConfig.Type,
  Platform
> = {
  type: "self-signed",
  description: "JWTs of your own issuer, signed with a private key",
  // It signs as often as it is asked.
  metered: false,
  config: selfSignedConfig,
  make: (options) => makeSelfSigned(options)
}

const exchange = {
  issuer: Schema.optionalKey(
    text("The server's issuer, to the letter: its discovery document tells the token endpoint")
  ),
  tokenEndpoint: Schema.optionalKey(text("The token endpoint's URL: https, or http on loopback")),
  client: Schema.optionalKey(
    client.annotate({ description: "Where the server wants to know the client" })
  ),
  scopes,
  resource,
  parameters,
  body: Schema.optionalKey(
    Schema.Literals(["form", "json"]).annotate({ description: "form without it, as the RFC says" })
  ),
  names: Schema.optionalKey(
    named("What the server calls a parameter, or a field of its answer, by the standard's name")
  ),
  assertionAudience: Schema.optionalKey(
    text("Whom the assertion must be for; without it a source that can choose takes the server")
  ),
  algorithms: Schema.optionalKey(texts("The JWS algorithms that the server takes")),
  singleUse: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "The server remembers each assertion's jti: every request gets one of its own"
    })
  ),
  lifetime: Schema.optionalKey(
    DurationFromText("How long a token lives, where the server's answers do not say")
  )
}

const serviceOf = <Name extends string>(names: ReadonlyArray<Name>) =>
  Schema.optionalKey(
    Schema.Literals(names).annotate({
      description: "One that is known: endpoint, body and whatever else is filled in"
    })
  )

const tokenType = (description: string) =>
  Schema.optionalKey(text(description, "id_token", "urn:ietf:params:oauth:token-type:jwt"))

const tokenExchangeConfig = Schema.Struct({
  service: serviceOf(exchangingNames),
  ...exchange,
  audience: Schema.optionalKey(texts("What the token is for, by names that the server knows")),
  subjectTokenType: tokenType("What the assertion is; jwt without it"),
  requestedTokenType: tokenType("What is wanted for it; the server's choice without it"),
  actorTokenFile: Schema.optionalKey(text("A file with the JWT of who acts, read anew each time")),
  actorTokenType: tokenType("What that is; jwt without it")
})

export const tokenExchange: Adapter.ExchangerAdapter<
  typeof tokenExchangeConfig,
  typeof tokenExchangeConfig.Type,
  Platform,
  AccessToken
> = {
  type: "token-exchange",
  description: "Token exchange (RFC 8693) at any server, or a service such as OpenAI or OpenRouter",
  config: tokenExchangeConfig,
  issues: "AccessToken",
  scopes: (options) => options.scopes,
  make: ({ actorTokenFile, ...options }, { fetch }) =>
    makeTokenExchange({
      ...options,
      ...(actorTokenFile !== undefined && { actor: actorIn(actorTokenFile) }),
      fetch
    })
}

const actorIn = (file: string) =>
  AssertionSource.make({
    name: "actor",
    assertion: Effect.fnUntraced(function* () {
      const read = yield* secretFile("actorTokenFile", file)
      const obtainedAt = yield* Clock.currentTimeMillis
      const token = Redacted.make(Redacted.value(read).trim())
      return yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt }))
    })
  })

const jwtBearerConfig = Schema.Struct({ service: serviceOf(bearerNames), ...exchange })

export const jwtBearer: Adapter.ExchangerAdapter<
  typeof jwtBearerConfig,
  typeof jwtBearerConfig.Type,
  Platform,
  AccessToken
> = {
  type: "jwt-bearer",
  description: "The JWT bearer grant (RFC 7523) at any server, or a service such as Anthropic",
  config: jwtBearerConfig,
  issues: "AccessToken",
  scopes: (options) => options.scopes,
  make: (options, { fetch }) => makeJwtBearer({ ...options, fetch })
}
