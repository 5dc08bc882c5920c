/**
 * What the doctor says of set-ups with one thing wrong each: at least one for every refusal of Entra, AWS and Google that
 * a set-up can cause. The first `✗` must name the cause, and its fix must mend it. What they make comes as a table.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import type { Finding } from "@federate/trust"
import { Effect } from "effect"
import { cloud } from "./cloud.ts"
import { federate } from "./command.ts"
import { folder } from "./folder.ts"
import { aws, well as wellAws } from "./setUps/aws.ts"
import { cognito, well as wellCognito } from "./setUps/cognito.ts"
import { entra, well as wellEntra } from "./setUps/entra.ts"
import { google, well as wellGoogle } from "./setUps/google.ts"
import * as refusals from "./setUps/refusals.ts"
import type { SetUp } from "./setUps/SetUp.ts"

const sandbox = cloud()
const here = folder()
const file = join(here, "federate.yaml")
beforeEach(() => vi.stubEnv("FEDERATE_CONFIG", file))

let built = 0

/** Builds it, and goes through it. */
const examine = ({ build }: Pick<SetUp, "build">) =>
  Effect.acquireUseRelease(
    Effect.promise(() => {
      const name = `set-up-${++built}`
      const write = (token: string) => {
        const path = join(here, `${name}.jwt`)
        writeFileSync(path, token)
        return path
      }
      return build({ sandbox: sandbox(), name, write })
    }),
    Effect.fnUntraced(function* ({ args = [], env = {}, exchanger, source }) {
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ flows: { flow: { source, exchanger } } }))
      const { code, stderr, stdout } = yield* federate(["doctor", "flow", "--json", ...args])
      assert.strictEqual(stderr, "")
      // As `--json` prints them.
      const { findings, healthy } = JSON.parse(stdout) as {
        readonly healthy: boolean
        readonly findings: ReadonlyArray<Finding>
      }
      assert.strictEqual(healthy, code === 0)
      return { code, findings }
    }),
    ({ undo }) => Effect.promise(async () => undo?.())
  )

const told = (findings: ReadonlyArray<Finding>) =>
  findings.map(({ subject, verdict, what }) => `${verdict} ${subject}: ${what}`).join("\n")

describe("a set-up with nothing wrong", () => {
  it.live.each([...wellEntra, ...wellAws, ...wellCognito, ...wellGoogle])(
    "is told to be well: $name",
    (setUp) =>
      Effect.gen(function* () {
        const { code, findings } = yield* examine(setUp)
        assert.strictEqual(code, 0, told(findings))
      })
  )
})

/** With the code by which the other side refused, where its own words are not what was found. */
const said = (finding: Finding | undefined, code: string | undefined) =>
  finding === undefined
    ? ""
    : `${finding.subject}: ${finding.what}${code === undefined || finding.what.startsWith(code) ? "" : ` (${code})`}`

const table: Array<readonly [setUp: string, found: string, fix: string]> = []

describe("a set-up with one thing wrong", () => {
  const all = [...entra, ...aws, ...cognito, ...google]

  it.live.each(all)("is told what, and how to mend it: $name", (setUp) =>
    Effect.gen(function* () {
      const { code, findings } = yield* examine(setUp)
      const wrong = findings.filter(({ verdict }) => verdict === "wrong")
      const [first] = wrong
      assert.strictEqual(code, 1)
      assert.strictEqual(first?.subject, setUp.found, told(findings))
      assert.match(first?.what ?? "", setUp.what)
      if (setUp.why !== undefined) assert.match(first?.why ?? "", setUp.why)
      assert.match(first?.fix ?? "", setUp.fix)
      for (const { fix, subject, why } of wrong) assert.isDefined(why && fix, subject)
      if (setUp.code !== undefined) {
        assert.strictEqual(
          /^(\w+): /.exec(wrong.at(-1)?.what ?? "")?.[1],
          setUp.code,
          told(findings)
        )
      }
      table.push([setUp.name, said(first, setUp.code), first?.fix ?? ""])
    })
  )

  afterAll(() => {
    const cut = (text: string, length: number) =>
      (text.length > length ? `${text.slice(0, length - 1)}…` : text).padEnd(length)
    process.stdout.write(
      [["set-up", "found", "fix"] as const, ...table]
        .map(([name, found, fix]) => `${cut(name, 56)} | ${cut(found, 90)} | ${cut(fix, 100)}`)
        .join("\n") + "\n"
    )
  })
})

describe("a refusal that no set-up causes", () => {
  it.live.each([...refusals.entra, ...refusals.aws, ...refusals.google])(
    "is explained by its words: $code, as $because",
    ({ code, text, told: meaning }) =>
      Effect.gen(function* () {
        const { stdout } = yield* federate(["explain", "--json"], { stdin: text })
        // As `--json` prints them.
        const { findings } = JSON.parse(stdout) as { readonly findings: ReadonlyArray<Finding> }
        const finding = findings.find(({ subject }) => subject === code)
        assert.match(finding?.what ?? "", meaning, told(findings))
      })
  )
})
