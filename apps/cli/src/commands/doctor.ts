/** `federate doctor`: a flow, one step at a time, with both halves of its trust side by side. */
import type { Finding } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { platformEnvironment, platformFetch } from "@federate/http"
import type { Platform } from "@federate/http"
import { fromCommand, fromFlow, own } from "../adminToken.ts"
import { flowOf, load } from "../configFile.ts"
import { linesOf } from "../explanation.ts"
import { flowIssuing } from "../flowCredential.ts"
import { flowArgument, scopeFlag } from "../flowParameters.ts"
import { report, Stopped } from "../report.ts"
import { root } from "../root.ts"

export const doctor = Command.make(
  "doctor",
  {
    flow: flowArgument,
    scope: scopeFlag,
    permission: Flag.String("permission").pipe(
      Flag.withDescription("An app role or scope that the token must have; may be repeated"),
      Flag.atLeast(0)
    ),
    call: Flag.String("call").pipe(
      Flag.withDescription(
        "A URL that the token is wanted for: it is asked for once (GET); may be repeated"
      ),
      Flag.atLeast(0)
    ),
    adminTokenCommand: Flag.String("admin-token-command").pipe(
      Flag.withDescription(
        "A shell command that prints a token which may read the trust on the other side"
      ),
      Flag.optional
    ),
    adminFlow: Flag.String("admin-flow").pipe(
      Flag.withDescription("A flow of the config file whose token may read it"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the findings as JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ adminFlow, adminTokenCommand, call, flow, json, permission, scope }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { diagnose, watchClocks } = yield* Effect.promise(() => import("@federate/trust"))
      const clocks = yield* watchClocks(platformFetch)
      const platform: Platform = { fetch: clocks.fetch, environment: platformEnvironment }
      const file = yield* load(Option.getOrUndefined(config), { platform })
      const definition = yield* flowOf(file, flow)
      const { checkups, relyingParties, trustReaders } = yield* Effect.promise(
        () => import("../relyingParties.ts")
      )
      // What it is handed was decoded by the schema of the adapter of that very type.
      const look = (of: (typeof checkups)["sources"], type: string, settings: unknown) =>
        of.flatMap((each) => (each.type === type ? [each.look(settings as never, platform)] : []))
      const reader = trustReaders.find(({ type }) => type === definition.exchanger)
      const admin = Option.isSome(adminFlow)
        ? yield* flowIssuing(file, adminFlow.value, "AccessToken")
        : undefined
      const tokenFor = (api: string) =>
        Option.isSome(adminTokenCommand)
          ? fromCommand(adminTokenCommand.value)
          : admin === undefined
            ? own(definition, api)
            : fromFlow(admin, api)
      const found: Array<Finding> = []
      const isHealthy = yield* diagnose(
        {
          parts: Effect.all({ ...definition.parts }),
          checkups: [
            ...definition.sources
              .toReversed()
              .flatMap(({ settings, type }) => look(checkups.sources, type, settings)),
            ...look(checkups.exchangers, definition.exchanger ?? "", definition.exchangerSettings)
          ],
          clocks,
          request: scope.length === 0 ? {} : { scopes: scope },
          permissions: permission,
          calls: call,
          missing:
            reader &&
            // As above.
            ((assertion) => reader.missing(definition.exchangerSettings as never, assertion)),
          trust:
            reader &&
            Effect.gen(function* () {
              const token = reader.scope === undefined ? undefined : yield* tokenFor(reader.scope)
              return yield* reader.read(
                // As above.
                definition.exchangerSettings as never,
                { token },
                platform
              )
            })
        },
        relyingParties,
        (finding) => {
          found.push(finding)
          return json
            ? Effect.void
            : Effect.forEach(linesOf(finding), (line) => Console.log(line), { discard: true })
        }
      )
      if (json) yield* Console.log(JSON.stringify({ healthy: isHealthy, findings: found }, null, 2))
      if (!isHealthy) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Go through a flow one step at a time, and show both halves of its trust side by side"
  ),
  Command.withExamples([
    {
      command: "federate doctor graph",
      description: "All that can be checked without more rights"
    },
    {
      command:
        'federate doctor graph --admin-token-command "az account get-access-token --resource-type ms-graph --query accessToken -o tsv"',
      description: "With the federated credentials, as they are now"
    },
    {
      command: "federate doctor graph --permission Application.Read.All",
      description: "Does the token have that role?"
    },
    {
      command:
        "federate doctor graph --call 'https://graph.microsoft.com/v1.0/applications?$top=1'",
      description: "Is that call answered with it?"
    }
  ])
)
