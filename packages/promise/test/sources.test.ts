import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { kubernetes } from "../src/ambient.ts"
import { entra } from "../src/entra.ts"
import {
  cached,
  createFlow,
  FederationError,
  firstAvailable,
  fromFlow,
  fromFunction
} from "../src/index.ts"
import type { Reason, TokenFlow } from "../src/index.ts"
import { selfSigned, tokenExchange } from "../src/oidc.ts"
import { claimsOf, failure, issued, jwt, running } from "./flow.ts"

// Its authorization server trusts `workload` by itself.
const sandbox = running()

const quick = { attempts: 2, firstDelay: 0 }

describe("fromFunction", () => {
  it("is asked as the relying party has it, and gives what is traded", async () => {
    const { asked, source } = issued(sandbox())
    await using flow = createFlow({
      source,
      exchanger: tokenExchange({
        tokenEndpoint: sandbox().oauth.tokenEndpoint,
        assertionAudience: sandbox().oauth.issuer,
        algorithms: ["RS256"],
        scopes: ["read"]
      })
    })
    assert.deepStrictEqual((await flow.getToken()).scopes, ["read"])
    const [{ signal, ...request } = { signal: undefined }, ...more] = asked
    assert.deepStrictEqual(request, {
      audience: sandbox().oauth.issuer,
      preferredAudience: sandbox().oauth.tokenEndpoint,
      algorithms: ["RS256"]
    })
    assert.instanceOf(signal, AbortSignal)
    assert.lengthOf(more, 0)
  })

  it("may give its JWT at once", async () => {
    const token = jwt("workload")
    const flow = createFlow({ source: fromFunction("mine", () => token) })
    assert.strictEqual((await flow.getToken()).token, token)
  })

  it("is told which assertion was refused", async () => {
    const rejected: Array<string | undefined> = []
    const given: Array<string> = []
    const source = fromFunction("memoizing", async (request) => {
      rejected.push(request.rejected)
      const { issuer } = sandbox().oauth
      // Old, and minted anew only when somebody says that it must be.
      const lifetime = request.rejected === undefined ? -600_000 : 300_000
      const token = await sandbox().issueToken("workload", {
        subject: "workload",
        audience: issuer,
        lifetime
      })
      given.push(token)
      return token
    })
    const flow = createFlow({
      source,
      exchanger: tokenExchange({ issuer: sandbox().oauth.issuer, scopes: ["read"] })
    })
    await flow.getToken()
    assert.deepStrictEqual(rejected, [undefined, given[0]])
  })

  const thrown: ReadonlyArray<Reason> = [
    { type: "Unavailable", detail: "There is no such platform.", hint: "Go there." },
    { type: "Misconfigured", setting: "PATH", problem: "is empty", hint: "Fill it." },
    {
      type: "Rejected",
      code: "no_such_user",
      status: 403,
      description: "No",
      hint: "Be another.",
      remedy: "none",
      reference: { requestId: "r-1" }
    },
    { type: "Transient", detail: "It was busy", status: 503 },
    { type: "Malformed", detail: "It was no JSON" }
  ]
  it.each(thrown)("has its own errors told as they are: $type", async (reason) => {
    const source = fromFunction("mine", () => {
      throw new FederationError("whatever", { adapter: "x", stage: "configuration", reason })
    })
    const error = await failure(createFlow({ source, retry: { attempts: 1 } }).getToken())
    assert.deepStrictEqual(error.reason, reason)
    assert.deepStrictEqual([error.adapter, error.stage], ["mine", "assertion"])
  })

  it("tries again when anything else was thrown, and tells nobody its message", async () => {
    let calls = 0
    const source = fromFunction("mine", async () => {
      calls += 1
      throw new RangeError("SECRET in a body")
    })
    const error = await failure(createFlow({ source, retry: quick }).getToken())
    assert.strictEqual(error.message, "mine: The function threw RangeError")
    assert.strictEqual(calls, 2)
    assert.notInclude(visible(error), "SECRET")
  })

  it.each([
    ["not a JWT", "The token is not a JWT: it is one part, and not three divided by dots"],
    ["", "The token is empty"],
    [undefined, "The function gave no text, but undefined"]
  ])("gives no JWT: %j", async (given, detail) => {
    // As JavaScript may have it.
    const source = fromFunction("mine", () => given as string)
    const { reason } = await failure(createFlow({ source }).getToken())
    assert.deepStrictEqual(reason, { type: "Malformed", detail })
  })
})

describe("firstAvailable", () => {
  const absent = kubernetes({ tokenFile: "/nowhere/token" })

  it("goes on where a source does not exist", async () => {
    const { source } = issued(sandbox())
    const flow = createFlow({ source: firstAvailable(absent, source) })
    assert.strictEqual(claimsOf((await flow.getToken()).token)["sub"], "workload")
  })

  it("stops where one fails", async () => {
    const failing = fromFunction("failing", () => {
      throw new Error("whatever")
    })
    const { asked, source } = issued(sandbox())
    const flow = createFlow({ source: firstAvailable(failing, source), retry: { attempts: 1 } })
    assert.strictEqual((await failure(flow.getToken())).code, "Transient")
    assert.lengthOf(asked, 0)
  })

  it("tells what each one missed when none exists", async () => {
    const { hint, message, reason } = await failure(
      createFlow({ source: firstAvailable(absent, absent) }).getToken()
    )
    assert.strictEqual(reason.type, "Unavailable")
    assert.match(message, /None of the 2 sources exists here\. .*\/nowhere\/token/)
    assert.isUndefined(hint)
  })
})

describe("fromFlow", () => {
  it("makes one flow's token the next one's assertion", async () => {
    const { asked, source } = issued(sandbox())
    await using first = createFlow({ name: "first", source })
    await using second = createFlow({
      source: fromFlow(first),
      exchanger: tokenExchange({ issuer: sandbox().oauth.issuer, scopes: ["write"] })
    })
    assert.strictEqual(second.name, "first to token-exchange")
    assert.deepStrictEqual((await second.getToken()).scopes, ["write"])
    assert.strictEqual(asked[0]?.audience, sandbox().oauth.issuer)
  })

  it("tells the first flow's errors", async () => {
    const source = fromFunction("mine", () => "nothing")
    const flow = createFlow({ source: fromFlow(createFlow({ source })) })
    const { adapter, reason } = await failure(flow.getToken())
    assert.deepStrictEqual([adapter, reason.type], ["mine", "Malformed"])
  })

  it("takes flows of this package alone", async () => {
    // A look-alike: a test's, or another copy's.
    const flow = {} as TokenFlow
    const { message } = await failure(() => fromFlow(flow))
    assert.match(message, /^flow: flow: was not made by this package\. /)
  })
})

describe("cached", () => {
  it("gives an assertion again, to all flows that it is the source of", async () => {
    const { asked, source } = issued(sandbox())
    const remembered = cached(source)
    const exchanger = tokenExchange({ issuer: sandbox().oauth.issuer })
    const flows = [createFlow({ source: remembered }), createFlow({ source: remembered })]
    const tokens = await Promise.all(flows.map((flow) => flow.getToken()))
    assert.strictEqual(tokens[0]?.token, tokens[1]?.token)
    assert.lengthOf(asked, 1)
    assert.isString((await createFlow({ source: remembered, exchanger }).getToken("read")).token)
  })
})

describe("a source", () => {
  it("serves as many flows as it likes, each with its own audience", async () => {
    const { privateKey } = await crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: "P-256" },
      true,
      ["sign", "verify"]
    )
    const source = selfSigned({
      issuer: "https://id.example",
      subject: "workload",
      privateKey: JSON.stringify(await crypto.subtle.exportKey("jwk", privateKey))
    })
    const flow = createFlow({ source })
    const [a, b] = await Promise.all(
      ["https://a.example", "https://b.example"].map((audience) =>
        flow.getToken(undefined, { audience })
      )
    )
    assert.deepStrictEqual(
      [a, b].map((each) => claimsOf(each?.token ?? "")["aud"]),
      ["https://a.example", "https://b.example"]
    )
    const exchanger = entra({
      tenantId: "contoso.example",
      clientId: "8d2a1c35-3f5a-4bd1-9a39-6d6e1c6b3f10"
    })
    // ES256 for Entra.
    const { reason } = await failure(() => createFlow({ source, exchanger }))
    assert.strictEqual(reason.type === "Misconfigured" && reason.setting, "algorithms")
  })
})
