/** Lists the models of an AI service: an AWS Lambda with no API key. */
import { source } from "@federate/aws"
import { Flow } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { tokenExchange } from "@federate/oidc"
import { Effect, Redacted, Scope } from "effect"

// What is left empty is told by name, with the fix, when the flow is made.
const {
  OPENAI_IDENTITY_PROVIDER_ID = "",
  OPENAI_SERVICE_ACCOUNT_ID = "",
  OPENAI_AUDIENCE = "https://api.openai.com/v1",
  OPENAI_TOKEN_URL = "https://auth.openai.com/oauth/token",
  OPENAI_BASE_URL = "https://api.openai.com/v1"
} = process.env

const makeFlow = Effect.gen(function* () {
  return yield* Flow.make({
    // A JWT about the Lambda's role, for one exchange.
    source: yield* source({ duration: "1 minute" }),
    exchanger: yield* tokenExchange({
      service: "openai",
      tokenEndpoint: OPENAI_TOKEN_URL,
      parameters: {
        identity_provider_id: OPENAI_IDENTITY_PROVIDER_ID,
        service_account_id: OPENAI_SERVICE_ACCOUNT_ID
      },
      assertionAudience: OPENAI_AUDIENCE,
      algorithms: ["RS256"]
    })
  })
})

// Once for all invocations, in a scope that nobody closes: the token that it remembers lives as long as the process.
const flow = await Effect.runPromise(Scope.provide(makeFlow, Scope.makeUnsafe()))

export const handler = async () => {
  const credential = await Effect.runPromise(flow.credential())
  let response = await list(credential)
  if (response.status === 401) {
    // Refused before its time, revoked perhaps: one fresh token, one more try.
    response = await list(await Effect.runPromise(flow.credential({ rejected: credential })))
  }
  if (!response.ok) throw new Error(`The service answered ${response.status}`)
  // The service documents this much of its answer.
  return ((await response.json()) as Models).data.map(({ id }) => id)
}

interface Models {
  readonly data: ReadonlyArray<{ readonly id: string }>
}

const list = ({ token, tokenType }: AccessToken) =>
  fetch(`${OPENAI_BASE_URL}/models`, {
    headers: { authorization: `${tokenType} ${Redacted.value(token)}` },
    signal: AbortSignal.timeout(10_000)
  })
