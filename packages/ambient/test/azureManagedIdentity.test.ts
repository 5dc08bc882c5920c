import { azureManagedIdentity } from "@federate/ambient"
import type { AzureManagedIdentityOptions } from "@federate/ambient"
import type { AssertionSource } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const exchange = "api://AzureADTokenExchange"
const jwt = Redacted.value(assertionFor("the-object-id", 0, { aud: exchange }).token)
const secret = "THE-IDENTITY-HEADER"

const variables: (set: Readonly<Record<string, string>>) => AzureManagedIdentityOptions = (
  set
) => ({ environment: (name) => set[name] })
const appService = {
  IDENTITY_ENDPOINT: "http://127.0.0.1:41741/MSI/token/",
  IDENTITY_HEADER: secret
}
const override = { AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:8080" }

const contract = {
  well: (assertion: string) =>
    Response.json(
      { access_token: assertion, expires_on: "900", resource: exchange, token_type: "Bearer" },
      { headers: { date: new Date(0).toUTCString() } }
    ),
  assertion: jwt,
  life: 900,
  secrets: []
}

const saying = (status: number, body: unknown) => () => Response.json(body, { status })

const notFound = { error: "invalid_request", error_description: "Identity not found" }

assertionSourceContract("Azure's managed identity, where somebody said where IMDS is", {
  ...contract,
  make: (fetch) => azureManagedIdentity({ ...variables(override), fetch }),
  passing: ["a 404 with a page"],
  refused: [
    {
      name: "an identity that is not assigned",
      answer: saying(400, notFound),
      becomes: "Rejected",
      code: "invalid_request",
      hint: /`az vm identity show`/
    },
    {
      name: "a resource that the tenant has not",
      answer: saying(400, {
        error: "invalid_resource",
        error_description: "AADSTS500011: The resource principal was not found in the tenant"
      }),
      becomes: "Rejected",
      code: "invalid_resource",
      hint: /no resource api:\/\/AzureADTokenExchange/
    },
    { name: "an update", answer: saying(410, {}), becomes: "Transient" }
  ]
})

assertionSourceContract("Azure's managed identity, where IMDS must be found", {
  ...contract,
  make: (fetch) => azureManagedIdentity({ ...variables({}), fetch }),
  // Without its header it refuses, by which it is known.
  well: (assertion, _, { headers }) =>
    new Headers(headers).has("metadata")
      ? contract.well(assertion)
      : Response.json({ error: "bad_request_102" }, { status: 400 }),
  passing: ["a 404 with a page"],
  refused: [],
  absent: [
    "a refused connection",
    "a reset connection",
    "a name that is not known",
    "a body that is cut off",
    "a page",
    "a redirect",
    "a 403 with a page",
    "a 404 with a page",
    "silence"
  ]
})

assertionSourceContract("Azure's managed identity on App Service", {
  ...contract,
  make: (fetch) => azureManagedIdentity({ ...variables(appService), fetch }),
  secrets: [secret],
  refused: [
    {
      name: "an identity that is not assigned",
      answer: saying(400, {
        statusCode: 400,
        message: "No User Assigned or Delegated Managed Identity found",
        correlationId: "00000000-0000-0000-0000-000000000001"
      }),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /`az webapp identity show`/
    },
    {
      name: "another process's header",
      answer: saying(403, { statusCode: 403, message: "Forbidden" }),
      becomes: "Rejected",
      code: "HTTP 403",
      hint: /IDENTITY_HEADER/
    },
    {
      name: "an error in an object",
      answer: saying(400, { error: { code: "ManagedIdentityNotFound", message: "Not found" } }),
      becomes: "Rejected",
      code: "ManagedIdentityNotFound"
    }
  ]
})

describe("Azure's managed identity", () => {
  /** The requests of one call, each with what it is let in by. */
  const asking = (
    options: AzureManagedIdentityOptions,
    request: AssertionSource.AssertionRequest = {}
  ) =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const fetch: Fetch = async (url, init) => {
        const headers = new Headers(init.headers)
        asked.push(`${decodeURIComponent(url)} ${[...headers].flat().join(" ")}`.trim())
        return headers.has("metadata") || headers.has("x-identity-header")
          ? contract.well(jwt)
          : Response.json({}, { status: 400 })
      }
      const source = yield* azureManagedIdentity({ ...options, fetch })
      yield* source.assertion(request)
      return asked
    })

  it.effect(
    "is asked for by App Service's variables, or else at IMDS, which is looked for once",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* asking(variables(appService)), [
          `http://127.0.0.1:41741/MSI/token/?api-version=2019-08-01&resource=${exchange} x-identity-header ${secret}`
        ])
        const imds = "http://169.254.169.254/metadata/identity/oauth2/token"
        assert.deepStrictEqual(yield* asking(variables({ IDENTITY_ENDPOINT: imds })), [
          imds,
          `${imds}?api-version=2018-02-01&resource=${exchange} metadata true`
        ])
      })
  )

  it.effect("is named in each platform's own way", () =>
    Effect.gen(function* () {
      const resourceId = "/subscriptions/1/userAssignedIdentities/own"
      for (const [options, parameter] of [
        [{ clientId: "1" }, "client_id=1"],
        [{ objectId: "2" }, "object_id=2"]
      ] as const) {
        for (const platform of [appService, override]) {
          const [asked] = yield* asking({ ...variables(platform), ...options })
          assert.match(asked!, new RegExp(`&${parameter} `))
        }
      }
      const [vm] = yield* asking({ ...variables(override), resourceId })
      assert.include(vm, `&msi_res_id=${resourceId} `)
      const [app] = yield* asking({ ...variables(appService), resourceId })
      assert.include(app, `&mi_res_id=${resourceId} `)
      const { message } = yield* Effect.flip(azureManagedIdentity({ clientId: "1", objectId: "2" }))
      assert.match(message, /named twice/)
    })
  )

  it.effect(
    "is asked for the exchange of the relying party's cloud, and for nothing else unasked",
    () =>
      Effect.gen(function* () {
        const resourceOf = ([asked = ""]: ReadonlyArray<string>) =>
          /resource=(\S+)/.exec(asked)?.[1]
        const resources = yield* Effect.forEach(
          [
            { preferredAudience: `${exchange}USGov` },
            { preferredAudience: "sts.amazonaws.com" },
            { audience: exchange, preferredAudience: "another" }
          ],
          (request) => asking(variables(override), request)
        )
        assert.deepStrictEqual(resources.map(resourceOf), [`${exchange}USGov`, exchange, exchange])
        const own = yield* asking({ ...variables(override), resource: "api://own" })
        assert.strictEqual(resourceOf(own), "api://own")
      })
  )

  it.effect("reads a header that the platform changes each time", () =>
    Effect.gen(function* () {
      const set: Record<string, string> = { ...appService }
      const sent: Array<string | null> = []
      const source = yield* azureManagedIdentity({
        ...variables(set),
        fetch: async (_, { headers }) => {
          sent.push(new Headers(headers).get("x-identity-header"))
          return contract.well(jwt)
        }
      })
      yield* source.assertion({})
      set["IDENTITY_HEADER"] = "ANOTHER"
      yield* source.assertion({})
      assert.deepStrictEqual(sent, [secret, "ANOTHER"])
    })
  )

  it.effect("is not taken from the machine below Service Fabric", () =>
    Effect.gen(function* () {
      const source = yield* azureManagedIdentity(
        variables({ ...appService, IDENTITY_SERVER_THUMBPRINT: "00" })
      )
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.strictEqual(reason._tag, "Unavailable")
    })
  )

  it.effect("tells what to quote to Azure's support", () =>
    Effect.gen(function* () {
      const correlationId = "00000000-0000-0000-0000-000000000001"
      const source = yield* azureManagedIdentity({
        ...variables(appService),
        fetch: async () => Response.json({ message: "no", correlationId }, { status: 400 })
      })
      const { reason } = yield* Effect.flip(source.assertion({}))
      assert.deepInclude(reason, { _tag: "Rejected", reference: { correlationId } })
    })
  )

  it.effect("sends nothing in the clear to another machine", () =>
    Effect.gen(function* () {
      for (const set of [
        { ...appService, IDENTITY_ENDPOINT: "http://identity.example/msi/token" },
        { AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://169.254.169.254.example" }
      ]) {
        const { message, stage } = yield* Effect.flip(azureManagedIdentity(variables(set)))
        assert.strictEqual(stage, "configuration")
        assert.match(message, /(IDENTITY_ENDPOINT|AUTHORITY_HOST): is http/)
      }
    })
  )
})
