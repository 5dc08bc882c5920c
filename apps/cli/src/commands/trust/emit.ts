/** `federate trust emit`: both halves of a flow's trust as code, for who may not make them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { flowArgument } from "../../flowParameters.ts"
import { report } from "../../report.ts"
import { root } from "../../root.ts"
import { open } from "../../trustSetUp.ts"

/** As `languages` of `@federate/trust` has them: that is loaded only when it is needed. */
const languages = ["terraform", "cloudformation", "cdk", "aws-cli", "az", "gcloud"] as const

export const emit = Command.make(
  "emit",
  {
    flow: flowArgument,
    language: Flag.Literals("as", languages).pipe(
      Flag.withDescription("In which language, or for which tool")
    )
  },
  Effect.fn(function* ({ flow, language }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { definition, parts } = yield* open(config, {
        flow,
        adminFlow: Option.none(),
        adminTokenCommand: Option.none()
      })
      const { emit: written } = yield* Effect.promise(() => import("@federate/trust"))
      const { writers } = yield* Effect.promise(() => import("../../trustWriters.ts"))
      const { known } = definition
      const learns = definition.learns.map(({ setting }) => setting)
      const code = yield* written({ flow, parts, known, learns, writers }, language)
      yield* Console.log(code.trimEnd())
    }).pipe(report({ json: false }))
  })
).pipe(
  Command.withDescription(
    "Write what `apply` would make as code, for those who may not: nothing is called"
  ),
  Command.withExamples([
    {
      command: "federate trust emit graph --as terraform",
      description: "Both halves, for Terraform"
    },
    { command: "federate trust emit graph --as az", description: "Entra's half, as a script" }
  ])
)
