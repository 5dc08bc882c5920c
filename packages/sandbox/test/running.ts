/** A sandbox for a file's tests, and clients of it that nobody here wrote. */
import {
  CognitoIdentityClient,
  GetOpenIdTokenForDeveloperIdentityCommand
} from "@aws-sdk/client-cognito-identity"
import { IAMClient } from "@aws-sdk/client-iam"
import { Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { assert } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"

/** One sandbox for all tests of the file, running from before the first until after the last. */
export const running = (options?: Options): (() => Sandbox.Sandbox) => {
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  beforeAll(async () => {
    sandbox = await Sandbox.start(options)
  })
  afterAll(() => sandbox?.[Symbol.asyncDispose]())
  return () => {
    assert.isDefined(sandbox)
    return sandbox
  }
}

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

const configuration = ({ aws, http }: Sandbox.Sandbox, options: ClientOptions) => ({
  endpoint: http,
  region: options.region ?? aws.region,
  credentials: options.keys ?? aws.admin,
  systemClockOffset: options.clock ?? 0,
  maxAttempts: 1
})

/** A middleware for the last step before the wire, after the signature. */
const tampering =
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

const afterSigning = { step: "deserialize", priority: "low" } as const

export const cognitoClient = (sandbox: Sandbox.Sandbox, options: ClientOptions = {}) => {
  const client = new CognitoIdentityClient(configuration(sandbox, options))
  if (options.tamper) client.middlewareStack.add(tampering(options.tamper), afterSigning)
  return client
}

export const iamClient = (sandbox: Sandbox.Sandbox, options: ClientOptions = {}) => {
  const client = new IAMClient(configuration(sandbox, options))
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

/** A JSON document, which must be there. */
export const read = async <A>(url: string, init: RequestInit = {}): Promise<A> => {
  const response = await fetch(url, init)
  assert.strictEqual(response.status, 200)
  // The test that asks says what it expects, and fails on anything else.
  return (await response.json()) as A
}

/** Graph with the administrator's token, or another. */
export const graph = (sandbox: Sandbox.Sandbox, bearer = sandbox.entra.adminToken) => {
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ) =>
    fetch(`${sandbox.http}/v1.0/${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
  const json = async (status: number, call: Promise<Response>) => {
    const response = await call
    const text = await response.text()
    assert.strictEqual(response.status, status, text)
    // Graph's objects; the test that asks says which properties it expects.
    return (text === "" ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>
  }
  return {
    send,
    get: (path: string) => json(200, send("GET", path)),
    create: (path: string, body: unknown) => json(201, send("POST", path, body)),
    patch: (path: string, body: unknown) => json(204, send("PATCH", path, body)),
    remove: (path: string) => json(204, send("DELETE", path)),
    /** Graph's code and text for a call that it refuses. */
    refused: async (status: number, ...call: Parameters<typeof send>) => {
      const { error } = await json(status, send(...call))
      assert.hasAllKeys(error, ["code", "message", "innerError"])
      return error as { readonly code: string; readonly message: string }
    }
  }
}
