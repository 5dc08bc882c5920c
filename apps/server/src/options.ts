/** What the server is called with: flags, read without a library so that it starts at once. */
import { isIPv6 } from "node:net"
import { parseArgs } from "node:util"
import type { Where } from "@federate/broker"
import type { Severity } from "effect/LogLevel"
import * as Result from "effect/Result"

export interface Options {
  /** The config file. */
  readonly config: string
  readonly listen: Where
  /** Where to write the variables that clients need. */
  readonly envFile?: string | undefined
}

/** A call that cannot be. */
export interface Misuse {
  readonly problem: string
  readonly hint: string
}

const misuse = (problem: string, hint: string) => Result.fail<Misuse>({ problem, hint })

export const defaultListen = "127.0.0.1:8765"

export const levels = ["error", "warn", "info", "debug", "trace"] as const

const severities: Readonly<Record<(typeof levels)[number], Severity>> = {
  error: "Error",
  warn: "Warn",
  info: "Info",
  debug: "Debug",
  trace: "Trace"
}

export const usage = `Usage: federate-server [--config FILE] [--listen HOST:PORT] [--env-file FILE]

Hands out the credentials of a config file's flows to unmodified cloud SDKs on this machine.

  -c, --config FILE         The config file; $FEDERATE_CONFIG without it, else federate.yaml here.
                            It is read again when it changes, and on SIGHUP
  -l, --listen HOST:PORT    Where to listen, or unix:PATH; ${defaultListen} without it. Port 0 is any that is free
      --env-file FILE       Where to write the variables that clients need; removed at the end.
                            (A plain \`node main.js\` wants it there already: \`node -- main.js\`
                            does not, and --write-env-file is another name for it)
      --log-level LEVEL     ${levels.join(", ")}; info without it
      --dangerously-listen-beyond-loopback
                            Let --listen be any address: whoever reaches it gets tokens
  -h, --help                Show this
  -v, --version             Show the version
`

/** How it was called, in so far as it can be. */
export type Call =
  | { readonly is: "serve"; readonly options: Options; readonly logLevel: Severity }
  | { readonly is: "help" }
  | { readonly is: "version" }

/** Reads the arguments after the command's name. */
export const call = (
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv
): Result.Result<Call, Misuse> =>
  Result.gen(function* () {
    const { values } = yield* Result.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            config: { type: "string", short: "c" },
            listen: { type: "string", short: "l", default: defaultListen },
            "dangerously-listen-beyond-loopback": { type: "boolean", default: false },
            "env-file": { type: "string" },
            // Node looks for the file of an --env-file of its own, even behind a script's name.
            "write-env-file": { type: "string" },
            "log-level": { type: "string", default: "info" },
            help: { type: "boolean", short: "h", default: false },
            version: { type: "boolean", short: "v", default: false }
          }
        }),
      catch: (error): Misuse => ({
        // Node's own words end with advice on arguments that are none.
        problem: error instanceof Error ? error.message.replace(/\. .*$/s, "") : "Bad arguments",
        hint: "See federate-server --help."
      })
    })
    if (values.help) return { is: "help" }
    if (values.version) return { is: "version" }
    const level = levels.find((each) => each === values["log-level"].toLowerCase())
    if (level === undefined) {
      return yield* misuse("--log-level is not known", `Use one of ${levels.join(", ")}.`)
    }
    return {
      is: "serve",
      logLevel: severities[level],
      options: yield* options(
        {
          config: values.config ?? (environment["FEDERATE_CONFIG"] || "federate.yaml"),
          listen: values.listen,
          envFile: values["env-file"] ?? values["write-env-file"],
          beyondLoopback: values["dangerously-listen-beyond-loopback"]
        },
        environment
      )
    }
  })

export interface Texts {
  readonly config: string
  readonly listen: string
  readonly envFile: string | undefined
  readonly beyondLoopback: boolean
}

/** What the flags say. A socket that was opened for this process (systemd's socket activation) is taken as it is. */
export const options = (
  { beyondLoopback, config, envFile, listen }: Texts,
  environment: NodeJS.ProcessEnv
): Result.Result<Options, Misuse> =>
  Result.gen(function* () {
    for (const [flag, file] of [
      ["--config", config],
      ["--env-file", envFile]
    ] as const) {
      if (file === "") return yield* misuse(`${flag} is empty`, "Name a file.")
    }
    const where =
      (yield* passed(environment, beyondLoopback)) ?? (yield* place(listen, beyondLoopback))
    if (envFile !== undefined && "path" in where) {
      return yield* misuse(
        "--env-file needs an http address",
        "Cloud SDKs are told an address and a port; listen on 127.0.0.1, or leave --env-file out."
      )
    }
    return { config, listen: where, envFile }
  })

/** `HOST:PORT`, `[::1]:PORT` or `unix:PATH`. */
const place = (text: string, beyondLoopback: boolean): Result.Result<Where, Misuse> => {
  const wrong = (problem: string) =>
    misuse(
      `--listen ${problem}`,
      `Write HOST:PORT, [::1]:PORT or unix:PATH, such as ${defaultListen}.`
    )
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length)
    return path === "" ? wrong("names no path") : Result.succeed({ path })
  }
  const [, six, four, port] = /^(?:\[([^\]]*)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text) ?? []
  const host = six ?? four
  if (host === undefined || (six !== undefined && !isIPv6(six))) return wrong("is no address")
  return Number(port) > 65_535
    ? wrong("has a port beyond 65535")
    : Result.succeed({ host, port: Number(port), beyondLoopback })
}

/** Where systemd's first socket stands (sd_listen_fds(3)). */
const firstPassed = 3

/** The socket that was handed to this process, and not to a parent of its. */
const passed = (
  environment: NodeJS.ProcessEnv,
  beyondLoopback: boolean
): Result.Result<Where | undefined, Misuse> => {
  if (environment["LISTEN_PID"] !== String(process.pid)) return Result.succeed(undefined)
  return environment["LISTEN_FDS"] === "1"
    ? Result.succeed({ fd: firstPassed, beyondLoopback })
    : misuse(
        "systemd passes several sockets",
        "Let the socket unit have one ListenStream; further ways in are unix sockets of the config file."
      )
}
