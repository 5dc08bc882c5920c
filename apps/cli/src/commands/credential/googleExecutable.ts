/** `federate credential google-executable`: the executable of Google's external accounts (https://google.aip.dev/auth/4117). */
import { randomBytes } from "node:crypto"
import type { AccessToken, FederationError } from "@federate/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { load } from "../../configFile.ts"
import { inWords } from "../../files.ts"
import { credentialOf, flowIssuing, tokens } from "../../flowCredential.ts"
import { flowArgument } from "../../flowParameters.ts"
import { shortened } from "../../printable.ts"
import { report } from "../../report.ts"
import type { Failure } from "../../report.ts"
import { root } from "../../root.ts"
import { UsageError } from "../../UsageError.ts"

const jwt = "urn:ietf:params:oauth:token-type:jwt"
const idToken = "urn:ietf:params:oauth:token-type:id_token"

export const googleExecutable = Command.make(
  "google-executable",
  {
    flow: flowArgument,
    audience: Flag.String("audience").pipe(
      Flag.withDescription(
        "Whom the token is for; without it the workload identity provider, where the flow's source can say so"
      ),
      Flag.optional
    )
  },
  Effect.fn(
    function* ({ audience, flow }) {
      const { config } = yield* root
      yield* Effect.gen(function* () {
        const tokenType = yield* askedType
        const file = yield* load(Option.getOrUndefined(config))
        const definition = yield* flowIssuing(file, flow, ...tokens)
        const provider = process.env["GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"]
        const asked = yield* Option.isSome(audience)
          ? credentialOf(definition, { audience: audience.value })
          : definition.issues === "Assertion" && provider
            ? preferring(providerUrl(provider), (request) => credentialOf(definition, request))
            : credentialOf(definition)
        const answer = JSON.stringify({
          version: 1,
          success: true,
          token_type: tokenType,
          id_token: Redacted.value(asked.token),
          expiration_time: Math.floor(asked.expiresAt / 1000)
        })
        yield* write(answer)
        yield* Console.log(answer)
      }).pipe(
        // With status 0: SDKs read no answer of a command that ends with another, and drop its words.
        Effect.catchTag(["FederationError", "ConfigError", "UsageError"], (failure) =>
          Console.log(
            JSON.stringify({
              version: 1,
              success: false,
              code: codeOf(failure),
              message: failure.message
            })
          )
        )
      )
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Print a token as Google's SDKs read it of an external account's executable; a failure too, with status 0"
  ),
  Command.withExamples([
    {
      command: "federate credential google-executable cognito --config /etc/federate.yaml",
      description:
        "As credential_source.executable.command, under GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"
    }
  ])
)

/** As Google accepts it in `aud` without being told: the provider's full name, as a URL. */
const providerUrl = (name: string): string => (name.startsWith("//") ? `https:${name}` : name)

/** A source that gives one audience alone says so as a wrong setting: then it is the one. */
const preferring = (
  audience: string,
  ask: (request: { readonly audience?: string }) => Effect.Effect<AccessToken, FederationError>
) =>
  Effect.catchIf(
    ask({ audience }),
    ({ reason }) => reason._tag === "Misconfigured",
    () => ask({})
  )

const askedType = Effect.suspend(() => {
  const asked = process.env["GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"] || jwt
  return asked === jwt || asked === idToken
    ? Effect.succeed(asked)
    : Effect.fail(
        new UsageError({
          problem: `The subject token type cannot be "${shortened(asked)}"`,
          hint: `Write "subject_token_type": "${jwt}" into the external account's file.`
        })
      )
})

/** Where the SDK looks before it calls again, if its config says so; whole or not at all. */
const write = Effect.fnUntraced(
  function* (answer: string) {
    const file = process.env["GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"]
    if (!file) return
    const files = yield* FileSystem.FileSystem
    const draft = `${file}.${randomBytes(6).toString("hex")}`
    yield* files.writeFileString(draft, answer, { flag: "wx", mode: 0o600 }).pipe(
      Effect.andThen(files.rename(draft, file)),
      Effect.onError(() => Effect.ignore(files.remove(draft)))
    )
  },
  Effect.mapError(
    (error) =>
      new UsageError({
        problem: `The output_file cannot be written: ${inWords(error)}`,
        hint: "Its folder must exist; or leave it out of the external account's file."
      })
  )
)

const codeOf = (failure: Failure): string => {
  if (failure._tag !== "FederationError") return failure._tag
  return failure.reason._tag === "Rejected" ? failure.reason.code : failure.reason._tag
}
