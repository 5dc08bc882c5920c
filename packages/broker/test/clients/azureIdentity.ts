/** `azureIdentity.ts CREDENTIAL SCOPE [CLIENT_ID]`: asks a credential of `@azure/identity` for a token. */
import {
  DefaultAzureCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential
} from "@azure/identity"
import { answer } from "./answering.ts"

const [kind = "", scope = "", clientId] = process.argv.slice(2)
// Nobody but the authority at hand is to be asked whether it is one.
const disableInstanceDiscovery = true

const credentials = {
  default: () => new DefaultAzureCredential({ disableInstanceDiscovery }),
  managed: () =>
    clientId === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId }),
  workload: () => new WorkloadIdentityCredential({ disableInstanceDiscovery })
}

const credential = credentials[kind as keyof typeof credentials]() // the tests name these alone
await answer(async () => {
  const { expiresOnTimestamp, token } = await credential.getToken(scope)
  return { token, expiresOn: expiresOnTimestamp / 1000 }
})
