/** `type: executable` in a config file. */
import { configured } from "@federate/core"
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { executablesAllowed } from "@federate/local"
import { DurationFromText } from "@federate/schema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { executable } from "./executable.ts"
import { audience } from "./settings.ts"

const config = Schema.Struct({
  command: Schema.Array(Schema.String).annotate({
    description:
      "The program's absolute path and its arguments; in these {audience} stands for whom the assertion is to be for"
  }),
  audience,
  timeout: Schema.optionalKey(
    DurationFromText("How long it may take, from 5 s to 120 s; 30 s without it")
  )
})

export const executableAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> =
  {
    type: "executable",
    description: "A program that prints a token, or answers as Google's executables do",
    metered: false,
    config,
    make: Effect.fnUntraced(function* (settings, { environment }) {
      yield* configured("executable", executablesAllowed("command", environment))
      return yield* executable(settings)
    })
  }
