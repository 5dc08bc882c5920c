/** What a flow of the config file brings, for commands that hand on some kinds of credential alone. */
import type { FlowDefinition } from "@federate/config"
import type { AccessToken, AwsCredentials, TokenRequest } from "@federate/core"
import * as Effect from "effect/Effect"
import { flowOf } from "./configFile.ts"
import { UsageError } from "./UsageError.ts"

type Kind = FlowDefinition["issues"]

type Issuing<K extends Kind> = FlowDefinition & { readonly issues: K }

const words: { readonly [K in Kind]: string } = {
  AccessToken: "access tokens",
  Assertion: "assertions",
  AwsCredentials: "AWS credentials"
}

/** Assertions come in the form of tokens. */
export const tokens = ["AccessToken", "Assertion"] as const

/** The flow of that name, when it issues one of these; else which flows do. */
export const flowIssuing = Effect.fnUntraced(function* <K extends Kind>(
  file: { readonly flows: ReadonlyMap<string, FlowDefinition> },
  name: string,
  ...kinds: ReadonlyArray<K>
): Effect.fn.Return<Issuing<K>, UsageError> {
  const fits = (definition: FlowDefinition): definition is Issuing<K> =>
    kinds.some((kind) => kind === definition.issues)
  const definition = yield* flowOf(file, name)
  if (fits(definition)) return definition
  const others = [...file.flows.values()].filter(fits)
  return yield* new UsageError({
    problem: `The flow "${name}" brings ${words[definition.issues]}; ${kinds.map((kind) => words[kind]).join(" or ")} are needed`,
    hint:
      others.length === 0
        ? "No flow of the config file brings them."
        : `Flows that do: ${others.map((flow) => flow.name).join(", ")}.`
  })
})

/** One credential, of a flow that lives no longer. */
export const credentialOf = <K extends Kind>(
  { make }: Issuing<K>,
  request: TokenRequest.TokenRequest = {}
) =>
  make().pipe(
    Effect.flatMap((flow) => flow.credential(request)),
    Effect.scoped,
    // What an adapter says it issues is what it issues.
    Effect.map(
      (credential) => credential as K extends "AwsCredentials" ? AwsCredentials : AccessToken
    )
  )
