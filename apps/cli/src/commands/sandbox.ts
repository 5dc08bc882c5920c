/** `federate sandbox`: local stand-ins for the clouds, until it is stopped. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { report } from "../report.ts"
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
        (port) => `${port} is no port, or leaves none for https: 0 to 65534`
      ),
      Flag.withDefault(0)
    ),
    dir: Flag.Directory("dir").pipe(
      Flag.withDescription("Where to write federate.yaml, env and ca.pem"),
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
      const file = (name: string) => path.join(directory, name)
      yield* write(file("federate.yaml"), configFile(placeholders))
      yield* write(
        file("env"),
        Object.entries({ ...running.env, FEDERATE_CONFIG: file("federate.yaml") })
          .map(([name, value]) => `${name}=${word(value)}\n`)
          .join("")
      )
      yield* Console.error(
        greeting(running, shorter(path.relative(".", file("env")), file("env")), empty)
      )
      return yield* Effect.never
    },
    Effect.scoped,
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

const shorter = (a: string, b: string): string => (a.length < b.length ? a : b)

/** The files hold keys: the sandbox's own, but still nobody else's. */
const write = Effect.fnUntraced(function* (file: string, text: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    files.writeFileString(file, text, { mode: 0o600 }),
    ({ reason }) =>
      new UsageError({
        problem: `${file} cannot be written (${reason._tag})`,
        hint: "Choose another --dir."
      })
  )
})

/** A value as a shell reads it back: bare when that is safe. */
const word = (value: string): string =>
  /^[\w@%+=:,./-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`

const greeting = (
  {
    http,
    https,
    env
  }: {
    readonly http: string
    readonly https: string
    readonly env: Readonly<Record<string, string>>
  },
  envFile: string,
  empty: boolean
): string => {
  const bold = err("bold")
  const dim = err("dim")
  return [
    `${bold("The sandbox is running")}; Ctrl+C stops it.`,
    `  AWS             ${http}`,
    `  Entra and Graph ${https}`,
    "",
    "In another terminal:",
    `  ${bold(`set -a; . ${word(envFile)}; set +a`)}`,
    ...(empty
      ? [
          `  ${dim("# nothing is set up but the accounts: an administrator's token for Graph is in FEDERATE_SANDBOX_ADMIN_TOKEN")}`,
          `  ${bold('curl --cacert $NODE_EXTRA_CA_CERTS -H "Authorization: Bearer $FEDERATE_SANDBOX_ADMIN_TOKEN" $GRAPH_BASE_URL/v1.0/applications')}`
        ]
      : [
          `  ${bold("federate token graph | federate inspect --verify")}`,
          `  ${bold('curl --cacert $NODE_EXTRA_CA_CERTS -H "Authorization: Bearer $(federate token graph)" "$GRAPH_BASE_URL/v1.0/applications?\\$top=1"')}`,
          `  ${dim(`# the flow's ids: pool ${env["COGNITO_IDENTITY_POOL_ID"]}, client ${env["AZURE_CLIENT_ID"]}`)}`
        ])
  ].join("\n")
}
