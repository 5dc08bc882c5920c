/** The command as a process of its own. */
import { spawn } from "node:child_process"
import type { ChildProcessByStdio } from "node:child_process"
import { once } from "node:events"
import type { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

const source = (name: string): string => fileURLToPath(import.meta.resolve(`../src/${name}`))

const conditions = "--conditions=@federate/source"

/** As a shell, or a config file, has it. */
export const command = `"${process.execPath}" ${conditions} -- "${source("main.ts")}"`

export interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Starts any file. Nothing of ours is handed on: what a test does not set is not set. */
export const start = (
  file: string,
  args: ReadonlyArray<string>,
  { cwd, env }: Surroundings
): Child =>
  spawn(file, args, {
    cwd,
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })

/** Starts `federate` from its source. */
export const federate = (args: ReadonlyArray<string>, surroundings: Surroundings = {}): Child =>
  start(process.execPath, [conditions, "--", source("main.ts"), ...args], surroundings)

/** Starts a shell script, in which `federate` is a function. */
export const shell = (script: string, surroundings: Surroundings = {}): Child =>
  start("/bin/sh", ["-c", `federate() { ${command} "$@"; }\n${script}`], surroundings)

/** What became of a process. */
export const outcome = async (child: Child) => {
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended(child)
  ])
  return { code, stdout, stderr }
}

/** Its status, or the signal that killed it. */
export const ended = async (child: Child): Promise<number | string | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  return child.exitCode ?? child.signalCode
}

/** Reads standard error until this stands there. */
export const told = async (child: Child, what: string): Promise<string> => {
  let read = ""
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    read += String(chunk)
    if (read.includes(what)) return read
  }
  throw new Error(`It ended without "${what}": ${read}`)
}

/** Starts the demo. */
export const demo = (): Child => start(process.execPath, [conditions, source("demo.ts")], {})
