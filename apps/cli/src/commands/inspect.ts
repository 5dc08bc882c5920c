/** `federate inspect`: what a JWT says. */
import { Assertion } from "@federate/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import { piped } from "../piped.ts"
import { report, Stopped } from "../report.ts"
import { table } from "../table.ts"
import type { Verdict } from "../table.ts"
import { UsageError } from "../UsageError.ts"

export const inspect = Command.make(
  "inspect",
  {
    jwt: Argument.String("jwt").pipe(
      Argument.withDescription(
        "The token, or - for standard input, which keeps it out of the shell's history"
      ),
      Argument.optional
    ),
    verify: Flag.Boolean("verify").pipe(
      Flag.withDescription("Fetch the issuer's keys and check the signature and the times"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print header, claims and the check as JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ json, jwt, verify }) {
    yield* Effect.gen(function* () {
      const token = Redacted.make(yield* read(Option.getOrUndefined(jwt)))
      const decoded = Assertion.fromJwt(token, { obtainedAt: 0 })
      if (Result.isFailure(decoded)) {
        return yield* new UsageError({
          problem: decoded.failure.detail,
          hint: "A JWT is three parts of base64url, divided by dots; an opaque or encrypted token cannot be read."
        })
      }
      const check = verify ? yield* verdict(token, decoded.success.issuer) : undefined
      yield* Console.log(
        json
          ? asJson(decoded.success, check)
          : table(decoded.success, check, yield* Clock.currentTimeMillis)
      )
      if (check !== undefined && !check.valid) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription("Show what a JWT says: header and claims as a table, times as dates"),
  Command.withExamples([
    {
      command: "federate token graph | federate inspect",
      description: "The token that a flow brings"
    },
    {
      command: "federate inspect - --verify < token.jwt",
      description: "Check the signature against the issuer's keys"
    }
  ])
)

/** The token, from where it was said to be; as it stands in a header, too. */
const read = Effect.fnUntraced(function* (given: string | undefined) {
  const { stdinIsTerminal } = yield* Stdio.Stdio
  const isPiped = given === undefined || given === "-"
  if (given === undefined && (yield* stdinIsTerminal)) {
    return yield* new UsageError({
      problem: "There is no token to look at",
      hint: "Name it, or pipe it in."
    })
  }
  const token = (isPiped ? yield* piped(2 * Assertion.maximumSize) : given)
    .trim()
    .replace(/^bearer\s+/i, "")
  if (token === "" && isPiped) {
    return yield* new UsageError({
      problem: "There is no token to look at: standard input is empty",
      hint: "If a command feeds it, see why that failed."
    })
  }
  if (token.length > Assertion.maximumSize) {
    return yield* new UsageError({
      problem: `The token is over ${Assertion.maximumSize} characters long`,
      hint: "Platforms' tokens are far smaller: see that nothing else is piped in."
    })
  }
  return token
})

const verdict = Effect.fnUntraced(function* (token: Redacted.Redacted, issuer: string | undefined) {
  if (issuer === undefined) {
    return {
      valid: false,
      detail: "issuer: the token has no iss, so nobody can tell whose keys to fetch"
    }
  }
  const { algorithms, remoteKeys, verify } = yield* Effect.promise(() => import("@federate/oidc"))
  const keys = yield* remoteKeys({ issuer })
  return yield* verify(token, { keys, algorithms, issuer }).pipe(
    Effect.map((): Verdict => ({ valid: true, detail: `by a key of ${issuer}, within its time` })),
    Effect.catchTag("VerificationError", ({ message }) =>
      Effect.succeed<Verdict>({ valid: false, detail: message })
    )
  )
})

const asJson = (
  { claims, header }: Pick<Assertion.Assertion, "claims" | "header">,
  check: Verdict | undefined
): string =>
  JSON.stringify(
    { header, claims, ...(check !== undefined && { verified: check.valid, detail: check.detail }) },
    null,
    2
  )
