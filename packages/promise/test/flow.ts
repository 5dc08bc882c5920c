/** Flows for tests: over the sandbox's first journey, and over sources that are programmed. */
import { Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { assertionFor } from "@federate/testing"
import { assert } from "@effect/vitest"
import { Redacted } from "effect"
import { afterAll, beforeAll } from "vitest"
import { cognito } from "../src/cognito.ts"
import { entra } from "../src/entra.ts"
import { createFlow, FederationError, fromFunction } from "../src/index.ts"
import type { AssertionRequest, FlowOptions } from "../src/index.ts"

export const graphScope = "https://graph.microsoft.com/.default"

/** One sandbox for all tests of the file, whose certificate this process trusts meanwhile. */
export const running = (options?: Options): (() => Sandbox.Sandbox) => {
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  let undo = () => {}
  beforeAll(async () => {
    sandbox = await Sandbox.start(options)
    undo = sandbox.trust()
  })
  afterAll(async () => {
    undo()
    await sandbox?.[Symbol.asyncDispose]()
  })
  return () => {
    assert.isDefined(sandbox)
    return sandbox
  }
}

export interface JourneyOptions extends Omit<FlowOptions, "source"> {
  readonly clientCapabilities?: ReadonlyArray<string>
  /** The developer's name for the workload; a pool's role lets one in. */
  readonly userId?: string
}

/** AWS to Entra. */
export const firstJourney = (
  { aws, entra: directory, env, http }: Sandbox.Sandbox,
  { clientCapabilities, userId = "my_user_id", ...options }: JourneyOptions = {}
) =>
  createFlow({
    ...options,
    source: cognito({
      identityPoolId: env["COGNITO_IDENTITY_POOL_ID"] ?? "",
      logins: { "my.dev.provider": userId },
      endpoint: http,
      credentials: {
        accessKeyId: aws.workload.accessKeyId,
        secretAccessKey: aws.workload.secretAccessKey
      }
    }),
    exchanger: entra({
      tenantId: directory.tenantId,
      clientId: directory.clientId ?? "",
      authorityHost: http,
      clientCapabilities
    })
  })

/** A source that gives what a plain issuer of the sandbox says of `workload`, and remembers what it was asked. */
export const issued = (sandbox: Sandbox.Sandbox) => {
  const asked: Array<AssertionRequest> = []
  const source = fromFunction("issued", (request) => {
    asked.push(request)
    return sandbox.issueToken("workload", {
      subject: "workload",
      audience: request.audience ?? request.preferredAudience ?? "nobody"
    })
  })
  return { source, asked }
}

/** A JWT that lives from now on for so many seconds. */
export const jwt = (
  subject: string,
  { life = 3600, ...claims }: Readonly<Record<string, unknown>> & { readonly life?: number } = {}
): string => {
  const now = Math.floor(Date.now() / 1000)
  const assertion = assertionFor(subject, now * 1000, { iat: now, exp: now + life, ...claims })
  return Redacted.value(assertion.token)
}

/** What a JWT says. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  // An object, where it was made.
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Readonly<
    Record<string, unknown>
  >

/** A flow that hands out assertions of its own, each another one, and how many it has made. */
export const counting = ({
  life,
  ...options
}: Omit<FlowOptions, "source"> & { life?: number } = {}) => {
  const made = { count: 0 }
  const source = fromFunction("counting", () =>
    jwt(`workload-${++made.count}`, { ...(life && { life }) })
  )
  return { flow: createFlow({ name: "counting", ...options, source }), made }
}

/** What a call rejects with, or a function throws: an error of this package. */
export const failure = async (
  call: Promise<unknown> | (() => unknown)
): Promise<FederationError> => {
  const error: unknown = await (typeof call === "function" ? (async () => call())() : call).then(
    () => undefined,
    (reason: unknown) => reason
  )
  assert.instanceOf(error, FederationError)
  return error
}
