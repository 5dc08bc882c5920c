/** Lists an application by `DefaultAzureCredential`, as it is made in an application, and prints how many came. */
import { DefaultAzureCredential } from "@azure/identity"

const { GRAPH_BASE_URL } = process.env
// Nobody but the authority at hand is to be asked whether it is one.
const credential = new DefaultAzureCredential({ disableInstanceDiscovery: true })
const { token } = await credential.getToken("https://graph.microsoft.com/.default")
const response = await fetch(`${GRAPH_BASE_URL}/v1.0/applications?$top=1`, {
  headers: { authorization: `Bearer ${token}` }
})
console.log(JSON.stringify({ status: response.status, ...Object(await response.json()) }))
