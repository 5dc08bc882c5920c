/** A script that `federate trust emit` wrote, run with the very tool that it is for, against the sandbox. */
import { execFile } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { Effect } from "effect"
import { folder } from "./folder.ts"

/** What is the tool's own: the words that run it here, and its variables. */
export interface Tool {
  readonly name: string
  readonly runs: string
  readonly variables: Readonly<Record<string, string>>
}

/** What it prints, line by line. */
export const scripted = (
  { name, runs, variables }: Tool,
  script: string,
  inputs: Readonly<Record<string, string>> = {}
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    const home = folder()
    writeFileSync(join(home, name), `#!/bin/sh\n${runs}\n`, { mode: 0o755 })
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", script], {
      env: { PATH: `${home}:/usr/bin:/bin`, HOME: home, ...variables, ...inputs }
    })
    return stdout.trim().split("\n")
  })

/** Debian's knows no variable for its endpoint, and still demands thumbprints. */
export const awsCli = (
  endpoint: string,
  region: string,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
): Tool => ({
  name: "aws",
  runs: `case "$2" in create-open-id-connect-provider) set -- "$@" --thumbprint-list ${"0".repeat(40)} ;; esac
exec /usr/bin/aws --endpoint-url ${endpoint} "$@"`,
  variables: {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey
  }
})
