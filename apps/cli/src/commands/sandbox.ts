/** `federate sandbox`: local stand-ins for the clouds, until it is stopped. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { usualName } from "../configFile.ts"
import { inWords } from "../files.ts"
import { report } from "../report.ts"
import { word } from "@federate/trust/shell"
import { err } from "../style.ts"
import { configFile, placeholders } from "../template.ts"
import { UsageError } from "../UsageError.ts"

export const sandbox = Command.make(
  "sandbox",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("The http port; https is the next one. Any free ones without it"),
      Flag.filter(
        (port) => port >= 0 && port < 65_535,
        () => "a port from 0 to 65534; https takes the next one"
      ),
      Flag.withDefault(0)
    ),
    dir: Flag.Path("dir", { typeName: "directory" }).pipe(
      Flag.withDescription(
        "Where to write federate.yaml, env and ca.pem; .federate/sandbox without it"
      ),
      Flag.withDefault(".federate/sandbox")
    ),
    empty: Flag.Boolean("empty").pipe(
      Flag.withDescription("Set nothing up but the accounts"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(
    function* ({ dir, empty, port }) {
      const { Sandbox } = yield* Effect.promise(() => import("@federate/sandbox"))
      const path = yield* Path.Path
      const directory = path.resolve(dir)
      const running = yield* Sandbox.make({
        httpPort: port,
        httpsPort: port === 0 ? 0 : port + 1,
        directory,
        setup: empty ? "empty" : "first-journey"
      }).pipe(
        Effect.catchTag("SandboxError", ({ message }) =>
          Effect.fail(new UsageError({ problem: message, hint: "Choose another --port or --dir." }))
        )
      )
      yield* trustAsBefore(running.caFile)
      const config = path.join(directory, usualName)
      const kept = yield* writeConfig(config)
      const env = path.join(directory, "env")
      yield* write(
        env,
        Object.entries({ ...running.env, FEDERATE_CONFIG: config })
          .map(([name, value]) => `${name}=${word(value)}\n`)
          .join("")
      )
      const near = path.relative(".", env)
      yield* Console.error(
        greeting(running, {
          empty,
          env: near.length < env.length ? near : env,
          ...(kept && { kept: config })
        })
      )
      return yield* Effect.never
    },
    Effect.scoped,
    // Being stopped is how it ends.
    Effect.onInterrupt(() => Effect.sync(() => (process.exitCode = 0))),
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Run local stand-ins for Amazon Cognito, AWS IAM and STS, Microsoft Entra and Microsoft Graph"
  ),
  Command.withExamples([
    {
      command: "federate sandbox",
      description: "The first journey set up: a Cognito identity becomes a Graph token"
    },
    {
      command: "federate sandbox --port 8080 --dir ./sandbox --empty",
      description: "The accounts alone, at fixed ports"
    }
  ])
)

/** The files hold keys: the sandbox's own, but still nobody else's. */
const write = Effect.fnUntraced(function* (file: string, text: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    files.writeFileString(file, text, { mode: 0o600 }),
    (error) =>
      new UsageError({
        problem: `${file} cannot be written: ${inWords(error)}`,
        hint: "Choose another --dir."
      })
  )
})

/**
 * The variable that names the sandbox's certificate takes the place of one that may be needed here: whatever this
 * process trusts besides Node's own (a proxy's authority) is written below it.
 */
const trustAsBefore = Effect.fnUntraced(function* (caFile: string | undefined) {
  const files = yield* FileSystem.FileSystem
  const before = process.env["NODE_EXTRA_CA_CERTS"]
  if (caFile === undefined || before === undefined || before === caFile) return
  const trusted = yield* Effect.orElseSucceed(files.readFileString(before), () => "")
  yield* Effect.orElseSucceed(
    files.writeFileString(caFile, `\n${trusted}`, { flag: "a" }),
    () => undefined
  )
})

/** Somebody's config file is not written over: whether there was another one, which is kept. */
const writeConfig = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = configFile(placeholders)
  const there = yield* Effect.orElseSucceed(files.readFileString(file), () => text)
  if (there !== text) return true
  yield* write(file, text)
  return false
})

/** How this command was called: by its name, or from a clone. */
const self = process.argv[1]?.endsWith(".ts") === true ? "pnpm --silent federate" : "federate"

interface Told {
  readonly empty: boolean
  /** The file to read, as short as it can be said. */
  readonly env: string
  /** A config file that was there already. */
  readonly kept?: string
}

const greeting = (
  running: {
    readonly http: string
    readonly https: string
    readonly env: Readonly<Record<string, string>>
  },
  { empty, env, kept }: Told
): string => {
  const bold = err("bold")
  const dim = err("dim")
  const others = ["AWS_PROFILE", "AWS_SESSION_TOKEN"].filter((name) => process.env[name])
  const graph = (token: string, path: string) =>
    bold(
      `curl --cacert "$NODE_EXTRA_CA_CERTS" -H "Authorization: Bearer ${token}" "$GRAPH_BASE_URL/v1.0/${path}"`
    )
  return [
    `${bold("The sandbox is running")}; Ctrl+C stops it.`,
    `  AWS              ${running.http}`,
    `  Entra and Graph  ${running.https}`,
    ...(kept === undefined ? [] : [`  ${dim(`# ${kept} is another one, and is kept`)}`]),
    "",
    "In another terminal:",
    ...(others.length === 0
      ? []
      : [
          `  ${bold(`unset ${others.join(" ")}`)}  ${dim("# they are set here, and go before the sandbox's keys")}`
        ]),
    // Without a slash, `.` would look for it along the PATH.
    `  ${bold(`set -a; . ${word(env.includes("/") ? env : `./${env}`)}; set +a`)}`,
    ...(empty
      ? [
          `  ${dim("# nothing is set up but the accounts: this sets up the rest, as their administrators")}`,
          `  ${bold(`env AWS_ACCESS_KEY_ID="$FEDERATE_SANDBOX_ADMIN_ACCESS_KEY_ID" AWS_SECRET_ACCESS_KEY="$FEDERATE_SANDBOX_ADMIN_SECRET_ACCESS_KEY" ${self} trust apply graph --yes --admin-token-command 'printenv FEDERATE_SANDBOX_ADMIN_TOKEN' > .env`)}`,
          `  ${bold(`set -a; . ./.env; set +a; ${self} token graph`)}`,
          `  ${graph("$FEDERATE_SANDBOX_ADMIN_TOKEN", "applications")}`
        ]
      : [
          `  ${bold(`${self} token graph | ${self} inspect --verify`)}`,
          `  ${graph(`$(${self} token graph)`, "applications?\\$top=1")}`,
          `  ${dim(`# the flow's ids: pool ${running.env["COGNITO_IDENTITY_POOL_ID"]}, client ${running.env["AZURE_CLIENT_ID"]}`)}`
        ])
  ].join("\n")
}
