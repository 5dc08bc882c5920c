import { trustReader } from "@federate/entra/trust"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const clientId = "66666666-7777-8888-9999-aaaaaaaaaaaa"
const token = Redacted.make("THE-TOKEN")
const credential = { issuer: "https://issuer.example", subject: "s", audiences: ["a"] }

const reading = (
  answer: () => Response,
  given: Parameters<typeof trustReader.read>[0] = { clientId },
  variables: Readonly<Record<string, string>> = {}
) => {
  const asked: Array<readonly [url: string, authorization: string | null]> = []
  const read = trustReader.read(
    given,
    { token },
    {
      environment: (name) => variables[name],
      fetch: async (url, { headers }) => {
        asked.push([url, new Headers(headers).get("authorization")])
        return answer()
      }
    }
  )
  return { asked, read }
}

const refused = (answer: () => Response) =>
  Effect.map(Effect.flip(reading(answer).read), ({ reason }) => reason)

describe("the federated credentials of an app", () => {
  it.effect("are read from the cloud's Graph", () =>
    Effect.gen(function* () {
      for (const [given, origin] of [
        [{ clientId }, "https://graph.microsoft.com"],
        [{ clientId, cloud: "usGovernment" }, "https://graph.microsoft.us"],
        [
          { clientId, authorityHost: "https://login.partner.microsoftonline.cn" },
          "https://microsoftgraph.chinacloudapi.cn"
        ]
      ] as const) {
        const { asked, read } = reading(() => Response.json({ value: [credential] }), given)
        assert.deepEqual(yield* read, [credential])
        assert.deepEqual(asked, [
          [
            `${origin}/v1.0/applications(appId='${clientId}')/federatedIdentityCredentials`,
            "Bearer THE-TOKEN"
          ]
        ])
      }
    })
  )

  it.effect("are read elsewhere when a variable says so", () =>
    Effect.gen(function* () {
      const { asked, read } = reading(() => Response.json({ value: [] }), undefined, {
        GRAPH_BASE_URL: "https://localhost:1/"
      })
      yield* read
      assert.match(asked[0]?.[0] ?? "", /^https:\/\/localhost:1\/v1\.0/)
    })
  )

  it.effect("are not asked for over plain http, or where no Graph is known", () =>
    Effect.gen(function* () {
      for (const { asked, read } of [
        reading(() => Response.json({}), undefined, { GRAPH_BASE_URL: "http://graph.example" }),
        reading(() => Response.json({}), { clientId, authorityHost: "https://other.example" })
      ]) {
        const { reason } = yield* Effect.flip(read)
        assert.strictEqual(reason._tag, "Misconfigured")
        assert.deepEqual(asked, [])
      }
    })
  )

  it.effect("are not there without a token", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(trustReader.read({ clientId }, {}, {}))
      assert.strictEqual(reason._tag, "Unavailable")
    })
  )

  it.effect.each([
    [403, "Authorization_RequestDenied", /Application\.Read\.All/],
    [404, "Request_ResourceNotFound", /66666666/],
    [401, "InvalidAuthenticationToken", /expired/],
    [400, "Other", /Look the code up/]
  ] as const)("are refused with the fix: %d %s", ([status, code, hint]) =>
    Effect.gen(function* () {
      const reason = yield* refused(() =>
        Response.json({ error: { code, message: "It said no." } }, { status })
      )
      assert.strictEqual(reason._tag, "Rejected")
      if (reason._tag !== "Rejected") return
      assert.deepEqual([reason.code, reason.status], [code, status])
      assert.match(reason.hint, hint)
    })
  )

  it.effect("may be had later, or never", () =>
    Effect.gen(function* () {
      const busy = yield* refused(() => Response.json({ error: { code: "x" } }, { status: 429 }))
      assert.strictEqual(busy._tag, "Transient")
      for (const answer of [
        () => Response.json({ value: 7 }),
        () => Response.json({ error: {} }, { status: 400 }),
        () => new Response("<html>", { status: 404 })
      ]) {
        assert.strictEqual((yield* refused(answer))._tag, "Malformed")
      }
    })
  )
})
