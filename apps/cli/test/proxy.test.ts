import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Sandbox } from "@federate/sandbox"
import * as Effect from "effect/Effect"
import { afterAll, assert, beforeAll, beforeEach, describe, it, vi } from "vitest"
import { connectProxy } from "../../../packages/http/test/connectProxy.ts"
import type { ConnectProxy } from "../../../packages/http/test/connectProxy.ts"
import * as Certificates from "../../../packages/sandbox/src/kernel/Certificates.ts"
import { folder } from "./folder.ts"
import { claims } from "./flows.ts"
import { federate, outcome } from "./process.ts"

// Processes take their time on a machine that is busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const entra = "login.microsoftonline.com"
const cognito = "cognito-identity.us-east-1.amazonaws.com"
const sts = "sts.us-east-1.amazonaws.com"

const here = folder()
let sandbox: Sandbox.Sandbox & AsyncDisposable
let proxy: ConnectProxy
beforeAll(async () => {
  sandbox = await Sandbox.start({
    directory: here,
    certificateNames: [entra, cognito, sts],
    aws: { trust: { issuer: "platform", subject: "workload" } }
  })
  // No setting says that the clouds' addresses are the sandbox's: the proxy does.
  writeFileSync(
    join(here, "federate.yaml"),
    `flows:
  graph:
    source:
      type: cognito
      identityPoolId: \${COGNITO_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }
    exchanger:
      type: entra
      tenantId: \${AZURE_TENANT_ID}
      clientId: \${AZURE_CLIENT_ID}
      authorityHost: \${AZURE_AUTHORITY_HOST:-https://${entra}}
      scopes: [https://graph.microsoft.com/.default]
    retry: { attempts: 1 }
`
  )
})
beforeEach(async () => {
  proxy?.close()
  proxy = await connectProxy(Number(new URL(sandbox.https).port))
})
afterAll(async () => {
  proxy.close()
  await sandbox[Symbol.asyncDispose]()
})

const run = (variables: Readonly<Record<string, string>>, ...options: ReadonlyArray<string>) => {
  const env = Object.fromEntries(
    Object.entries(sandbox.env).filter(([name]) => !/ENDPOINT|_HOST$|_BASE_URL$/.test(name))
  )
  return outcome(
    federate(["token", "graph", ...options], { cwd: here, env: { ...env, ...variables } })
  )
}

describe("federate where the way out is a proxy", () => {
  it("gets its token through it, from Entra by fetch and from Cognito by the AWS SDK", async () => {
    const { code, stderr, stdout } = await run({ HTTPS_PROXY: `http://user:SECRET@${proxy.host}` })
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(claims(stdout)["appid"], sandbox.entra.clientId)
    const authorization = `Basic ${Buffer.from("user:SECRET").toString("base64")}`
    assert.deepStrictEqual(proxy.asked, [
      [`${cognito}:443`, authorization],
      [`${entra}:443`, authorization]
    ])
    assert.notInclude(stderr, "SECRET")
  })

  it("trusts the CAs of NODE_EXTRA_CA_CERTS for a proxy that speaks TLS, and not without", async () => {
    const { ca, certificate, key } = await Effect.runPromise(Certificates.make())
    const secure = await connectProxy(Number(new URL(sandbox.https).port), {
      cert: certificate,
      key
    })
    const variables = { HTTPS_PROXY: `https://${secure.host}` }
    const both = join(here, "both.pem")
    writeFileSync(both, `${sandbox.caPem}\n${ca}`)
    const trusting = await run({ ...variables, NODE_EXTRA_CA_CERTS: both })
    assert.strictEqual(trusting.code, 0, trusting.stderr)
    const { stderr } = await run(variables)
    secure.close()
    assert.include(
      stderr.replace(/\s+/g, " "),
      `NODE_EXTRA_CA_CERTS problem the certificate of the proxy ${secure.host} is not trusted`
    )
  })

  it("lets the AWS SDK look for its own credentials through it, too", async () => {
    const token = join(here, "web-identity")
    writeFileSync(
      token,
      await sandbox.issueToken("platform", { subject: "workload", audience: "sts.amazonaws.com" })
    )
    const { stderr } = await run({
      HTTPS_PROXY: `http://${proxy.host}`,
      AWS_ACCESS_KEY_ID: "",
      AWS_SECRET_ACCESS_KEY: "",
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: sandbox.aws.federatedRoleArn ?? ""
    })
    assert.deepStrictEqual(
      proxy.asked.map(([to]) => to),
      [`${sts}:443`, `${cognito}:443`]
    )
    // It is who it says, and may do nothing.
    assert.match(stderr, /assumed-role\/federated\/.* is not authorized/)
  })

  it("names a proxy that refuses, and never its password", async () => {
    const secret = { HTTPS_PROXY: `http://user:SECRET@${proxy.host}` }
    for (const [status, told] of [
      [407, "does not take the user name and the password (407)"],
      [502, `answered 502 for ${cognito}:443`]
    ] as const) {
      proxy.refusal = status
      // oxlint-disable-next-line no-await-in-loop -- the proxy answers one way at a time
      const { code, stderr, stdout } = await run(secret, "--log-level", "debug")
      assert.notStrictEqual(code, 0)
      assert.include(stderr.replace(/\s+/g, " "), `proxy ${proxy.host} ${told}`)
      assert.notInclude(stdout + stderr, "SECRET")
    }
  })

  it("leaves it aside for the hosts that NO_PROXY names", async () => {
    // A network of its own, in which Entra's name leads here without a proxy.
    const names = join(here, "names.mjs")
    writeFileSync(
      names,
      `import dns from "node:dns"
const { lookup } = dns
dns.lookup = (name, ...rest) => lookup(name === "${entra}" ? "127.0.0.1" : name, ...rest)
`
    )
    const { code, stderr } = await run({
      HTTPS_PROXY: `http://${proxy.host}`,
      NO_PROXY: `.example,${entra}`,
      NODE_OPTIONS: `--import=${pathToFileURL(names)}`,
      AZURE_AUTHORITY_HOST: `https://${entra}:${new URL(sandbox.https).port}`
    })
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(
      proxy.asked.map(([to]) => to),
      [`${cognito}:443`]
    )
  })

  it("never asks it for what is on this machine", async () => {
    const { code, stderr } = await run({
      HTTPS_PROXY: `http://${proxy.host}`,
      HTTP_PROXY: `http://${proxy.host}`,
      NODE_USE_ENV_PROXY: "1",
      AWS_ENDPOINT_URL_COGNITO_IDENTITY: sandbox.http,
      AZURE_AUTHORITY_HOST: sandbox.https
    })
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(proxy.asked, [])
  })
})
