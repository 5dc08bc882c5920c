/** The token by which the other side's trust is read: a command's, another flow's, or the flow's own. */
import { execFile } from "node:child_process"
import type { FlowDefinition } from "@federate/config"
import { FederationError, Misconfigured } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { credentialOf } from "./flowCredential.ts"

export type AccessTokenFlow = FlowDefinition & { readonly issues: "AccessToken" }

/** What a shell command prints on standard output. What it prints on standard error is seen by whoever sits there. */
export const fromCommand = (command: string): Effect.Effect<Redacted.Redacted, FederationError> =>
  Effect.callback((resume, signal) => {
    const child = execFile(
      "/bin/sh",
      ["-c", command],
      { maxBuffer: 64 * 1024, signal },
      (error, stdout) => {
        const token = stdout.trim()
        resume(
          error === null && /^[\x21-\x7e]+$/.test(token)
            ? Effect.succeed(Redacted.make(token))
            : Effect.fail(
                failed(
                  error === null
                    ? "did not print a token and nothing else"
                    : `ended with ${error.code ?? error.signal ?? "an error"}`
                )
              )
        )
      }
    )
    child.stderr?.pipe(process.stderr)
  })

const failed = (problem: string) =>
  new FederationError({
    adapter: "federate",
    stage: "configuration",
    reason: new Misconfigured({
      setting: "--admin-token-command",
      problem,
      hint: "Try it by hand: it must print an access token on standard output."
    })
  })

/** Another flow's token, for the API that keeps the trust. */
export const fromFlow = (flow: AccessTokenFlow, scope: string) =>
  Effect.map(credentialOf(flow, { scopes: [scope] }), ({ token }) => token)

/** The flow's own, if it is for that API and can be had at all: what is ill cannot always tell. */
export const own = (
  flow: FlowDefinition,
  scope: string
): Effect.Effect<Redacted.Redacted | undefined> =>
  flow.issues === "AccessToken" && flow.scopes?.includes(scope) === true
    ? Effect.orElseSucceed(fromFlow(flow as AccessTokenFlow, scope), () => undefined)
    : Effect.undefined
