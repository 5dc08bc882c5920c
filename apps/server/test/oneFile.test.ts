/** The server as it is built, copied alone into an empty folder. */
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import {
  CognitoIdentityClient,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import { EnableOutboundWebIdentityFederationCommand, IAMClient } from "@aws-sdk/client-iam"
import { assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { ask, graphToken, readEnv } from "./client.ts"
import { assertions, cloud, graph } from "./cloud.ts"
import { google } from "./google.ts"
import { start } from "./process.ts"

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const { config, folder, sandbox } = cloud()

const alone = join(folder, "alone")
const file = join(alone, "main.js")
beforeAll(() => {
  const app = fileURLToPath(import.meta.resolve("../"))
  const tsup = fileURLToPath(import.meta.resolve("../../../node_modules/.bin/tsup"))
  const built = join(folder, "built")
  execFileSync(tsup, ["--silent", "--out-dir", built], { cwd: app })
  assert.deepEqual(readdirSync(built), ["main.js"])
  mkdirSync(alone)
  copyFileSync(join(built, "main.js"), file)
})

describe("the built file", () => {
  it("is a command by itself, and takes --env-file for its own", async () => {
    const envFile = join(folder, "clients.env")
    const args = ["-c", config(`flows:${graph("graph")}`), "-l", "127.0.0.1:0"]
    await using server = start([...args, "--env-file", envFile], { env: sandbox().env, file })
    const origin = await server.origin()
    assert.strictEqual(readEnv(envFile)["IDENTITY_ENDPOINT"], `${origin}/msi/token`)
    assert.isNotEmpty(await graphToken(origin))
    server.child.kill("SIGTERM")
    const { code, stderr } = await server.outcome()
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.isFalse(existsSync(envFile))
    assert.deepEqual(readdirSync(alone), ["main.js"])
  })

  it("holds what flows load when they are first asked", async () => {
    const { aws, env, http } = sandbox()
    const admin = { endpoint: http, region: aws.region, credentials: aws.admin }
    await new IAMClient(admin).send(new EnableOutboundWebIdentityFederationCommand({}))
    await new CognitoIdentityClient(admin).send(
      new SetIdentityPoolRolesCommand({
        IdentityPoolId: env["COGNITO_IDENTITY_POOL_ID"],
        Roles: { authenticated: aws.workload.roleArn }
      })
    )
    const { flow } = await google("google", sandbox(), folder)
    const text = `flows:${graph("graph")}${assertions("plain")}${flow}
  cognito-keys:
    source:
      type: cognito
      identityPoolId: \${COGNITO_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }
    exchanger: { type: cognito, identityPoolId: "\${COGNITO_IDENTITY_POOL_ID}" }
  aws-assertion:
    source: { type: aws, audiences: [api://party] }
`
    const keys = {
      AWS_ACCESS_KEY_ID: aws.admin.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.admin.secretAccessKey
    }
    await using server = start(["-c", config(text), "-l", "127.0.0.1:0"], {
      env: { ...env, ...keys },
      file
    })
    const { body, status } = await ask(await server.origin(), "/readyz")
    assert.strictEqual(status, 200, body)
  })

  it("holds the pages, the API, the metrics and their export", async () => {
    await using server = start(["-c", config(`flows:${graph("graph")}`), "-l", "127.0.0.1:0"], {
      // Without its exporter it would not start.
      env: { ...sandbox().env, OTEL_EXPORTER_OTLP_ENDPOINT: sandbox().http },
      file
    })
    const origin = await server.origin()
    await graphToken(origin)
    const page = async (path: string) => {
      const { body, status } = await ask(origin, path)
      assert.strictEqual(status, 200, path)
      return body
    }
    assert.include(await page("/"), "<title>")
    assert.include(await page("/docs"), "/openapi.json")
    assert.include(await page("/openapi.json"), '"/v1/flows"')
    assert.include(await page("/v1/flows"), '"graph"')
    assert.include(await page("/metrics"), "federate_broker_requests")
  })
})
