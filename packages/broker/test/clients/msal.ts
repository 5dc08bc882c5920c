/** `msal.ts RESOURCE [CLIENT_ID]`: asks `@azure/msal-node` for a managed identity's token. */
import { ManagedIdentityApplication } from "@azure/msal-node"
import { answer } from "./answering.ts"

const [resource = "", userAssignedClientId] = process.argv.slice(2)

const application = new ManagedIdentityApplication(
  userAssignedClientId === undefined ? {} : { managedIdentityIdParams: { userAssignedClientId } }
)
await answer(async () => {
  const { accessToken, expiresOn, fromCache } = await application.acquireToken({ resource })
  return { token: accessToken, expiresOn: (expiresOn?.getTime() ?? 0) / 1000, fromCache }
})
