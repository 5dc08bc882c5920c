/** Azure's SDKs, unmodified, through a broker: from a Cognito identity to Microsoft Graph. */
import { existsSync, readFileSync } from "node:fs"
import { request as send } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { needs } from "../../../../scripts/debian.ts"
import {
  brokerOf,
  cloud,
  listening,
  once,
  readGraph,
  resource,
  scope,
  sha256,
  stranger
} from "./surroundings.ts"
import type { Variables } from "./surroundings.ts"

const sandbox = cloud()

/** The variables by which IMDS is found, where nothing comes before it. */
const imds = ({ AZURE_POD_IDENTITY_AUTHORITY_HOST = "" }: Variables): Variables => ({
  AZURE_POD_IDENTITY_AUTHORITY_HOST
})

const library = "/usr/lib/python3/dist-packages/azure/identity"
const missing = !needs(library, "python3-azure")

/** Built on MSAL, as from Debian 13 on, it keeps to itself what it was told. */
const isSilent = existsSync(`${library}/_internal/msal_managed_identity_client.py`)

const silence = /CredentialUnavailableError/

interface Client {
  readonly name: string
  readonly script: string
  /** What the script is told besides the identity. */
  readonly args: ReadonlyArray<string>
  /** Whether it prints why it was refused. */
  readonly prints: boolean
  /** Whether it is not there to be tried. */
  readonly missing?: boolean
}

const clients: ReadonlyArray<Client> = [
  {
    name: "@azure/identity",
    script: "azureIdentity.ts",
    args: ["managed", scope],
    prints: true
  },
  { name: "@azure/msal-node", script: "msal.ts", args: [resource], prints: true },
  {
    name: "Python's azure-identity",
    script: "azure_identity.py",
    args: ["managed", scope],
    prints: !isSilent,
    missing
  }
]

for (const { args, missing: isMissing, name, prints, script } of clients) {
  describe.skipIf(isMissing)(`${name}'s managed identity`, { concurrent: true }, () => {
    for (const [protocol, pick] of [
      ["azure-app-service", (all: Variables) => all],
      ["azure-imds", imds]
    ] as const) {
      it.live(`is the broker's by ${protocol}, with and without a client id`, () =>
        Effect.gen(function* () {
          const { handed, refused, variables } = yield* brokerOf(sandbox())
          for (const identity of [[], [sandbox().entra.clientId!]]) {
            const got = yield* once(script, [...args, ...identity], pick(variables))
            assert.isUndefined(got.error)
            yield* readGraph(sandbox(), got.token)
            const last = handed.at(-1)!
            assert.deepInclude(last, {
              caller: "loopback",
              protocol,
              flow: "graph",
              scope,
              tokenHash: sha256(got.token)
            })
            assert.approximately(got.expiresOn!, last.expiresAt / 1000, 2)
          }
          assert.lengthOf(handed, 2)
          assert.isEmpty(refused)
        })
      )

      const refusals: ReadonlyArray<
        readonly [what: string, args: ReadonlyArray<string>, hint: RegExp]
      > = [
        [
          "a resource that is not served",
          args.map((argument) => argument.replace(resource, "https://vault.azure.net")),
          /serves no token for the resource https:\/\/vault\.azure\.net.*add it under broker\.azure\.resources/
        ],
        [
          "an identity that is not served",
          [...args, "11111111-0000-4000-8000-000000000000"],
          /Identity not found.*unset AZURE_CLIENT_ID.*broker\.azure\.identities/
        ],
        [
          "a flow that Entra refuses",
          [...args, stranger],
          /AADSTS700213.*subject must be exactly that/s
        ]
      ]
      for (const [what, asked, hint] of refusals) {
        it.live(`is told what to do about ${what}, by ${protocol}, once`, () =>
          Effect.gen(function* () {
            const { broker, handed, refused, variables } = yield* brokerOf(sandbox())
            // As apps do: Entra is asked again about a trust that may be new, for longer than a caller is let wait.
            yield* broker.warm
            const { error } = yield* once(script, asked, pick(variables))
            assert.match(error ?? "", prints ? hint : silence)
            assert.lengthOf(refused, 1)
            assert.deepInclude(refused[0], { caller: "loopback", protocol, status: 400 })
            assert.match(refused[0]!.message, hint)
            assert.isEmpty(handed)
          })
        )
      }
    }

    it.live("is told what to do about a wrong secret, once", () =>
      Effect.gen(function* () {
        const { refused, variables } = yield* brokerOf(sandbox())
        const { error } = yield* once(script, args, { ...variables, IDENTITY_HEADER: "another" })
        const hint = /Send the value of \$IDENTITY_HEADER/
        assert.match(error ?? "", prints ? hint : silence)
        assert.lengthOf(refused, 1)
        assert.deepInclude(refused[0], { status: 401, code: "unauthorized" })
        assert.match(refused[0]!.message, hint)
      })
    )
  })
}

const defaults: ReadonlyArray<readonly [name: string, script: string, isMissing: boolean]> = [
  ["@azure/identity", "azureIdentity.ts", false],
  ["Python's azure-identity", "azure_identity.py", missing]
]

describe("the default credential", () => {
  for (const [name, script, isMissing] of defaults) {
    it.live.skipIf(isMissing)(`of ${name} finds App Service, else IMDS`, () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* brokerOf(sandbox())
        for (const found of [variables, imds(variables)]) {
          const { error, token } = yield* once(script, ["default", scope], found)
          assert.isUndefined(error)
          yield* readGraph(sandbox(), token)
          assert.strictEqual(handed.at(-1)!.tokenHash, sha256(token))
        }
        assert.deepEqual(
          handed.map(({ protocol }) => protocol),
          ["azure-app-service", "azure-imds"]
        )
        assert.isEmpty(refused)
      })
    )
  }
})

describe("on a machine of Azure's", () => {
  /** A proxy by which a client reaches the broker under the address that it knows by itself. */
  const machine = Effect.fnUntraced(function* (origin: string) {
    /** The header `Metadata` of each question. */
    const asked: Array<string | ReadonlyArray<string> | undefined> = []
    const proxy = yield* listening((request, response) => {
      const { host, pathname, search } = new URL(request.url ?? "")
      assert.strictEqual(host, "169.254.169.254")
      asked.push(request.headers["metadata"])
      const headers = { ...request.headers, host: new URL(origin).host }
      send(`${origin}${pathname}${search}`, { headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      }).end()
    })
    return { asked, variables: { HTTP_PROXY: proxy, http_proxy: proxy } }
  })

  for (const [name, script, isMissing] of defaults) {
    it.live.skipIf(isMissing)(
      `the default credential of ${name} finds IMDS by a question without its header`,
      () =>
        Effect.gen(function* () {
          const { handed, origin, refused } = yield* brokerOf(sandbox())
          const { asked, variables } = yield* machine(origin)
          const { error, token } = yield* once(script, ["default", scope], variables)
          assert.isUndefined(error)
          yield* readGraph(sandbox(), token)
          assert.deepEqual(asked, [undefined, "true"])
          assert.deepEqual(
            refused.map(({ protocol, status }) => [protocol, status]),
            [["azure-imds", 400]]
          )
          assert.deepEqual(
            handed.map(({ protocol, tokenHash }) => [protocol, tokenHash]),
            [["azure-imds", sha256(token)]]
          )
        })
    )
  }
})

describe("a token file", () => {
  /** A broker that keeps one for this sandbox's Entra. */
  const keeping = Effect.gen(function* () {
    const made = yield* brokerOf(
      sandbox(),
      `
  flows: [workload]
  tokenFiles:
    - path: \${FOLDER}/assertion
      azure:
        tenantId: \${AZURE_TENANT_ID}
        clientId: \${AZURE_CLIENT_ID}
        authorityHost: \${AZURE_AUTHORITY_HOST}
`
    )
    yield* Effect.forEach(made.broker.tokenFiles, ({ keep }) => keep)
    return made
  })

  const kinds: ReadonlyArray<
    readonly [name: string, script: string, kind: string, isMissing: boolean]
  > = [
    ["@azure/identity's WorkloadIdentityCredential", "azureIdentity.ts", "workload", false],
    ["@azure/identity's ManagedIdentityCredential", "azureIdentity.ts", "managed", false],
    ["@azure/identity's DefaultAzureCredential", "azureIdentity.ts", "default", false],
    ["Python's ManagedIdentityCredential", "azure_identity.py", "managed", missing],
    ["Python's DefaultAzureCredential", "azure_identity.py", "default", missing]
  ]
  for (const [name, script, kind, isMissing] of kinds) {
    it.live.skipIf(isMissing)(`is all that ${name} needs to go to Entra by itself`, () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* keeping
        const before = sandbox().count("entra.token")
        const { error, token } = yield* once(script, [kind, scope], {
          ...variables,
          NODE_EXTRA_CA_CERTS: sandbox().caFile!,
          REQUESTS_CA_BUNDLE: sandbox().caFile!
        })
        assert.isUndefined(error)
        yield* readGraph(sandbox(), token)
        assert.strictEqual(sandbox().count("entra.token"), before + 1)
        // The broker was not asked: what it wrote was enough.
        assert.lengthOf(handed, 1)
        const assertion = readFileSync(variables["AZURE_FEDERATED_TOKEN_FILE"]!, "utf8")
        assert.deepInclude(handed[0], {
          caller: "token-file",
          protocol: "token-file",
          flow: "workload",
          tokenHash: sha256(assertion)
        })
        assert.isEmpty(refused)
      })
    )
  }
})
