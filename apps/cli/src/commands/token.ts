/** `federate token`: the token alone on standard output. */
import { RetryPolicy } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { parseDuration } from "@federate/schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { load } from "../configFile.ts"
import { credentialOf, flowIssuing, tokens } from "../flowCredential.ts"
import { flowArgument, scopeFlag } from "../flowParameters.ts"
import { shortened } from "../printable.ts"
import { report } from "../report.ts"
import { root } from "../root.ts"
import { printSpan } from "../time.ts"
import { UsageError } from "../UsageError.ts"

/** Entra takes minutes to see a trust everywhere. */
const usualPatience = "5m"

export const tokenCommand = Command.make(
  "token",
  {
    flow: flowArgument,
    scope: scopeFlag,
    json: Flag.Boolean("json").pipe(
      Flag.withDescription(
        "Print token, type, scope and expiry as JSON; an error as JSON on standard error, with error and message"
      ),
      Flag.withDefault(false)
    ),
    waitPropagation: Flag.String("wait-propagation").pipe(
      Flag.withDescription(
        `Wait for a trust that was just set up to spread; ${usualPatience} without a value`
      ),
      Flag.withMetavar("duration"),
      Flag.withOptionalValue(usualPatience),
      Flag.optional
    )
  },
  Effect.fn(function* ({ flow, json, scope, waitPropagation }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const wait = yield* patience(Option.getOrUndefined(waitPropagation))
      const file = yield* load(Option.getOrUndefined(config))
      const definition = yield* flowIssuing(file, flow, ...tokens)
      if (wait !== undefined && !json) {
        const span = printSpan(Duration.toMillis(wait))
        yield* Console.error(`Waiting up to ${span}, should the trust not have spread yet…`)
      }
      const retry = wait === undefined ? undefined : RetryPolicy.waitForTrust(wait)
      const credential = yield* Effect.provideService(
        credentialOf(definition, scope.length === 0 ? {} : { scopes: scope }),
        RetryPolicy.Override,
        retry
      )
      const now = yield* Clock.currentTimeMillis
      yield* Console.log(
        json ? JSON.stringify(answer(credential, now)) : Redacted.value(credential.token)
      )
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription("Print a flow's token, and nothing else, on standard output"),
  Command.withExamples([
    { command: "federate token graph", description: "A token for the scopes of the config file" },
    {
      command:
        'curl -H "Authorization: Bearer $(federate token graph)" https://graph.microsoft.com/v1.0/applications',
      description: "Use it"
    },
    {
      command: "federate token graph --scope https://management.azure.com/.default --json",
      description: "Another scope, with its expiry"
    },
    {
      command: "federate token graph --wait-propagation",
      description: "Just after the trust was set up"
    }
  ])
)

const patience = (
  text: string | undefined
): Effect.Effect<Duration.Duration | undefined, UsageError> => {
  if (text === undefined) return Effect.undefined
  return Result.match(parseDuration(text), {
    onSuccess: (duration) => Effect.succeed(duration),
    onFailure: (expected) =>
      Effect.fail(
        new UsageError({
          problem: `--wait-propagation cannot be "${shortened(text)}"`,
          hint: `It must be ${expected}; without a value it is ${usualPatience}.`
        })
      )
  })
}

/** In the words of RFC 6749 §5.1, with `expires_on` (epoch seconds) beside `expires_in`. */
const answer = ({ expiresAt, scopes, token, tokenType }: AccessToken, now: number) => ({
  access_token: Redacted.value(token),
  token_type: tokenType,
  expires_on: Math.floor(expiresAt / 1000),
  expires_in: Math.max(0, Math.floor((expiresAt - now) / 1000)),
  ...(scopes !== undefined && { scope: scopes.join(" ") })
})
