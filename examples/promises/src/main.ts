import { createFlow, toFetch } from "@federate/promise"
import { cognito } from "@federate/promise/cognito"
import { entra } from "@federate/promise/entra"

const { COGNITO_IDENTITY_POOL_ID = "", AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "" } = process.env
const { AZURE_AUTHORITY_HOST, GRAPH_BASE_URL = "https://graph.microsoft.com" } = process.env

const flow = createFlow({
  source: cognito({
    identityPoolId: COGNITO_IDENTITY_POOL_ID,
    logins: { "my.dev.provider": "my_user_id" }
  }),
  exchanger: entra({
    tenantId: AZURE_TENANT_ID,
    clientId: AZURE_CLIENT_ID,
    authorityHost: AZURE_AUTHORITY_HOST
  })
})
const graph = toFetch(flow, {
  origins: [GRAPH_BASE_URL],
  scopes: "https://graph.microsoft.com/.default"
})

const response = await graph(`${GRAPH_BASE_URL}/v1.0/applications?$select=displayName`)
console.log(await response.json())
