/** A sandbox for a file's tests, with a folder of their own and config files for it. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { afterAll, assert, beforeAll, beforeEach } from "@effect/vitest"

/** One for all tests of the file; each begins without faults. */
export const cloud = (options: Options = {}) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "federate-")))
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  beforeAll(async () => {
    sandbox = await Sandbox.start({ directory: folder, ...options })
  })
  beforeEach(() => sandbox?.clearFaults())
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  let files = 0
  return {
    folder,
    sandbox: () => {
      assert.isDefined(sandbox)
      return sandbox
    },
    /** Writes a config file, and gives its name. */
    config: (text: string): string => {
      const file = join(folder, `federate-${++files}.yaml`)
      writeFileSync(file, text)
      return file
    }
  }
}

const cognito = `
    source:
      type: cognito
      identityPoolId: \${COGNITO_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }`

/** A flow of Graph's tokens. */
export const graph = (name: string, more = ""): string => `
  ${name}:${cognito}
    exchanger:
      type: entra
      tenantId: \${AZURE_TENANT_ID}
      clientId: \${AZURE_CLIENT_ID}
      authorityHost: \${AZURE_AUTHORITY_HOST}
      scopes: [https://graph.microsoft.com/.default]
${more}`

/** A flow of assertions. */
export const assertions = (name: string): string => `
  ${name}:${cognito}
`
