/** `google.ts access|identity|facts ARGUMENT`: asks `google-auth-library`, by whatever its surroundings lead it to. */
import { GoogleAuth } from "google-auth-library"
import { answer } from "./answering.ts"

const [kind = "", argument = ""] = process.argv.slice(2)

const auth = new GoogleAuth(kind === "access" ? { scopes: [argument] } : {})

const asks = {
  access: async () => {
    const client = await auth.getClient()
    const { token } = await client.getAccessToken()
    return { token, expiresOn: (client.credentials.expiry_date ?? 0) / 1000 }
  },
  identity: async () => {
    const client = await auth.getIdTokenClient(argument)
    return { token: await client.idTokenProvider.fetchIdToken(argument) }
  },
  facts: async () => ({
    project: await auth.getProjectId(),
    universe: await auth.getUniverseDomain(),
    email: (await auth.getCredentials()).client_email
  })
}

await answer(asks[kind as keyof typeof asks]) // the tests name these alone
