/** `federate credential git`: git's credential helper (https://git-scm.com/docs/git-credential). */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { load } from "../../configFile.ts"
import { inWords } from "../../files.ts"
import { credentialOf, flowIssuing } from "../../flowCredential.ts"
import { flowArgument, scopeFlag } from "../../flowParameters.ts"
import { report } from "../../report.ts"
import { root } from "../../root.ts"
import { UsageError } from "../../UsageError.ts"

/** A host's name, with its port where that is not 443. */
const hostName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/i

/** Before a domain: whatever is in it. */
const wildcard = "*."

export const git = Command.make(
  "git",
  {
    flow: flowArgument,
    operation: Argument.String("operation").pipe(
      Argument.withDescription("What git wants: get; store and erase do nothing")
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription(
        "A host that may have the token, such as dev.azure.com or *.visualstudio.com; over https alone, and no other host gets it; may be repeated"
      ),
      Flag.filter(
        (host) => hostName.test(host.startsWith(wildcard) ? host.slice(wildcard.length) : host),
        () => "a host's name, with :PORT if it has one, or *. before a domain's"
      ),
      Flag.atLeast(1)
    ),
    username: Flag.String("username").pipe(
      Flag.withDescription(
        "The user beside the token; without it the one that git asks for, else oauth2. Most hosts take any"
      ),
      Flag.optional
    ),
    scope: scopeFlag
  },
  Effect.fn(
    function* ({ flow, host, operation, scope, username }) {
      // Git adds operations, and wants silence for those that a helper does not know.
      if (operation !== "get") return
      const asked = yield* read
      // The other helpers are asked then, and at last the user.
      if (!isFor(asked, host)) return
      const { config } = yield* root
      const file = yield* load(Option.getOrUndefined(config))
      const { expiresAt, token } = yield* credentialOf(
        yield* flowIssuing(file, flow, "AccessToken"),
        scope.length === 0 ? {} : { scopes: scope }
      )
      const secret = Redacted.value(token)
      const user = Option.getOrElse(username, () => asked.get("username")?.[0] ?? "oauth2")
      yield* Console.log(
        [
          ...(asked.get("capability[]")?.includes("authtype") === true
            ? ["capability[]=authtype", "authtype=Bearer", `credential=${secret}`, "ephemeral=1"]
            : [`username=${user}`, `password=${secret}`]),
          `password_expiry_utc=${Math.floor(expiresAt / 1000)}`
        ].join("\n")
      )
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Give git a token for hosts that are named, as its credential helper; git runs it, and says what it wants"
  ),
  Command.withExamples([
    {
      command:
        "git config --global credential.https://dev.azure.com.helper '!federate credential git devops --host dev.azure.com'",
      description: "Git adds `get`"
    }
  ])
)

type Attributes = ReadonlyMap<string, ReadonlyArray<string>>

/** `name=value` in lines, up to an empty one; a name may be there several times. */
const read = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  const lines = yield* stdin.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.takeWhile((line) => line !== ""),
    Stream.runCollect,
    Effect.mapError(
      (error) =>
        new UsageError({
          problem: `Standard input cannot be read: ${inWords(error)}`,
          hint: "It is git that writes there what it wants a credential for."
        })
    )
  )
  const attributes = new Map<string, Array<string>>()
  for (const line of lines) {
    const [, name = "", value = ""] = /^(.*?)=(.*)$/.exec(line) ?? []
    attributes.set(name, [...(attributes.get(name) ?? []), value])
  }
  return attributes
})

/** A submodule may name any host: only those that were allowed get a token, and none without TLS. */
const isFor = (asked: Attributes, allowed: ReadonlyArray<string>): boolean => {
  const [host] = asked.get("host") ?? []
  return (
    host !== undefined &&
    hostName.test(host) &&
    asked.get("protocol")?.[0] === "https" &&
    allowed.some((each) => matches(host.toLowerCase(), each.toLowerCase()))
  )
}

const matches = (host: string, allowed: string): boolean =>
  allowed.startsWith(wildcard) ? host.endsWith(allowed.slice(1)) : host === allowed
