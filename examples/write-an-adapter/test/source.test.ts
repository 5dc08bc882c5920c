import { adapterContract, assertionFor, assertionSourceContract } from "@federate/testing"
import { Redacted } from "effect"
import { vault } from "../src/adapter.ts"
import { source } from "../src/source.ts"

const address = "https://vault.example"
const role = "my-workload"
const token = "THE-VAULT-TOKEN"
const assertion = Redacted.value(assertionFor("the-entity").token)

const well = (jwt: string) => Response.json({ data: { client_id: "party", token: jwt, ttl: 900 } })
const refusal =
  (status: number, ...errors: ReadonlyArray<string>) =>
  () =>
    Response.json({ errors }, { status })

assertionSourceContract("Vault", {
  make: (fetch) => source({ address, role, token: Redacted.make(token), fetch }),
  well,
  assertion,
  life: 900,
  secrets: [token],
  refused: [
    {
      name: "a token that may not",
      answer: refusal(403, "permission denied"),
      becomes: "Rejected",
      code: "403",
      hint: /policy does not let it read identity\/oidc\/token\/my-workload/
    },
    {
      name: "a token that is nobody's",
      answer: refusal(400, "no entity associated with the request's token"),
      becomes: "Rejected",
      code: "400",
      hint: /a root token has no identity/
    },
    { name: "a path that is not there", answer: refusal(404), becomes: "Rejected", code: "404" },
    { name: "a sealed Vault", answer: refusal(503, "Vault is sealed"), becomes: "Transient" }
  ]
})

adapterContract("Vault", {
  adapter: vault,
  settings: { address, role, token },
  secrets: [token],
  well: () => well(assertion)
})
