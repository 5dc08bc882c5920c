/** A program as an assertion source: one that prints a JWT, or answers by the protocol of Google's executables. */
import { Assertion, AssertionSource, configured, Misconfigured } from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { readExecutableAnswer, run, timeLimit } from "@federate/local"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { audienceFor, chosenAudience } from "./audience.ts"
import { fit } from "./fit.ts"

export interface ExecutableOptions {
  /** The program's absolute path and its arguments. In these `{audience}` stands for whom the assertion is to be for. */
  readonly command: ReadonlyArray<string>
  /** Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers. */
  readonly audience?: string | undefined
  /** From 5 s to 120 s. Default 30 s; the flow's attempts end sooner unless they are told otherwise. */
  readonly timeout?: Duration.Input | undefined
}

const name = "executable"
const setting = "command"
const placeholder = "{audience}"

/**
 * Runs the program each time, without a shell, and takes what it prints: at most 64 KiB, either the JWT alone or an object
 * of version 1 of Google's protocol (https://google.aip.dev/auth/4117#executable-sourced-credentials), which can also say
 * no. It is told for whom by `{audience}` and by `GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE`. It and all that it has started are
 * killed when it takes too long or nobody waits any more.
 */
export const executable = Effect.fnUntraced(function* ({
  audience,
  command,
  timeout
}: ExecutableOptions): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { args, limit, path } = yield* configured(name, checked(command, timeout))
  const isTold = args.some((arg) => arg.includes(placeholder))
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const wanted = isTold
        ? yield* Effect.fromResult(audienceFor(request, audience))
        : chosenAudience(request, audience)
      const obtainedAt = yield* Clock.currentTimeMillis
      const printed = yield* run({
        setting,
        path,
        args: args.map((arg) => arg.replaceAll(placeholder, () => wanted ?? "")),
        env: {
          GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: "urn:ietf:params:oauth:token-type:jwt",
          GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
          ...(wanted !== undefined && { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: wanted })
        },
        timeout: limit
      })
      const token = Redacted.value(printed).startsWith("{")
        ? yield* Effect.fromResult(
            readExecutableAnswer(printed, {
              now: yield* Clock.currentTimeMillis,
              ends: false,
              hint: `The program itself says no: run ${path} by hand.`
            })
          )
        : printed
      return yield* Effect.fromResult(
        // By our clock: nobody says when the program got it.
        Result.flatMap(Assertion.fromJwt(token, { obtainedAt }), (assertion) =>
          fit(request, assertion, {
            setting,
            place: `what ${path} prints`,
            audience: () =>
              `Let the program print a token for whom it is told: by ${placeholder} in its arguments, or GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE.`,
            renewal: "Let the program get a new one, or mend this machine's clock."
          })
        )
      )
    })
  })
})

const checked = ([path, ...args]: ReadonlyArray<string>, timeout: Duration.Input = "30 seconds") =>
  Result.gen(function* () {
    const limit = yield* timeLimit("timeout", timeout)
    return path?.startsWith("/") === true
      ? { path, args, limit }
      : yield* Result.fail(
          new Misconfigured({
            setting,
            problem: "does not begin with an absolute path",
            hint: "Write the program's full path first, and each of its arguments as an item of its own."
          })
        )
  })
