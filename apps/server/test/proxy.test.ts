import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it, vi } from "vitest"
import { connectProxy } from "../../../packages/http/test/connectProxy.ts"
import { graphToken } from "./client.ts"
import { cloud, graph } from "./cloud.ts"
import { start } from "./process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const hosts = ["cognito-identity.us-east-1.amazonaws.com", "login.microsoftonline.com"]
const { config, sandbox } = cloud({ certificateNames: hosts })

describe("federate-server where the way out is a proxy", () => {
  it("gets its tokens through it, and says nothing of its password", async () => {
    const proxy = await connectProxy(Number(new URL(sandbox().https).port))
    const { AWS_ENDPOINT_URL_COGNITO_IDENTITY: _, ...env } = sandbox().env
    await using server = start(
      ["--config", config(`flows:${graph("graph")}`), "--listen", "127.0.0.1:0"],
      {
        env: {
          ...env,
          AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com",
          HTTPS_PROXY: `http://user:SECRET@${proxy.host}`
        }
      }
    )
    assert.isNotEmpty(await graphToken(await server.origin()))
    assert.deepStrictEqual(
      proxy.asked.map(([to]) => to),
      hosts.map((host) => `${host}:443`)
    )
    proxy.close()
    assert.notInclude(JSON.stringify(server.log), "SECRET")
  })

  it("sends its traces and metrics through it", async () => {
    const paths: Array<string | undefined> = []
    const collector = createServer(({ url }, response) => {
      paths.push(url)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    }).listen(0, "127.0.0.1")
    await once(collector, "listening")
    // It listens on an address, not on a path.
    const proxy = await connectProxy((collector.address() as AddressInfo).port)
    await using server = start(
      ["--config", config(`flows:${graph("graph")}`), "--listen", "127.0.0.1:0"],
      {
        env: {
          ...sandbox().env,
          HTTP_PROXY: `http://${proxy.host}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.example"
        }
      }
    )
    await graphToken(await server.origin())
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.outcome()).code, 0)
    assert.includeMembers(paths, ["/v1/traces", "/v1/metrics"])
    assert.deepStrictEqual(
      new Set(proxy.asked.map(([to]) => to)),
      new Set(["collector.example:80"])
    )
    proxy.close()
    collector.close()
  })
})
