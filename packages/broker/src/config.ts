/** The broker in a config file: the `broker:` section, and the file's flows as a broker serves them. */
import type { FlowDefinition } from "@federate/config"
import { RefreshPolicy } from "@federate/core"
import type { AwsCredentials, FederationError, Flow } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { secretlessProtocols } from "./BrokerConfig.ts"
import type { BrokerConfig } from "./BrokerConfig.ts"
import type { ServedFlow } from "./ServedFlow.ts"

const text = (description: string, example?: string) =>
  Schema.optionalKey(
    Schema.String.annotate({
      description,
      ...(example !== undefined && { examples: [example] })
    })
  )

const texts = (description: string) =>
  Schema.optionalKey(Schema.Array(Schema.String).annotate({ description }))

const flowsBy = (description: string, key: string) =>
  Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({
      description,
      examples: [{ [key]: "my-flow" }]
    })
  )

const id = (description: string) =>
  Schema.optionalKey(Schema.Int.annotate({ description }).check(Schema.isGreaterThanOrEqualTo(0)))

const Azure = Schema.Struct({
  flow: text(
    "The flow for whatever is not mapped; without it the only one whose exchanger is Azure's"
  ),
  resources: flowsBy(
    "Flows by the resource that is asked for; with these, no other is served",
    "https://graph.microsoft.com"
  ),
  identities: flowsBy(
    "Flows by the identity that is asked for: a client, object or resource id",
    "00000000-0000-0000-0000-000000000000"
  )
}).annotate({ description: "What Azure's SDKs get" })

const Gce = Schema.Struct({
  flow: text("The flow of access tokens; without it the only one whose exchanger is Google's"),
  identityFlow: text("The flow of identity tokens; without it the only one that issues assertions"),
  email: text("The service account's e-mail address, as clients are told"),
  projectId: text("The project's id, as clients are told"),
  numericProjectId: Schema.optionalKey(
    Schema.String.annotate({ description: "The project's number, in quotes" }).check(
      Schema.isPattern(/^\d{1,15}$/, { expected: "digits, in quotes" })
    )
  ),
  universeDomain: text("googleapis.com without it"),
  zone: text("The zone's name, as clients are told", "europe-west3-a"),
  scopes: texts(
    "The scopes that are told, and the only ones that may be asked for; any without it"
  ),
  audiences: texts("The only audiences that identity tokens may be asked for; any without it")
}).annotate({ description: "What Google's SDKs get from the metadata server" })

const Aws = Schema.Struct({
  flow: text("The flow of AWS credentials; without it the only one that issues them"),
  role: text(
    "The role's name as the instance metadata service tells it; the flow's name without it"
  ),
  region: text("Told by the instance metadata service", "eu-central-1")
}).annotate({ description: "What AWS's SDKs get" })

const TokenFile = Schema.Struct({
  path: Schema.String.annotate({
    description: "Replaced whole at each rotation; its folder must exist"
  }),
  flow: text(
    "A flow that issues assertions: without an exchanger, or with one for ID tokens; without it the only one"
  ),
  audience: text("Whom the assertion is for"),
  azure: Schema.optionalKey(
    Schema.Struct({
      tenantId: Schema.String.annotate({ description: "AZURE_TENANT_ID" }),
      clientId: Schema.String.annotate({ description: "AZURE_CLIENT_ID" }),
      authorityHost: text("AZURE_AUTHORITY_HOST")
    }).annotate({ description: "Whom Azure's SDKs present it as" })
  ),
  aws: Schema.optionalKey(
    Schema.Struct({
      roleArn: Schema.String.annotate({ description: "AWS_ROLE_ARN" }),
      roleSessionName: text("AWS_ROLE_SESSION_NAME")
    }).annotate({ description: "Whom AWS's SDKs present it as" })
  )
})

const oneOrMore = Schema.Union([Schema.String, Schema.Array(Schema.String)])

const TrustPolicy = Schema.Struct({
  issuer: Schema.String.annotate({
    description: "The assertion's iss, to the letter",
    examples: ["https://token.actions.githubusercontent.com"]
  }),
  jwksUri: text("Where the issuer's keys are; what its discovery document says without it"),
  audience: oneOrMore.annotate({ description: "The assertion's aud must hold one of these" }),
  subject: Schema.String.annotate({
    description:
      "The assertion's sub: * is any run of characters within a segment (they end at : and /), ** any run at all",
    examples: ["repo:my-organization/my-repository:ref:refs/heads/main"]
  }),
  claims: Schema.optionalKey(
    Schema.Record(Schema.String, oneOrMore).annotate({
      description: "Patterns by claim; one of them must match",
      examples: [{ job_workflow_ref: "my-organization/my-repository/.github/workflows/*@**" }]
    })
  ),
  algorithms: texts("The JWS algorithms that are taken; the asymmetric ones without it"),
  flows: Schema.Array(Schema.String).annotate({ description: "The flows whose tokens it gives" }),
  scopes: texts("The only scopes that may be asked for; none without it: the flow's own serve"),
  mode: Schema.optionalKey(
    Schema.Literals(["forward", "flow"]).annotate({
      description:
        "forward: the assertion itself is what the flow's exchanger trades; flow: the flow's own credential is handed out; forward without it"
    })
  ),
  socket: text("The socket that it is served on; without it on loopback alone")
})

const TokenExchange = Schema.Struct({
  issuer: text("The broker as its metadata names it: an origin; the one that is asked without it"),
  policies: Schema.Record(Schema.String, TrustPolicy).annotate({
    description: "By name, in the order in which they are looked at"
  })
}).annotate({
  description: "Whose assertions are traded for which flows' access tokens (RFC 8693)"
})

const Socket = Schema.Struct({
  path: Schema.String.annotate({ description: "The unix socket's path; its folder must exist" }),
  flows: Schema.Array(Schema.String).annotate({
    description: "Whoever may connect gets these flows, without a secret"
  }),
  mode: Schema.optionalKey(
    Schema.String.annotate({
      description: "Its permissions in octal digits, in quotes; 600 without it",
      examples: ["660"]
    }).check(Schema.isPattern(/^0?[0-7]{3}$/, { expected: "three octal digits, in quotes" }))
  ),
  owner: id("A user id; only root may give a socket away"),
  group: id("A group id")
})

export { trustRecords } from "./trust.ts"

/** The `broker:` section. */
export const section = Schema.Struct({
  flows: texts("The flows that are served on loopback; without it those that no socket serves"),
  hosts: texts("What callers may put into Host besides loopback's own names: name:port"),
  withoutSecret: Schema.optionalKey(
    Schema.Array(Schema.Literals(secretlessProtocols)).annotate({
      description:
        "The protocols without a secret that are spoken: any process on this machine gets their tokens; all without it"
    })
  ),
  azure: Schema.optionalKey(Azure),
  gce: Schema.optionalKey(Gce),
  aws: Schema.optionalKey(Aws),
  tokenExchange: Schema.optionalKey(TokenExchange),
  tokenFiles: Schema.optionalKey(
    Schema.Array(TokenFile).annotate({
      description:
        "Files that always hold a fresh assertion, for SDKs that go to their cloud themselves"
    })
  ),
  sockets: Schema.optionalKey(
    Schema.Record(Schema.String, Socket).annotate({
      description: "Ways in of their own, by name: the file system says who may connect"
    })
  )
}).annotate({ description: "What `federate serve` and `federate run` hand out, and to whom" })

// The section is the broker's own config: what decodes is what it takes.
section satisfies Schema.Decoder<BrokerConfig>

/**
 * Makes a flow of a config file as a broker serves it. It is refreshed earlier than a flow of one's own: Azure's SDKs
 * throw away what has under 5 minutes left, AWS's ask again at 15, and nobody waits longer than the broker's patience.
 */
export const serve = (
  definition: FlowDefinition
): Effect.Effect<ServedFlow, FederationError, Scope.Scope> => {
  const { client, cloud, exchanger, issues, make, scopes, source } = definition
  const refresh = RefreshPolicy.make({
    margin: "6 minutes",
    patience: "800 millis",
    ...(issues !== "AccessToken" && { freshPart: issues === "Assertion" ? 0.5 : 0.7 })
  })
  const about = { source, ...(exchanger !== undefined && { exchanger }) }
  return Effect.map(make({ refresh }), (flow): ServedFlow => {
    // What an adapter says it issues is what it issues: here, and below.
    if (issues === "AwsCredentials") {
      return { ...about, flow: flow as Flow.Flow<AwsCredentials>, issues, cloud: "aws" }
    }
    return {
      ...about,
      flow: flow as Flow.Flow,
      issues,
      ...(cloud !== undefined && cloud !== "aws" && { cloud }),
      ...(client !== undefined && { client }),
      ...(scopes !== undefined && { scopes }),
      ...(issues === "AccessToken" && {
        over: (other) => Effect.map(make({ refresh, source: other }), (made) => made as Flow.Flow)
      })
    }
  })
}
