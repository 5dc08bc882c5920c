/** AWS's own clients, pointed at a sandbox. */
import {
  CognitoIdentityClient,
  GetOpenIdTokenForDeveloperIdentityCommand
} from "@aws-sdk/client-cognito-identity"
import type { Sandbox } from "@federate/sandbox"
import { assert } from "@effect/vitest"

export interface ClientOptions {
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly region?: string
  /** Milliseconds by which the client's clock is wrong. */
  readonly clock?: number
  /** What happens to a request after it was signed. */
  readonly tamper?: (request: RawRequest) => void
}

export interface RawRequest {
  body: string
  readonly headers: Record<string, string>
}

export const configuration = ({ aws, http }: Sandbox.Sandbox, options: ClientOptions) => ({
  endpoint: http,
  region: options.region ?? aws.region,
  credentials: options.keys ?? aws.admin,
  systemClockOffset: options.clock ?? 0,
  maxAttempts: 1
})

/** A middleware for the last step before the wire, after the signature. */
export const tampering =
  (tamper: (request: RawRequest) => void) =>
  <A extends { readonly request: unknown }, R>(next: (args: A) => R) =>
  (args: A): R => {
    // AWS types the request as unknown; by this step it has a body and headers.
    const request = args.request as { body: string | Uint8Array; headers: Record<string, string> }
    const { body, headers } = request
    const raw = { body: typeof body === "string" ? body : new TextDecoder().decode(body), headers }
    tamper(raw)
    request.body = raw.body
    return next(args)
  }

export const afterSigning = { step: "deserialize", priority: "low" } as const

export const cognitoClient = (sandbox: Sandbox.Sandbox, options: ClientOptions = {}) => {
  const client = new CognitoIdentityClient(configuration(sandbox, options))
  if (options.tamper) client.middlewareStack.add(tampering(options.tamper), afterSigning)
  return client
}

/** How AWS refused: the exception's name, its text and the HTTP status. */
export const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason
  )
  assert.instanceOf(error, Error)
  const status =
    "$metadata" in error && typeof error.$metadata === "object" && error.$metadata !== null
      ? Object.entries(error.$metadata).find(([name]) => name === "httpStatusCode")?.[1]
      : undefined
  return { name: error.name, message: error.message, status }
}

/** The developer's token of the first journey's workload. */
export const token = async (sandbox: Sandbox.Sandbox): Promise<string> => {
  const { Token } = await cognitoClient(sandbox, { keys: sandbox.aws.workload }).send(
    new GetOpenIdTokenForDeveloperIdentityCommand({
      IdentityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"],
      Logins: { "my.dev.provider": "my_user_id" }
    })
  )
  assert.isDefined(Token)
  return Token
}
