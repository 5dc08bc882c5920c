/** `federate issuer`: an issuer of one's own, as static files, and the keys that sign for it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Folder from "../issuerFolder.ts"
import type { Issuer } from "../issuerFolder.ts"
import { report } from "../report.ts"
import { word } from "@federate/trust/shell"
import { printDistance, printTime } from "../time.ts"
import { UsageError } from "../UsageError.ts"

const usualFolder = "federate-issuer"

const directory = Flag.String("directory").pipe(
  Flag.withAlias("d"),
  Flag.withMetavar("directory"),
  Flag.withDescription("The issuer's folder"),
  Flag.withDefault(usualFolder)
)

const create = Command.make(
  "create",
  {
    issuer: Argument.String("issuer").pipe(
      Argument.withDescription("Its URL, to the letter: https, where static files can be put")
    ),
    directory,
    algorithm: Flag.Literals("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"]).pipe(
      Flag.withDescription("What the keys sign; every cloud takes RS256"),
      Flag.withDefault("RS256")
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("In the place of one that is there: its keys are gone at once"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(
    function* ({ algorithm, directory: folder, force, issuer }) {
      yield* check(issuer)
      if (!force && (yield* Folder.exists(folder))) {
        return yield* new UsageError({
          problem: `${folder} holds an issuer already`,
          hint: "Exchange its key with federate issuer rotate, or make everything anew with --force."
        })
      }
      yield* Folder.create(folder, { issuer, algorithm })
      const path = yield* Path.Path
      const privateKeyFile = path.join(folder, Folder.signingKey)
      yield* tell([
        `Wrote ${folder}.`,
        publish(folder, issuer),
        `Let the workload sign: a source of type self-signed with issuer ${issuer} and privateKeyFile ${privateKeyFile}.`
      ])
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Make an issuer: a private key (mode 0600), and the discovery document and key set to publish"
  ),
  Command.withExamples([
    {
      command: "federate issuer create https://id.example/federate",
      description: `Into ./${usualFolder}`
    }
  ])
)

const rotate = Command.make(
  "rotate",
  { directory },
  Effect.fn(
    function* ({ directory: folder }) {
      const state = yield* Folder.load(folder)
      const { issuer, keys } = state
      const now = yield* Clock.currentTimeMillis
      const { next, previous } = keys
      if (previous !== undefined && now < previous.publishedUntil)
        return yield* tell(due(folder, state, now))
      if (previous !== undefined) {
        yield* Folder.complete(folder, state)
        return yield* tell([
          `The key ${previous.key.kid} is published no longer: its last token has ended.`,
          publish(folder, issuer)
        ])
      }
      if (next === undefined) {
        const begun = yield* Folder.announce(folder, state, now)
        return yield* tell([
          `Made the key ${begun.next!.key.kid}. It signs nothing yet.`,
          publish(folder, issuer),
          ...due(folder, { ...state, keys: begun }, now)
        ])
      }
      if (now < next.signsFrom) return yield* tell(due(folder, state, now))
      yield* checkPublished(folder, state, next.key)
      const changed = yield* Folder.change(folder, state, next, now)
      return yield* tell([
        `The key ${next.key.kid} signs from now on. Where ${Folder.signingKey} was copied to, copy it again.`,
        ...due(folder, { ...state, keys: changed }, now)
      ])
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Exchange the key, one step at a time: publish a new one, sign with it a day later, drop the old one a day after that"
  ),
  Command.withExamples([
    {
      command: "federate issuer rotate",
      description: "Do the step that is due, or tell when it is"
    }
  ])
)

const show = Command.make(
  "show",
  { directory },
  Effect.fn(
    function* ({ directory: folder }) {
      const state = yield* Folder.load(folder)
      const { issuer, keys } = state
      yield* Console.log(`issuer    ${issuer}\nsigning   ${keys.signing.kid} (${state.algorithm})`)
      yield* tell(due(folder, state, yield* Clock.currentTimeMillis))
    },
    report({ json: false })
  )
).pipe(Command.withDescription("Show the issuer, the key that signs, and what is due next"))

export const issuerCommand = Command.make("issuer").pipe(
  Command.withDescription(
    "An issuer of your own, for workloads that no platform speaks for: static files, and keys that are exchanged without a gap"
  ),
  Command.withSubcommands([create, rotate, show])
)

const tell = (lines: ReadonlyArray<string>) => Console.error(lines.join("\n"))

const publish = (folder: string, issuer: string): string =>
  `Publish what is in ${folder}/${Folder.site}, so that ${issuer.replace(/\/$/, "")}/.well-known/openid-configuration answers with it.`

/** What comes next, and when. */
const due = (folder: string, { keys: { next, previous } }: Issuer, now: number) => {
  const command = `federate issuer rotate${folder === usualFolder ? "" : ` --directory ${word(folder)}`}`
  const [at, what] =
    previous !== undefined
      ? [previous.publishedUntil, `drops the old key ${previous.key.kid}`]
      : next !== undefined
        ? [next.signsFrom, `lets the key ${next.key.kid} sign`]
        : [now, "begins to exchange the key"]
  return [
    at <= now
      ? `Due whenever you like: ${command} ${what}.`
      : `Next: ${command} ${what}, ${printDistance(at, now)}, at ${printTime(at)}.`
  ]
}

/** An issuer that relying parties could fetch from. */
const check = Effect.fnUntraced(function* (issuer: string) {
  const { checkedIssuer } = yield* Effect.promise(() => import("@federate/oidc"))
  yield* Effect.mapError(
    Effect.fromResult(checkedIssuer(issuer)),
    ({ hint, problem }) => new UsageError({ problem: `"${issuer}" as an issuer ${problem}`, hint })
  )
})

/** A key that relying parties cannot find signs nothing. */
const checkPublished = Effect.fnUntraced(function* (
  folder: string,
  { issuer }: Issuer,
  { alg = "", kid = "" }: Issuer["keys"]["signing"]
) {
  const { remoteKeys } = yield* Effect.promise(() => import("@federate/oidc"))
  const keys = yield* remoteKeys({ issuer })
  yield* Effect.mapError(
    keys.find({ alg, kid }),
    ({ message }) =>
      new UsageError({
        problem: `The key ${kid} would sign, and nobody could verify it. ${message}`,
        hint: publish(folder, issuer)
      })
  )
})
