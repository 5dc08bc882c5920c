/** Every source with every exchanger, from a config file to the relying party, in the sandbox. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decode } from "@federate/config"
import { RetryPolicy } from "@federate/core"
import type { FederationError } from "@federate/core"
import { Sandbox } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, vi } from "vitest"
import { connectProxy } from "../../../packages/http/test/connectProxy.ts"
import { adapters } from "../src/adapters.ts"
import { listening } from "./matrix/listening.ts"
import { makePlatforms, ownIssuer } from "./matrix/platforms.ts"
import type { Settings, World } from "./matrix/platforms.ts"
import { makeRelyingParties } from "./matrix/relyingParties.ts"

// Each row sets a dozen trusts up.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const page = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8")

/** What the page says of each cell: by source, the outcomes by column. */
const expected = readTable(page("docs/matrix.md"))
const readme = page("README.md")
/** Where a server of one's own is, which no adapter knows by itself. */
const elsewhere = "elsewhere.example"

const outcomes = new Map<string, ReadonlyMap<string, string>>()

const scope = Scope.makeUnsafe()
let world: Effect.Success<typeof start> | undefined
const running = () => {
  assert.isDefined(world)
  return world
}

/** The sandbox, and every platform and relying party in it. */
const start = Effect.gen(function* () {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "federate-matrix-")))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
  let documents: Readonly<Record<string, unknown>> = {}
  const origin = yield* listening(({ url = "" }, response) =>
    response.end(JSON.stringify(documents[url.slice(1)]))
  )
  const sandbox = yield* Sandbox.make({
    issuers: { [ownIssuer]: origin },
    certificateNames: [...new Set(far.flatMap(([, , hosts]) => hosts))]
  })
  yield* Effect.acquireRelease(Effect.sync(sandbox.trust), (undo) => Effect.sync(undo))
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = sandbox.env
  const own = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined, AWS_REGION }
  // Whoever runs the tests may be signed in to the real AWS.
  for (const [name, value] of Object.entries({ ...own, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }))
    vi.stubEnv(name, value)
  const { kubernetes } = sandbox.platforms
  const places: World = { sandbox, folder, variables: new Map(Object.entries(kubernetes)) }
  const platforms = yield* makePlatforms(places, (published) => void (documents = published))
  return { ...places, platforms, relyingParties: makeRelyingParties(sandbox) }
})

beforeAll(async () => {
  world = await Effect.runPromise(Scope.provide(start, scope))
})
afterAll(async () => {
  console.log(writeTable(outcomes))
  vi.unstubAllEnvs()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

/**
 * What comes of a pair: a credential that serves, or why not.
 *
 * @param name of the workload, which nobody else has
 * @param addressed what becomes of the settings of both, such as where they ask
 */
const outcomeOf = Effect.fnUntraced(function* (
  type: string,
  column: string,
  name = type,
  addressed: (settings: Settings) => Settings = (settings) => settings
) {
  const { platforms, relyingParties, variables } = running()
  const platform = platforms[type]
  const relyingParty = relyingParties[column]
  assert.isDefined(platform)
  assert.isDefined(relyingParty)
  const workload = platform.workload(relyingParty.audience(name))
  const { exchanger, source } = yield* Effect.promise(async () => ({
    exchanger: addressed(await relyingParty.trust(workload, name)),
    source: addressed(await platform.source(workload.audience, column))
  }))
  const flow = {
    source: { type, ...source },
    ...(relyingParty.type !== undefined && { exchanger: { type: relyingParty.type, ...exchanger } })
  }
  const { flows } = yield* decode(JSON.stringify({ flows: { flow } }), {
    file: "federate.yaml",
    adapters,
    platform: {
      environment: (variable) => variables.get(variable),
      ...(platform.fetch && { fetch: platform.fetch })
    },
    environment: () => undefined
  }).pipe(Effect.orDie)
  const made = yield* Effect.result(flows.get("flow")!.make())
  if (made._tag === "Failure") return `– ${whyNot(made.failure)}`
  const given = yield* Effect.result(
    Effect.provideService(made.success.credential(), RetryPolicy.Override, RetryPolicy.none)
  )
  if (given._tag === "Failure") return `✗ ${whyNot(given.failure)}`
  yield* Effect.promise(() => relyingParty.use(given.success, workload))
  return "✓"
})

/** A refusal tells what it is, and what to do. */
const whyNot = (error: FederationError): string => {
  const { reason } = error
  if (reason._tag !== "Misconfigured" && reason._tag !== "Rejected")
    return assert.fail(visible(error))
  assert.isNotEmpty(reason.hint)
  return reason._tag === "Misconfigured" ? reason.setting : reason.code
}

describe("the matrix", () => {
  for (const [type, cells] of expected) {
    it.live(`from ${type}`, () =>
      Effect.gen(function* () {
        const row = new Map<string, string>()
        for (const column of Object.keys(running().relyingParties))
          row.set(column, yield* outcomeOf(type, column))
        outcomes.set(type, row)
        assert.deepStrictEqual(Object.fromEntries(row), Object.fromEntries(cells))
      })
    )
  }

  it("has a row for each source, and a column for each exchanger", () => {
    assert.sameMembers(
      adapters.sources.map(({ type }) => type),
      [...expected.keys()]
    )
    const columns = Object.values(running().relyingParties).map(({ type }) => type)
    for (const { type } of adapters.exchangers) assert.include(columns, type)
  })

  it("is of what the README lists", () => {
    const listed = (kind: string) =>
      readme.split("\n").flatMap((line) => {
        const [, type, of] = /^\| `([a-z-]+)` +\| (\w+) +\|/.exec(line) ?? []
        return type !== undefined && of === kind ? [type] : []
      })
    const types = (all: ReadonlyArray<{ readonly type: string }>) => all.map(({ type }) => type)
    assert.sameMembers(listed("source"), types(adapters.sources))
    assert.sameMembers(listed("exchanger"), types(adapters.exchangers))
  })
})

const cognito = "cognito-identity.us-east-1.amazonaws.com"
const sts = "sts.us-east-1.amazonaws.com"
const google = ["sts.googleapis.com", "iamcredentials.googleapis.com"]

/** Each kind of adapter that asks the world, and whom it asks there. */
const far: ReadonlyArray<readonly [type: string, column: string, hosts: ReadonlyArray<string>]> = [
  ["kubernetes-token-request", "none", [elsewhere]],
  ["aws", "entra", [sts, "login.microsoftonline.com"]],
  ["cognito", "cognito", [cognito, cognito]],
  ["cognito-login", "none", [cognito, cognito]],
  ["self-signed", "cognito-login", [cognito, cognito]],
  ["self-signed", "aws", [sts]],
  ["self-signed", "google", google],
  ["self-signed", "google-id-token", google],
  ["self-signed", "jwt-bearer", [elsewhere]],
  ["self-signed", "token-exchange", [elsewhere]],
  ["self-signed", "openai", [elsewhere]],
  ["self-signed", "anthropic", [elsewhere]]
]

const addresses = ["authorityHost", "endpoint", "iamCredentialsEndpoint", "stsEndpoint"]

/** Settings without the addresses of this machine: adapters then ask where they know to, and the rest is elsewhere. */
const atLarge = (settings: Settings, { https }: Sandbox.Sandbox): Settings => {
  const { caFile, tokenEndpoint } = settings
  return {
    ...Object.fromEntries(Object.entries(settings).filter(([name]) => !addresses.includes(name))),
    ...(typeof tokenEndpoint === "string" && {
      tokenEndpoint: tokenEndpoint.replace(https, `https://${elsewhere}`)
    }),
    ...(caFile !== undefined && { server: `https://${elsewhere}` })
  }
}

describe("where the way out is a proxy", () => {
  for (const [type, column, hosts] of far) {
    it.live(`from ${type} to ${column}`, () =>
      Effect.gen(function* () {
        const { sandbox } = running()
        const proxy = yield* Effect.acquireRelease(
          Effect.promise(() => connectProxy(Number(new URL(sandbox.https).port))),
          ({ close }) => Effect.sync(close)
        )
        vi.stubEnv("HTTPS_PROXY", `http://user:SECRET@${proxy.host}`)
        const outcome = yield* outcomeOf(type, column, `${type}-far`, (settings) =>
          atLarge(settings, sandbox)
        ).pipe(Effect.ensuring(Effect.sync(() => vi.stubEnv("HTTPS_PROXY", undefined))))
        assert.strictEqual(outcome, "✓")
        assert.deepStrictEqual(
          proxy.asked.map(([to]) => to),
          hosts.map((host) => `${host}:443`)
        )
      })
    )
  }
})

/** The cells of the page's one table, without their paddings and ticks. */
function readTable(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const [[, ...columns] = [], , ...rows] = text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.replaceAll("`", "").trim())
    )
  return new Map(
    rows.map(([type = "", ...cells]) => [
      type,
      new Map(cells.map((cell, index) => [columns[index] ?? "", cell]))
    ])
  )
}

/** The same for people to read. */
function writeTable(table: typeof outcomes): string {
  const columns = [...(table.values().next().value?.keys() ?? [])]
  const lines = [
    ["", ...columns],
    ...[...table].map(([type, row]) => [type, ...columns.map((column) => row.get(column) ?? "")])
  ]
  const widths = ["", ...columns].map((_, index) =>
    Math.max(...lines.map((line) => line[index]?.length ?? 0))
  )
  return lines
    .map((line) => line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  "))
    .join("\n")
}
