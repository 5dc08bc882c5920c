import { IAMClient } from "@aws-sdk/client-iam"
import type { Sandbox } from "@federate/sandbox"
import { afterSigning, configuration, tampering } from "./aws.ts"
import type { ClientOptions } from "./aws.ts"

export const iamClient = (sandbox: Sandbox.Sandbox, options: ClientOptions = {}) => {
  const client = new IAMClient(configuration(sandbox, options))
  if (options.tamper) client.middlewareStack.add(tampering(options.tamper), afterSigning)
  return client
}
