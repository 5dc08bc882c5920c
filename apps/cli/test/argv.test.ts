import { assert, describe, it } from "vitest"
import { joined, own, separated } from "../src/argv.ts"

describe("--wait-propagation", () => {
  it.each([
    [
      ["token", "graph", "--wait-propagation", "5m"],
      ["token", "graph", "--wait-propagation=5m"]
    ],
    [
      ["token", "--wait-propagation", "1h 30m", "graph"],
      ["token", "--wait-propagation=1h 30m", "graph"]
    ],
    // It lacks its unit, and is told so: no flow is meant.
    [
      ["token", "graph", "--wait-propagation", "5"],
      ["token", "graph", "--wait-propagation=5"]
    ]
  ])("takes a duration after a blank: %j", (args, expected) => {
    assert.deepEqual(joined(args), expected)
  })

  it.each([
    [["token", "--wait-propagation", "graph"]],
    [["token", "--wait-propagation", "365-graph"]],
    [["token", "graph", "--wait-propagation"]],
    [["token", "graph", "--wait-propagation=5m"]],
    [["token", "--wait-propagation", "--json", "graph"]],
    [["token", "--", "--wait-propagation", "5m"]],
    [["token", "5m"]],
    [[]]
  ])("leaves everything else alone: %j", (args) => {
    assert.deepEqual(joined(args), args)
  })
})

describe("--", () => {
  it.each([
    [["run", "--", "curl", "--json", "{}"], ["run"]],
    [
      ["token", "--json"],
      ["token", "--json"]
    ],
    [["--"], []]
  ])("ends federate's own: %j", (args, expected) => {
    assert.deepEqual(own(args), expected)
  })
})

describe("the command of run", () => {
  it.each([
    [
      ["run", "terraform", "apply", "-auto-approve"],
      ["run", "--", "terraform", "apply", "-auto-approve"]
    ],
    [
      ["run", "npm", "test", "--", "--help"],
      ["run", "--", "npm", "test", "--", "--help"]
    ],
    [
      ["-c", "run", "run", "--flow", "a", "--flow=b", "--log-level", "debug", "run", "--flow"],
      ["-c", "run", "run", "--flow", "a", "--flow=b", "--log-level", "debug", "--", "run", "--flow"]
    ]
  ])("has its flags to itself: %j", (args, expected) => {
    assert.deepEqual(separated(args), expected)
  })

  it.each([
    [["run", "--", "node", "--version"]],
    [["run", "--flow", "a", "--", "node", "--", "x"]],
    [["run", "--help"]],
    [["run", "--flow"]],
    [["run"]],
    [["token", "run", "--json"]],
    [["--", "run", "x"]],
    [["--version"]],
    [[]]
  ])("leaves everything else alone: %j", (args) => {
    assert.deepEqual(separated(args), args)
  })
})
