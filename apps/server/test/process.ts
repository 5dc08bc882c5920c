/** The server as a process of its own, with its log read as it comes. */
import { spawn } from "node:child_process"
import type { SpawnOptions } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"

const main = fileURLToPath(import.meta.resolve("../src/main.ts"))

export type Line = Readonly<Record<string, unknown>>

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Arguments of Node's own. */
  readonly node?: ReadonlyArray<string>
  /** File descriptors from 3 on. */
  readonly descriptors?: ReadonlyArray<number>
  /** Runs a shell script in front: `exec "$@"` starts the server. */
  readonly shell?: string
  /** The server as one file. Default: from its source. */
  readonly file?: string
}

/** Starts `federate-server`. Nothing of ours is handed on: what a test does not set is not set. */
export const start = (args: ReadonlyArray<string>, surroundings: Surroundings = {}) => {
  const { cwd, descriptors = [], env, file, node = [], shell = 'exec "$@"' } = surroundings
  const source = [process.execPath, ...node, "--conditions=@federate/source", "--", main]
  const command = [...(file === undefined ? source : [file]), ...args]
  const stdio = ["ignore", "pipe", "pipe", ...descriptors] as SpawnOptions["stdio"]
  const child = spawn("/bin/sh", ["-c", shell, "sh", ...command], {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env },
    stdio: stdio!
  })
  const log: Array<Line> = []
  let changed = (): void => {}
  let ended = false
  const errors = text(child.stderr!)
  createInterface({ input: child.stdout! })
    .on("line", (line) => {
      log.push(JSON.parse(line) as Line)
      changed()
    })
    .on("close", () => {
      ended = true
      changed()
    })
  const exited = once(child, "exit")

  /** The first line after so many with this message. */
  const told = async (message: string, after = 0): Promise<Line> => {
    for (;;) {
      const line = log.slice(after).find((each) => String(each["message"]).startsWith(message))
      if (line !== undefined) return line
      if (ended) break
      // oxlint-disable-next-line no-await-in-loop -- until the line comes
      await new Promise<void>((resolve) => (changed = resolve))
    }
    throw new Error(`It ended without "${message}": ${await errors}`)
  }

  return {
    child,
    log,
    told,
    /** The lines of its audit. */
    audited: (kind: "handed" | "refused") => log.filter((line) => line["audit"] === kind),
    /** Where it is heard, once it is. */
    origin: async (): Promise<string> => String((await told("ready"))["listen"]),
    /** What became of it. */
    outcome: async () => {
      const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null]
      return { code: code ?? signal, stderr: await errors, log }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL")
      await exited
    }
  }
}
