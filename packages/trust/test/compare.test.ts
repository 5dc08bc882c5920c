import { assert, describe, it } from "@effect/vitest"
import { compare, isMet, nearest } from "@federate/trust"
import type { Demand } from "@federate/trust"

const demand = (given: Partial<Demand> = {}): Demand => ({
  claim: "sub",
  setting: "subject",
  expected: ["workload"],
  by: "equals",
  ...given
})

const verdict = (claims: Readonly<Record<string, unknown>>, given: Partial<Demand>) =>
  compare({ claims }, { kind: "record", demands: [demand(given)] }).comparisons[0]?.verdict

describe("a demand", () => {
  it.each<readonly [Partial<Demand>, unknown, string]>([
    [{}, "workload", "agrees"],
    [{}, "Workload", "differs"],
    [{}, undefined, "differs"],
    [{ expected: ["other", "workload"] }, "workload", "agrees"],
    [{}, ["other", "workload"], "agrees"],
    [{ expected: ["7"] }, 7, "agrees"],
    [{ by: "equalsIgnoringCase" }, "WORKLOAD", "agrees"],
    [{ by: "equalsIgnoringCase" }, "load", "differs"],
    [{ by: "like", expected: ["repo:o/r:*"] }, "repo:o/r:ref:refs/heads/main", "agrees"],
    [{ by: "like", expected: ["repo:o/r:*"] }, "xrepo:o/r:", "differs"],
    [{ by: "like", expected: ["w?rkload"] }, "workload", "agrees"],
    [{ by: "like", expected: ["w.rkload"] }, "workload", "differs"],
    [{ by: "atMostBytes", expected: ["4"] }, "ééé", "differs"],
    [{ by: "atMostBytes", expected: ["4"] }, "éé", "agrees"],
    [{ by: "unreadable" }, "workload", "unknown"]
  ])("%j of %j %s", (given, sub, expected) => {
    assert.strictEqual(verdict(sub === undefined ? {} : { sub }, given), expected)
  })

  it("looks at what goes before its claim, where that is there", () => {
    const given = { claim: "aud", instead: "azp", expected: ["client"] }
    assert.strictEqual(verdict({ aud: "client" }, given), "agrees")
    assert.strictEqual(verdict({ aud: "client", azp: "other" }, given), "differs")
  })

  it("is about the claims that are there, and not about what every object has", () => {
    assert.deepEqual(
      compare({ claims: {} }, { kind: "record", demands: [demand({ claim: "toString" })] })
        .comparisons[0]?.presented,
      []
    )
  })

  it("does not match for ever", () => {
    assert.strictEqual(
      verdict({ sub: "a".repeat(5000) }, { by: "like", expected: [`${"*".repeat(5000)}b`] }),
      "differs"
    )
  })

  it.each([
    ["job:*", "equals", /As a pattern it would fit; but it is taken to the letter/],
    ["task:*", "equals", undefined],
    ["task:*", "like", undefined],
    ["us-east-1:pool", "equals", /^The trust has the token's `aud` there\.$/],
    ["Job:main", "equals", /upper and lower case/]
  ] as const)("that is misread is told how: %s, by %s", (expected, by, meaning) => {
    const [comparison] = compare(
      { claims: { sub: "job:main", aud: ["us-east-1:pool"] } },
      { kind: "record", demands: [demand({ by, expected: [expected] })] }
    ).comparisons
    const told = comparison?.nearest?.difference.meaning
    if (meaning === undefined) assert.isUndefined(told)
    else assert.match(told ?? "", meaning)
  })

  it("tells the pair that comes nearest", () => {
    const [comparison] = compare(
      { claims: { aud: ["xyz", "api://Exchange"] } },
      { kind: "record", demands: [demand({ claim: "aud", expected: ["q", "api://exchange"] })] }
    ).comparisons
    assert.strictEqual(comparison?.nearest?.presented, "api://Exchange")
    assert.strictEqual(comparison?.nearest?.expected, "api://exchange")
  })
})

describe("records", () => {
  const record = (name: string, iss: string, sub: string) => ({
    kind: "record",
    name,
    demands: [demand({ claim: "iss", expected: [iss] }), demand({ expected: [sub] })]
  })
  const claims = { iss: "https://issuer.example", sub: "workload" }

  it("are told apart by how near they come", () => {
    const held = nearest({ claims }, [
      record("nothing", "https://other.example", "x"),
      record("far", "https://issuer.example", "another thing"),
      record("near", "https://issuer.example", "workloads")
    ])
    assert.strictEqual(held?.record.name, "near")
    assert.isFalse(held !== undefined && isMet(held))
  })

  it("take what meets every demand", () => {
    const held = nearest({ claims }, [record("it", "https://issuer.example", "workload")])
    assert.isTrue(held !== undefined && isMet(held))
    assert.isUndefined(nearest({ claims }, []))
  })
})
