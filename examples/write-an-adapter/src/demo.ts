/** Runs main.ts beside a stand-in for Vault. */
import { Sandbox } from "@federate/sandbox"
import { standIn } from "./standIn.ts"

const sandbox = await Sandbox.start()
const vault = await standIn(sandbox, "the-vault-token")
try {
  Object.assign(process.env, { VAULT_ADDR: vault.address, VAULT_TOKEN: "the-vault-token" })
  await import("./main.ts")
} finally {
  await vault[Symbol.asyncDispose]()
  await sandbox[Symbol.asyncDispose]()
}
