/** Reads a credential configuration file of Google's. */
import { readFile } from "node:fs/promises"
import { inConfiguration, Misconfigured } from "@federate/core"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { externalAccount } from "./externalAccount.ts"
import type { ExternalAccount, ExternalAccountOptions } from "./externalAccount.ts"

/** @param adapter who reads it, for errors */
export const readCredentialsFile = (
  adapter: string,
  file: string,
  options: ExternalAccountOptions
): Effect.Effect<ExternalAccount, FederationError> =>
  Effect.tryPromise({
    try: async (signal) => readFile(file, { encoding: "utf8", signal }),
    catch: () => unreadable(file)
  }).pipe(
    Effect.flatMap((text) =>
      // What is no JSON is no document either.
      Effect.fromResult(
        externalAccount(Result.getOrUndefined(Result.try((): unknown => JSON.parse(text))), options)
      )
    ),
    inConfiguration(adapter)
  )

const unreadable = (file: string): Misconfigured =>
  new Misconfigured({
    setting: "credentialsFile",
    problem: `${file} cannot be read`,
    hint: "Name a file that is there and that this process may read."
  })
