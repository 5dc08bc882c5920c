/** The variables that clients need, in a file that shells, systemd and containers read alike. */
import { removeFile, replaceFile } from "@federate/broker"
import { FederationError, Misconfigured } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"

export type Variables = Readonly<Record<string, Redacted.Redacted>>

/**
 * What means the same to a shell (`set -a; . FILE`), to systemd's `EnvironmentFile=`, which unquotes, and to `docker
 * --env-file`, which does not: nothing that anyone would quote.
 */
const plain = /^[\w.,:@%+=/[\]-]*$/

/** The file's writer: `NAME=value` lines, mode 0600, replaced whole, and removed when the scope closes. */
export const envFile = (
  path: string
): Effect.Effect<
  (variables: Variables) => Effect.Effect<void, FederationError>,
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    let written: string | undefined
    yield* Effect.addFinalizer(() =>
      written === undefined ? Effect.void : removeFile(path, written)
    )
    return Effect.fnUntraced(function* (variables: Variables) {
      const values = Object.entries(variables).map(
        ([name, value]) => [name, Redacted.value(value)] as const
      )
      const odd = values.find(([, value]) => !plain.test(value))
      if (odd !== undefined) {
        return yield* new FederationError({
          adapter: "broker",
          stage: "configuration",
          reason: new Misconfigured({
            setting: "--env-file",
            problem: `${odd[0]} holds a character that not every reader of the file takes as it is`,
            hint: "Take a value of letters, digits and . , : @ % + = / [ ] - _, or leave --env-file out."
          })
        })
      }
      const text = values.map(([name, value]) => `${name}=${value}\n`).join("")
      if (text === written) return
      yield* replaceFile(path, text, "--env-file")
      written = text
    })
  })
