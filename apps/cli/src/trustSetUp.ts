/** A flow's trust, opened with the rights of whoever sets it up. */
import type { FlowDefinition, TrustDefinition } from "@federate/config"
import { FederationError, RetryPolicy, Unavailable } from "@federate/core"
import { patience, prove } from "@federate/trust"
import type { Known, Part } from "@federate/trust"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { fromCommand, fromFlow } from "./adminToken.ts"
import { flowOf, load } from "./configFile.ts"
import { credentialOf, flowIssuing } from "./flowCredential.ts"
import { flowArgument } from "./flowParameters.ts"
import { printable } from "./printable.ts"
import { err } from "./style.ts"
import { UsageError } from "./UsageError.ts"

/** What every command about a trust takes. */
export const trustFlags = {
  flow: flowArgument,
  adminTokenCommand: Flag.String("admin-token-command").pipe(
    Flag.withDescription(
      "A shell command that prints a token which may write the trust on the other side"
    ),
    Flag.optional
  ),
  adminFlow: Flag.String("admin-flow").pipe(
    Flag.withDescription("A flow of the config file whose token may write it"),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print what was found, or done, as JSON"),
    Flag.withDefault(false)
  )
}

export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDescription("Do not ask"),
  Flag.withDefault(false)
)

export interface Asked {
  readonly flow: string
  readonly adminTokenCommand: Option.Option<string>
  readonly adminFlow: Option.Option<string>
}

interface Opened {
  readonly definition: TrustDefinition
  readonly parts: ReadonlyArray<Part>
}

/** Reads the config file, in which what setting up makes known may be missing, and lists the parts. Nothing is called. */
export const open = Effect.fnUntraced(function* (
  config: Option.Option<string>,
  { adminFlow, adminTokenCommand, flow }: Asked
) {
  const file = yield* load(Option.getOrUndefined(config), { learning: true })
  yield* flowOf(file, flow)
  const definition = file.trust.get(flow)
  const admin = Option.isSome(adminFlow)
    ? yield* flowIssuing(file, adminFlow.value, "AccessToken")
    : undefined
  const tokens = new Map<string, Effect.Effect<Redacted.Redacted, FederationError>>()
  const token = Effect.fnUntraced(function* (scope: string) {
    const held = tokens.get(scope)
    if (held !== undefined) return yield* held
    // One serves for all calls: it lives for longer than any of them takes.
    const asked = yield* Effect.cached(
      Option.isSome(adminTokenCommand)
        ? fromCommand(adminTokenCommand.value)
        : admin === undefined
          ? Effect.fail(noToken)
          : fromFlow(admin, scope)
    )
    tokens.set(scope, asked)
    return yield* asked
  })
  const parts = yield* definition?.parts(token) ?? Effect.succeed([])
  if (definition === undefined || parts.length === 0) {
    return yield* new UsageError({
      problem: `There is nothing that could be set up for the flow "${flow}"`,
      hint: "Neither its source's nor its exchanger's trust is known here: set it up by hand, and look at it with `federate doctor`."
    })
  }
  return { definition, parts } satisfies Opened
})

const noToken = new FederationError({
  adapter: "federate",
  stage: "configuration",
  reason: new Unavailable({
    detail: "There is no token by which the other side's half could be read or written",
    hint: 'Give a command that prints one: --admin-token-command "az account get-access-token --resource-type ms-graph --query accessToken -o tsv" for Entra, "gcloud auth print-access-token" for Google; or a flow of the config file: --admin-flow NAME.'
  })
})

/** What {@link proof} goes by. */
interface Proving extends Opened {
  readonly known: Known
  /** Whether to wait for what was just set up. */
  readonly waits: boolean
}

/**
 * One real exchange, with what has become known; its credential must show what was granted. None where the file states
 * what the assertion says, and there is none to be had here.
 */
export const proof = Effect.fnUntraced(function* (
  config: Option.Option<string>,
  { definition: { flow, isStated, learns }, known, parts, waits }: Proving
) {
  const variables = new Map(learns.map(({ setting, variable }) => [variable, known[setting]]))
  const file = yield* load(Option.getOrUndefined(config), {
    environment: (name) => variables.get(name) ?? process.env[name]
  })
  const definition: FlowDefinition = yield* flowOf(file, flow)
  const limit = waits ? patience.writing : 0
  return yield* prove(parts, credentialOf(definition), {
    limit,
    waiting: ({ message }) =>
      Console.error(err("dim")(`… waiting for it to spread: ${printable(message)}`))
  }).pipe(
    Effect.provideService(
      RetryPolicy.Override,
      waits ? RetryPolicy.waitForTrust(Duration.millis(limit)) : undefined
    ),
    Effect.asSome,
    Effect.catchIf(
      ({ reason }) => isStated && reason._tag === "Unavailable",
      () => Effect.succeedNone
    )
  )
})

/** Where a real exchange is still to be seen. */
export const unproved = (flow: string): string =>
  `No exchange was tried: the workload's assertion is not to be had here. Where it runs: federate doctor ${flow}`
