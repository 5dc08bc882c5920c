/** A managed identity's own token as the assertion of an application, against the stand-ins of both. */
import { azureManagedIdentity } from "@federate/ambient"
import { Flow } from "@federate/core"
import { exchanger } from "@federate/entra"
import { Sandbox } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { graph } from "../running.ts"

const exchange = "api://AzureADTokenExchange"

interface Trusted {
  readonly subject?: string
  readonly audience?: string
}

/** A machine with an identity that the first journey's application trusts, or nearly. */
const machine = Effect.fnUntraced(function* (
  trusted: Trusted = {},
  options: { readonly audience?: string; readonly inTenant?: string } = {}
) {
  const sandbox = yield* Sandbox.make()
  const identity = sandbox.assignManagedIdentity(options.inTenant)
  const clientId = sandbox.entra.clientId ?? ""
  const path = `applications(appId='${clientId}')/federatedIdentityCredentials`
  yield* Effect.promise(() =>
    graph(sandbox).create(path, {
      name: "managed-identity",
      issuer: identity.issuer,
      subject: trusted.subject ?? identity.principalId,
      audiences: [trusted.audience ?? exchange]
    })
  )
  const flow = yield* Flow.make({
    source: yield* azureManagedIdentity({
      environment: (name) =>
        name === "AZURE_POD_IDENTITY_AUTHORITY_HOST" ? sandbox.http : undefined
    }),
    exchanger: yield* exchanger({
      tenantId: sandbox.entra.tenantId,
      clientId,
      authorityHost: sandbox.http,
      scopes: ["https://graph.microsoft.com/.default"],
      audience: options.audience
    })
  })
  return { flow, identity, sandbox }
})

const refusal = (...of: Parameters<typeof machine>) =>
  Effect.gen(function* () {
    const { flow } = yield* machine(...of)
    const { reason } = yield* Effect.flip(flow.credential())
    assert.isTrue(reason._tag === "Rejected", reason._tag)
    return reason._tag === "Rejected" ? reason : undefined
  }).pipe(Effect.scoped)

describe("a managed identity as the assertion", () => {
  it.live("gets the application's token, and with it what Graph guards", () =>
    Effect.gen(function* () {
      for (const audience of [undefined, exchange]) {
        const { flow, identity, sandbox } = yield* machine({}, { ...(audience && { audience }) })
        const { token } = yield* flow.credential()
        yield* Effect.promise(() => graph(sandbox, Redacted.value(token)).get("applications"))
        const { claims } = yield* (yield* azureManagedIdentity({
          environment: (name) =>
            name === "AZURE_POD_IDENTITY_AUTHORITY_HOST" ? sandbox.http : undefined
        })).assertion({})
        assert.strictEqual(claims["sub"], identity.principalId)
        // What the federated credential calls by its URI.
        assert.strictEqual(claims["aud"], "fb60f99c-7a34-4190-8149-302f77469936")
      }
    }).pipe(Effect.scoped)
  )

  it.live("is refused with the one fix", () =>
    Effect.gen(function* () {
      const audience = yield* refusal({ audience: "fb60f99c-7a34-4190-8149-302f77469936" })
      assert.strictEqual(audience?.code, "AADSTS700214")
      assert.match(audience?.hint ?? "", /api:\/\/AzureADTokenExchange/)

      const subject = yield* refusal({ subject: "its-client-id" })
      assert.strictEqual(subject?.code, "AADSTS700213")
      assert.match(subject?.hint ?? "", /object \(principal\) id/)

      const elsewhere = "99999999-9999-4999-8999-999999999999"
      const tenant = yield* refusal({}, { inTenant: elsewhere })
      assert.strictEqual(tenant?.code, "AADSTS700236")
      assert.match(tenant?.hint ?? "", new RegExp(`same tenant .* its issuer is "\\S+${elsewhere}`))
    })
  )
})
