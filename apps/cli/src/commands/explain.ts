/** `federate explain`: what is wrong, from what a person pastes, without a call. */
import { Assertion } from "@federate/core"
import type { Explanation, Pasted } from "@federate/trust"
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
import { explanation } from "../explanation.ts"
import { maximumSize, printing, readPasted, readRecords } from "../pastedFile.ts"
import { piped } from "../piped.ts"
import { report, Stopped } from "../report.ts"
import { UsageError } from "../UsageError.ts"

export const explain = Command.make(
  "explain",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription(
        "A file with a token, a trust record, an error's text, or any of them together; - for standard input"
      ),
      Argument.optional
    ),
    trust: Flag.String("trust").pipe(
      Flag.withDescription("A file with the trust record, as the other side's own tool prints it"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the findings as JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ file, json, trust }) {
    yield* Effect.gen(function* () {
      const {
        explain: explained,
        opaque,
        pasted
      } = yield* Effect.promise(() => import("@federate/trust"))
      const given = pasted(yield* read(Option.getOrUndefined(file)))
      const record = Option.isSome(trust) ? yield* readRecords(trust.value) : pasted("")
      const { relyingParties } = yield* Effect.promise(() => import("../relyingParties.ts"))
      const found = explained(
        {
          assertion: yield* decoded(given, record),
          documents: [...given.documents, ...record.documents],
          text: given.text,
          now: yield* Clock.currentTimeMillis
        },
        relyingParties
      )
      if (found.findings.length === 0) return yield* nothing(opaque(given.text))
      yield* Console.log(json ? JSON.stringify(found, null, 2) : explanation(found).join("\n"))
      if (isWrong(found)) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Say what is wrong between a token, a trust record and an error, offline, from what you paste"
  ),
  Command.withExamples([
    {
      command: "federate explain error.txt",
      description: "What an error's text means, and what to compare"
    },
    {
      command: "federate explain token.jwt --trust federated-credential.json",
      description: "The two side by side, claim by claim"
    },
    {
      command:
        "az ad app federated-credential list --id $APP | federate explain token.jwt --trust /dev/stdin",
      description: "The same, against what is there now"
    }
  ])
)

const nothing = (kind: string | undefined) =>
  new UsageError({
    problem:
      kind === undefined
        ? "There is nothing in it that can be explained"
        : `It holds ${kind}, which tells nothing to who reads it`,
    hint: `It must hold a JWT, a trust record or an error's text with its code (AADSTS…, InvalidIdentityToken, invalid_grant, …). ${printing}`
  })

const isWrong = ({ findings }: Explanation): boolean =>
  findings.some(({ verdict }) => verdict === "wrong")

/** The first token that can be read. */
const decoded = Effect.fnUntraced(function* (...sources: ReadonlyArray<Pasted>) {
  const [token] = sources.flatMap(({ tokens }) => tokens)
  if (token === undefined) return undefined
  const assertion = Assertion.fromJwt(Redacted.make(token), { obtainedAt: 0 })
  if (Result.isSuccess(assertion)) return assertion.success
  return yield* new UsageError({
    problem: assertion.failure.detail,
    hint:
      token.split(".").length === 5
        ? "It is encrypted (JWE): only whom it is for can read it. Paste the assertion that the platform signs, or the error's text."
        : "Paste the whole token, as `federate token` or the platform printed it."
  })
})

const read = Effect.fnUntraced(function* (file: string | undefined) {
  if (file !== undefined && file !== "-") return yield* readPasted(file)
  const { stdinIsTerminal } = yield* Stdio.Stdio
  if (file === undefined && (yield* stdinIsTerminal)) {
    return yield* new UsageError({
      problem: "There is nothing to explain",
      hint: "Name a file, or pipe something in."
    })
  }
  return yield* piped(maximumSize)
})
