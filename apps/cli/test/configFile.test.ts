import * as NodeServices from "@effect/platform-node/NodeServices"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, afterEach, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { flowOf, load } from "../src/configFile.ts"
import { configFile, placeholders } from "../src/template.ts"
import { folder } from "./folder.ts"

const root = folder()
const inner = join(root, "a", "b")
mkdirSync(inner, { recursive: true })

const write = (file: string, flow: string): string => {
  const path = join(root, file)
  const ids = { identityPoolId: "x", tenantId: "x", clientId: "x" }
  writeFileSync(path, configFile({ ...placeholders, ...ids, flow }))
  return path
}
const above = write("federate.yaml", "above")
const named = write("named.yaml", "named")
const chosen = write("chosen.yaml", "chosen")

const flows = (name?: string) =>
  load(name).pipe(
    Effect.map((config) => [...config.flows.keys()]),
    Effect.provide(NodeServices.layer)
  )

const before = process.cwd()
beforeEach(() => process.chdir(inner))
afterEach(() => {
  process.chdir(before)
  vi.unstubAllEnvs()
})

describe("the config file", () => {
  it.effect("is the one that is named", () =>
    Effect.gen(function* () {
      vi.stubEnv("FEDERATE_CONFIG", chosen)
      assert.deepEqual(yield* flows(named), ["named"])
    })
  )

  it.effect("else $FEDERATE_CONFIG", () =>
    Effect.gen(function* () {
      vi.stubEnv("FEDERATE_CONFIG", chosen)
      assert.deepEqual(yield* flows(), ["chosen"])
      assert.deepEqual(yield* flows(""), ["chosen"])
    })
  )

  it.effect("else the nearest federate.yaml, here or above", () =>
    Effect.gen(function* () {
      for (const unset of [undefined, ""]) {
        vi.stubEnv("FEDERATE_CONFIG", unset)
        assert.deepEqual(yield* flows(), ["above"])
      }
      process.chdir(join(root, "a"))
      write("a/federate.yaml", "nearer")
      assert.deepEqual(yield* flows(), ["nearer"])
    })
  )

  it.effect("is asked for where there is none", () =>
    Effect.gen(function* () {
      vi.stubEnv("FEDERATE_CONFIG", undefined)
      process.chdir("/")
      const error = yield* Effect.flip(flows())
      assert.strictEqual(
        error.message,
        "There is no federate.yaml here or above. Write one with `federate init`, or name it with --config FILE or $FEDERATE_CONFIG."
      )
    })
  )

  it.effect("is told why it cannot be read", () =>
    Effect.gen(function* () {
      const problem = (name?: string) =>
        Effect.map(Effect.flip(flows(name)), ({ message }) => message)
      assert.strictEqual(
        yield* problem("nowhere.yaml"),
        "nowhere.yaml: cannot be read: there is no such file or folder"
      )
      assert.strictEqual(
        yield* problem(root),
        `${root}: cannot be read: it is a folder, or its folder is a file`
      )
      assert.strictEqual(
        yield* problem(join(above, "x")),
        `${above}/x: cannot be read: it is a folder, or its folder is a file`
      )
      vi.stubEnv("FEDERATE_CONFIG", "nowhere.yaml")
      assert.strictEqual(
        yield* problem(),
        "nowhere.yaml: cannot be read: there is no such file or folder; it is named by $FEDERATE_CONFIG"
      )
    })
  )
})

describe("a flow", () => {
  const config = {
    flows: new Map([["graph", { name: "graph", source: "", exchanger: "", make: Effect.never }]])
  }

  it.effect("is found by its name", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* flowOf(config, "graph")).name, "graph")
      const { message } = yield* Effect.flip(flowOf(config, "grap"))
      assert.strictEqual(message, `There is no flow called "grap". The config file has graph.`)
    })
  )
})
