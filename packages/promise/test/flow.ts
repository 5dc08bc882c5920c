/** Flows for tests: over the sandbox's first journey, and over sources that are programmed. */
import { assertionFor } from "@federate/testing"
import type { Sandbox } from "@federate/sandbox"
import { Redacted } from "effect"
import { createFlow } from "../src/index.ts"
import { cognito } from "../src/cognito.ts"
import { entra } from "../src/entra.ts"
import { fromFunction } from "../src/index.ts"
import type { FlowOptions } from "../src/index.ts"

export const graphScope = "https://graph.microsoft.com/.default"

/** AWS to Entra. */
export const firstJourney = (
  sandbox: Sandbox.Sandbox,
  options: Omit<FlowOptions, "source"> & {
    readonly clientCapabilities?: ReadonlyArray<string>
  } = {}
) => {
  const { clientCapabilities, ...rest } = options
  const { accessKeyId, secretAccessKey } = sandbox.aws.workload
  return createFlow({
    ...rest,
    source: cognito({
      identityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? "",
      logins: { "my.dev.provider": "my_user_id" },
      endpoint: sandbox.http,
      credentials: { accessKeyId, secretAccessKey }
    }),
    exchanger: entra({
      tenantId: sandbox.entra.tenantId,
      clientId: sandbox.entra.clientId ?? "",
      authorityHost: sandbox.http,
      clientCapabilities
    })
  })
}

/** A source that gives what a plain issuer of the sandbox says of `workload`, and counts. */
export const issued = (sandbox: Sandbox.Sandbox, fixedAudience?: string) => {
  const asked: Array<{ readonly audience?: string; readonly preferredAudience?: string }> = []
  const source = fromFunction("issued", ({ audience, preferredAudience }) => {
    asked.push({
      ...(audience !== undefined && { audience }),
      ...(preferredAudience !== undefined && { preferredAudience })
    })
    return sandbox.issueToken("workload", {
      subject: "workload",
      audience: fixedAudience ?? audience ?? preferredAudience ?? "nobody"
    })
  })
  return { source, asked }
}

/** A flow that hands out assertions of its own, each another one, for the given number of seconds. */
export const counting = (life = 3600) => {
  let count = 0
  const source = fromFunction("counting", () => {
    count += 1
    return Redacted.value(
      assertionFor(`workload-${count}`, { lifetime: life * 1000 } as never).token
    )
  })
  return { flow: createFlow({ name: "counting", source }), count: () => count }
}
