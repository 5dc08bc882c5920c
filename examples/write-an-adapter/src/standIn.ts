/** A stand-in for Vault: one role of one workload, signed for with the sandbox's keys. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Sandbox } from "@federate/sandbox"

export const standIn = async (sandbox: Sandbox.Sandbox, vaultToken: string) => {
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.headers["x-vault-token"] !== vaultToken)
        return { status: 403, body: { errors: ["permission denied"] } }
      const role = request.url?.replace("/v1/identity/oidc/token/", "")
      if (role !== "my-workload")
        return { status: 400, body: { errors: [`role "${role}" not found`] } }
      const token = await sandbox.issueToken("vault", {
        subject: "0b6a3c5e-5b0e-4c3f-9a4e-2f4e0c6a0001",
        audience: "the-role-s-client-id"
      })
      return {
        status: 200,
        body: { data: { client_id: "the-role-s-client-id", token, ttl: 3600 } }
      }
    }
    void answer().then(({ body, status }) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    )
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // It listens on a port, not on a path.
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}
