import { FederationError as CoreError } from "@federate/core"
import * as Core from "@federate/core"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { expectTypeOf } from "vitest"
import { entra } from "../src/entra.ts"
import { FederationError, createFlow, fromFunction } from "../src/index.ts"
import type { Reason } from "../src/index.ts"
import { tokenExchange } from "../src/oidc.ts"
import * as translate from "../src/internal/translate.ts"
import { failure, issued, jwt, running } from "./flow.ts"

const sandbox = running()

/** Each reason of core's, with all that it may say. */
const reasons: ReadonlyArray<Core.Reason> = [
  new Core.Unavailable({ detail: "nothing is here", hint: "Go there." }),
  new Core.Unavailable({ detail: "nothing is here" }),
  new Core.Misconfigured({ setting: "tenantId", problem: "is empty", hint: "Write it." }),
  new Core.Rejected({
    code: "AADSTS1",
    status: 401,
    description: "no",
    hint: "Compare.",
    remedy: "waitForTrust",
    claims: "{}",
    reference: { traceId: "t", correlationId: "c", requestId: "r", timestamp: "now" }
  }),
  new Core.Transient({ detail: "busy", status: 503, retryAt: 5 }),
  new Core.Malformed({ detail: "no JSON" })
]

/** A reason's fields, with its name in the place where plain ones have it. */
type Plain<R> = R extends { readonly _tag: infer Tag }
  ? { readonly type: Tag } & Omit<R, "_tag" | "pipe">
  : never

describe("FederationError", () => {
  it("has exactly core's reasons", () => {
    expectTypeOf<Reason>().branded.toEqualTypeOf<Plain<Core.Reason>>()
    expectTypeOf<FederationError["stage"]>().toEqualTypeOf<Core.Stage>()
  })

  it.each(reasons)("tells core's error, and gives its reason back: $_tag", (reason) => {
    const core = new CoreError({ adapter: "entra", stage: "exchange", reason, retryAt: 1.5 })
    const plain = translate.error(core)
    const { _tag: type, ...fields } = reason
    // A value without a prototype of Effect's.
    assert.deepStrictEqual<unknown>(plain.reason, { type, ...fields })
    assert.deepStrictEqual(
      [plain.name, plain.message, plain.adapter, plain.stage, plain.retryAt],
      ["FederationError", core.message, "entra", "exchange", 2]
    )
    assert.strictEqual(plain.code, type === "Rejected" ? "AADSTS1" : type)
    assert.strictEqual(plain.hint, "hint" in fields ? fields.hint : undefined)
    assert.deepStrictEqual(translate.reason(plain.reason), reason)
  })

  it("is an Error with nothing behind it, and its stack leads to who asked", async () => {
    const source = fromFunction("mine", () => "no JWT")
    const asks = async () => {
      await createFlow({ source }).getToken()
    }
    const error = await failure(asks())
    assert.instanceOf(error, Error)
    assert.isUndefined(error.cause)
    assert.match(error.stack ?? "", /^FederationError: mine: The token is not a JWT/)
    assert.match(error.stack ?? "", /at (async )?asks /)
    assert.hasAllKeys(error, ["name", "code", "adapter", "stage", "reason", "retryAt"])
  })

  it("tells what the other side said, by its own code, and the one fix", async () => {
    const error = await failure(
      createFlow({
        source: issued(sandbox()).source,
        exchanger: entra({
          tenantId: sandbox().entra.tenantId,
          clientId: sandbox().entra.clientId ?? "",
          authorityHost: sandbox().http,
          scopes: ["https://graph.microsoft.com/.default"]
        }),
        retry: { attempts: 1 }
      }).getToken()
    )
    assert.match(error.code, /^AADSTS\d+$/)
    assert.deepStrictEqual([error.adapter, error.stage], ["entra", "exchange"])
    if (error.reason.type !== "Rejected") assert.fail(error.message)
    assert.match(error.reason.reference?.traceId ?? "", /^[0-9a-f-]{36}$/)
    assert.include(error.message, error.reason.hint)
  })

  it("shows no secret: no assertion, no client's secret, nothing of an answer", async () => {
    const token = jwt("workload", { secret: "in the claims" })
    const secret = "SECRET"
    const flow = createFlow({
      source: fromFunction("mine", () => token),
      exchanger: tokenExchange({
        tokenEndpoint: "https://as.example/token",
        client: { id: "me", secret },
        fetch: async () => Response.json({ error: "invalid_grant", access_token: secret })
      })
    })
    const shown = [visible(await failure(flow.getToken())), visible(flow)].join("\n")
    assert.include(shown, "mine to token-exchange")
    for (const hidden of [secret, token, ...token.split(".").slice(1)])
      assert.notInclude(shown, hidden)
  })
})
