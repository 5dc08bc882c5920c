/**
 * `federate credential kubectl`: client-go's credential plugin
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { load } from "../../configFile.ts"
import { credentialOf, flowIssuing, tokens } from "../../flowCredential.ts"
import { flowArgument, scopeFlag } from "../../flowParameters.ts"
import { report } from "../../report.ts"
import { root } from "../../root.ts"
import { rfc3339 } from "../../time.ts"
import { UsageError } from "../../UsageError.ts"

const group = "client.authentication.k8s.io"
const versions = [`${group}/v1`, `${group}/v1beta1`] as const

export const kubectl = Command.make(
  "kubectl",
  {
    flow: flowArgument,
    audience: Flag.String("audience").pipe(
      Flag.withDescription("Whom the token is for: the API server's --oidc-client-id"),
      Flag.optional
    ),
    scope: scopeFlag
  },
  Effect.fn(
    function* ({ audience, flow, scope }) {
      const { config } = yield* root
      const apiVersion = yield* askedVersion
      const file = yield* load(Option.getOrUndefined(config))
      const { expiresAt, token } = yield* credentialOf(yield* flowIssuing(file, flow, ...tokens), {
        ...(Option.isSome(audience) && { audience: audience.value }),
        ...(scope.length > 0 && { scopes: scope })
      })
      yield* Console.log(
        JSON.stringify({
          apiVersion,
          kind: "ExecCredential",
          status: { token: Redacted.value(token), expirationTimestamp: rfc3339(expiresAt) }
        })
      )
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Print a token as kubectl and other Kubernetes clients read it of a credential plugin"
  ),
  Command.withExamples([
    {
      command: "federate credential kubectl cluster --audience kubernetes",
      description:
        "As users[].user.exec in a kubeconfig: an assertion, for an API server that trusts its issuer"
    },
    {
      command:
        "federate credential kubectl aks --scope 6dae42f8-4368-4678-94ff-3960e28e3630/.default",
      description: "Azure Kubernetes Service: the scope is the same for all of its clusters"
    }
  ])
)

const decodeInfo = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({ apiVersion: Schema.Literals(versions), kind: Schema.Literal("ExecCredential") })
  )
)

/** The version that the kubeconfig names: the answer must be of the same. */
const askedVersion = Effect.suspend(() => {
  const info = process.env["KUBERNETES_EXEC_INFO"]
  return info === undefined || info === ""
    ? Effect.succeed(versions[0])
    : decodeInfo(info).pipe(
        Effect.map(({ apiVersion }) => apiVersion),
        Effect.mapError(
          () =>
            new UsageError({
              problem: `$KUBERNETES_EXEC_INFO is not an ExecCredential of ${versions.join(" or ")}`,
              hint: `Write "apiVersion: ${versions[0]}" beside the command in the kubeconfig.`
            })
        )
      )
})
