/**
 * `federate credential aws-process`: AWS's process credentials
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { load } from "../../configFile.ts"
import { credentialOf, flowIssuing } from "../../flowCredential.ts"
import { flowArgument } from "../../flowParameters.ts"
import { report } from "../../report.ts"
import { root } from "../../root.ts"
import { rfc3339 } from "../../time.ts"
import { UsageError } from "../../UsageError.ts"

export const awsProcess = Command.make(
  "aws-process",
  { flow: flowArgument },
  Effect.fn(
    function* ({ flow }) {
      const { config } = yield* root
      const file = yield* load(Option.getOrUndefined(config))
      const definition = yield* flowIssuing(file, flow, "AwsCredentials")
      const { accessKeyId, accountId, expiresAt, secretAccessKey, sessionToken } = yield* onceOnly(
        credentialOf(definition)
      )
      yield* Console.log(
        JSON.stringify({
          Version: 1,
          AccessKeyId: accessKeyId,
          SecretAccessKey: Redacted.value(secretAccessKey),
          SessionToken: Redacted.value(sessionToken),
          Expiration: rfc3339(expiresAt),
          ...(accountId !== undefined && { AccountId: accountId })
        })
      )
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription("Print AWS credentials as AWS's SDKs read them of a credential_process"),
  Command.withExamples([
    {
      command: "federate credential aws-process aws --config /etc/federate.yaml",
      description: "After `credential_process =` in a profile of ~/.aws/config"
    }
  ])
)

/** Tells a process of this command that one of the same fetches credentials, and waits for it. */
const marker = "FEDERATE_CREDENTIAL_PROCESS"

/**
 * A source that signs with AWS's keys looks for them where the caller does: in a profile that names this command, which
 * would go round for ever.
 */
const onceOnly = <A, E>(fetch: Effect.Effect<A, E>): Effect.Effect<A, E | UsageError> =>
  process.env[marker] !== undefined
    ? Effect.fail(
        new UsageError({
          problem:
            "The flow's source looks for AWS credentials in the profile that this command is to bring them for",
          hint: "Call it without that profile (`credential_process = env -u AWS_PROFILE federate …`), and not from [default]."
        })
      )
    : Effect.acquireUseRelease(
        Effect.sync(() => (process.env[marker] = "1")),
        () => fetch,
        () => Effect.sync(() => delete process.env[marker])
      )
