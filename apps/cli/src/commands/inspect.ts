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
import { text } from "node:stream/consumers"
import { claimMeanings, headerMeanings, timeClaims } from "../claims.ts"
import { report, Stopped } from "../report.ts"
import { out } from "../style.ts"
import { printDistance, printTime } from "../time.ts"
import { UsageError } from "../UsageError.ts"

export const inspect = Command.make(
  "inspect",
  {
    jwt: Argument.String("jwt").pipe(
      Argument.withDescription(
        "The token, or - for standard input, which keeps it out of the process list"
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
          hint: "A JWT is three parts of base64url, divided by dots; an opaque token cannot be read."
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

/** The token, from where it was said to be. */
const read = Effect.fnUntraced(function* (given: string | undefined) {
  if (given !== undefined && given !== "-") return given.trim()
  if (given === undefined && process.stdin.isTTY) {
    return yield* new UsageError({
      problem: "There is no token to look at",
      hint: "Name it, or pipe it in."
    })
  }
  return (yield* Effect.promise(() => text(process.stdin))).trim()
})

interface Verdict {
  readonly valid: boolean
  readonly detail: string
}

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

const asJson = ({ claims, header }: Assertion.Assertion, check: Verdict | undefined): string =>
  JSON.stringify(
    { header, claims, ...(check !== undefined && { verified: check.valid, detail: check.detail }) },
    null,
    2
  )

const dim = out("dim")
const bold = out("bold")

const table = (
  { claims, header }: Assertion.Assertion,
  check: Verdict | undefined,
  now: number
): string =>
  [
    bold("Header"),
    ...rows(header, headerMeanings, now),
    bold("Claims"),
    ...rows(claims, claimMeanings, now),
    bold("Signature"),
    check === undefined
      ? `  not checked ${dim("(--verify fetches the issuer's keys and checks it)")}`
      : check.valid
        ? `  ${out("green")("✓ valid")}: ${check.detail}`
        : `  ${out("red")("✗ not valid")}: ${check.detail}`
  ].join("\n")

/** No column is wider, so that one long name does not push the others away. */
const widestName = 16

const rows = (
  members: Readonly<Record<string, unknown>>,
  meanings: Readonly<Record<string, string>>,
  now: number
): ReadonlyArray<string> => {
  const width = Math.min(
    widestName,
    Math.max(0, ...Object.keys(members).map((name) => name.length))
  )
  return Object.entries(members).map(([name, value]) => {
    const meaning = Object.hasOwn(meanings, name) ? `  ${dim(`— ${meanings[name]}`)}` : ""
    return `  ${name.padEnd(width)}  ${print(name, value, now)}${meaning}`
  })
}

const print = (name: string, value: unknown, now: number): string => {
  if (timeClaims.has(name) && typeof value === "number") {
    return `${printTime(value * 1000)} (${printDistance(value * 1000, now)})`
  }
  const shown = typeof value === "string" ? value : JSON.stringify(value)
  // A token may hold anything; a terminal obeys control characters.
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return shown.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�")
}
