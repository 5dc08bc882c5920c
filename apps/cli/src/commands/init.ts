/** `federate init`: writes a commented config file. */
import { decode } from "@federate/config"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import { inWords } from "../files.ts"
import { usualName } from "../configFile.ts"
import { report } from "../report.ts"
import { word } from "@federate/trust/shell"
import { configFile, placeholders } from "../template.ts"
import type { Answers } from "../template.ts"
import { UsageError } from "../UsageError.ts"

const questions: { readonly [Key in keyof Answers]: string } = {
  flow: "The flow's name",
  identityPoolId: "Amazon Cognito identity pool id (REGION:GUID)",
  developerProvider: "The pool's developer provider",
  userId: "This workload's user id at that provider",
  tenantId: "Microsoft Entra tenant id",
  clientId: "Application (client) id",
  scope: "Scope (<resource>/.default)",
  role: "The IAM role that this workload runs as"
}

const answer = (name: string, key: keyof Answers) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${questions[key]}; ${placeholders[key]} without it`),
    Flag.optional
  )

export const init = Command.make(
  "init",
  {
    output: Flag.Path("output", { typeName: "file" }).pipe(
      Flag.withAlias("o"),
      Flag.withDescription("The file to write"),
      Flag.withDefault(usualName)
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Write over a file that is there"),
      Flag.withDefault(false)
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withAlias("y"),
      Flag.withDescription("Ask nothing: take the flags, and variables for the rest"),
      Flag.withDefault(false)
    ),
    flow: answer("flow", "flow"),
    identityPoolId: answer("identity-pool-id", "identityPoolId"),
    developerProvider: answer("developer-provider", "developerProvider"),
    userId: answer("user-id", "userId"),
    tenantId: answer("tenant-id", "tenantId"),
    clientId: answer("client-id", "clientId"),
    scope: answer("scope", "scope"),
    role: answer("role", "role")
  },
  Effect.fn(
    function* ({ force, output, yes, ...given }) {
      const files = yield* FileSystem.FileSystem
      if (!force && (yield* Effect.orElseSucceed(files.exists(output), () => false))) {
        return yield* new UsageError({
          problem: `${output} is there already`,
          hint: "Write elsewhere with --output FILE, or over it with --force."
        })
      }
      const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
      const asks = !yes && (yield* stdinIsTerminal) && (yield* stdoutIsTerminal)
      const answers = yield* Effect.all({
        flow: choose(given.flow, "flow", asks),
        identityPoolId: choose(given.identityPoolId, "identityPoolId", asks),
        developerProvider: choose(given.developerProvider, "developerProvider", asks),
        userId: choose(given.userId, "userId", asks),
        tenantId: choose(given.tenantId, "tenantId", asks),
        clientId: choose(given.clientId, "clientId", asks),
        scope: choose(given.scope, "scope", asks),
        role: choose(given.role, "role", asks)
      })
      const text = configFile(answers)
      yield* check(text)
      yield* Effect.mapError(
        files.writeFileString(output, text),
        (error) =>
          new UsageError({
            problem: `${output} cannot be written: ${inWords(error)}`,
            hint: "Choose another --output."
          })
      )
      const path = yield* Path.Path
      const near = path.relative(".", output)
      const where = near === usualName ? "" : ` --config ${word(near)}`
      yield* Console.error(`Wrote ${near}. Next: federate token ${answers.flow}${where}`)
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription("Write a commented federate.yaml: Amazon Cognito to Microsoft Entra"),
  Command.withExamples([
    { command: "federate init", description: "Answer eight questions" },
    {
      command: "federate init --yes",
      description:
        "Ask nothing: ids come from COGNITO_IDENTITY_POOL_ID, AZURE_TENANT_ID, AZURE_CLIENT_ID"
    }
  ])
)

/** Holds a file against what reads it: nothing is written that would not be understood. */
const check = Effect.fnUntraced(function* (text: string) {
  const { adapters, sides } = yield* Effect.promise(() => import("@federate/server/adapters"))
  yield* decode(text, {
    file: "What was answered",
    adapters,
    sides,
    platform: {},
    // Set or not: that is seen when the file is used.
    environment: (name) => name
  })
})

const choose = (given: Option.Option<string>, key: keyof Answers, asks: boolean) =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : asks
      ? ask(key)
      : Effect.succeed(placeholders[key])

/** Nothing is answered by what is proposed. That does not stand in the line already, where it would have to be deleted. */
const ask = (key: keyof Answers) => {
  const proposed = placeholders[key]
  return Effect.map(
    Prompt.run(
      Prompt.String({
        message: `${questions[key]} [${proposed}]`,
        validate: (text) =>
          check(configFile({ ...placeholders, [key]: text || proposed })).pipe(
            Effect.mapError(({ problems }) => problems.map(({ message }) => message).join("; ")),
            Effect.as(text)
          )
      })
    ),
    (text) => text || proposed
  )
}
