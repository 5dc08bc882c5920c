import { AssertionSource, FederationError, Misconfigured, TokenExchanger } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { lint } from "@federate/trust"
import type { Finding, Linted, LintedFlow, LintRules, TrustRecord } from "@federate/trust"
import { Effect } from "effect"

const github = "https://token.actions.githubusercontent.com"

const refused = (setting: string) =>
  new FederationError({
    adapter: "x",
    stage: "configuration",
    reason: new Misconfigured({ setting, problem: "is bad", hint: "Do better." })
  })

const source = (offers: AssertionSource.AssertionOffer = {}) =>
  AssertionSource.make({ name: "from", offers, assertion: () => Effect.die("not to be asked") })

const exchanger = (asks: AssertionSource.AssertionRequest = {}) =>
  TokenExchanger.make({ name: "to", asks, exchange: () => Effect.die("not to be asked") })

interface Settings {
  readonly subject?: string
  readonly life?: number
}

const flow = (given: {
  readonly name?: string
  readonly offers?: AssertionSource.AssertionOffer
  readonly asks?: AssertionSource.AssertionRequest
  readonly settings?: Settings
  readonly parts?: Partial<LintedFlow["parts"]>
}): LintedFlow => ({
  name: given.name ?? "graph",
  sources: [{ type: "from", settings: given.settings ?? {} }],
  exchanger: "to",
  exchangerSettings: {},
  parts: {
    source: Effect.succeed(source(given.offers)),
    exchanger: Effect.succeed(exchanger(given.asks)),
    ...given.parts
  }
})

/** A party whose documents are its records. */
const rules: LintRules = {
  parties: [
    {
      name: "Party",
      records: (document) =>
        // Every document here is one of this file's own.
        (document as { readonly record?: TrustRecord }).record === undefined
          ? []
          : [(document as { readonly record: TrustRecord }).record],
      errors: () => []
    }
  ],
  documents: [
    (document) =>
      (document as { readonly risk?: string }).risk === undefined
        ? []
        : [{ verdict: "risky", subject: "policy", what: "It is wide." }]
  ],
  sources: [
    {
      type: "from",
      expected: ({ life, subject }: Settings) => ({
        subject,
        life: life === undefined ? undefined : { setting: "duration", milliseconds: life }
      }),
      check: (_, { others }) => [
        { verdict: "note", subject: "shared", what: `${others.length} others` }
      ]
    }
  ],
  exchangers: [
    {
      type: "to",
      party: "Party",
      check: (_, { claims }) =>
        claims["sub"] === "long"
          ? [{ verdict: "wrong", subject: "name", what: "It is too long." }]
          : []
    }
  ]
}

const found = (given: Partial<Linted>) =>
  Effect.map(lint({ flows: [], grants: [], documents: [], others: [], ...given }, rules), (all) =>
    all
      .filter(({ subject }) => !subject.endsWith(".shared"))
      .map(({ subject, verdict, what }) => [verdict, subject, what] as const)
  )

const record = (given: Partial<TrustRecord> = {}): TrustRecord => ({
  kind: "record",
  name: "main",
  demands: [
    { claim: "iss", setting: "issuer", expected: ["https://issuer.example"], by: "equals" },
    { claim: "aud", setting: "audiences", expected: ["api://x"], by: "equals" },
    { claim: "sub", setting: "subject", expected: ["workload"], by: "equals" }
  ],
  ...given
})

describe("a flow", () => {
  it.effect("that can work is not told of", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* found({ flows: [flow({ settings: { life: 120_000 } })] }), [])
    })
  )

  it.effect("whose settings cannot work is told of, on both sides at once", () =>
    Effect.gen(function* () {
      const findings = yield* lint(
        {
          flows: [
            flow({
              parts: {
                source: Effect.fail(refused("duration")),
                exchanger: Effect.fail(refused("clientId"))
              }
            })
          ],
          grants: [],
          documents: [],
          others: []
        },
        rules
      )
      assert.deepEqual(findings, [
        {
          verdict: "wrong",
          subject: "flows.graph.source.duration",
          what: "`duration` is bad",
          fix: "Do better."
        },
        {
          verdict: "wrong",
          subject: "flows.graph.exchanger.clientId",
          what: "`clientId` is bad",
          fix: "Do better."
        }
      ] satisfies ReadonlyArray<Finding>)
    })
  )

  it.effect("of a pair that cannot work is told of", () =>
    Effect.gen(function* () {
      const [finding] = yield* found({
        flows: [flow({ offers: { algorithms: ["ES384"] }, asks: { algorithms: ["RS256"] } })]
      })
      assert.deepEqual(finding?.slice(0, 2), ["wrong", "flows.graph"])
      assert.match(finding?.[2] ?? "", /RS256/)
    })
  )

  it.effect.each([
    [29_000, "wrong"],
    [30_000, undefined],
    [3_600_000, undefined],
    [3_601_000, "note"]
  ] as const)("whose assertions live for %i ms is %s", ([life, verdict]) =>
    Effect.gen(function* () {
      const [finding] = yield* found({ flows: [flow({ settings: { life } })] })
      assert.deepEqual(
        finding?.slice(0, 2),
        verdict === undefined ? undefined : [verdict, "flows.graph.source.duration"]
      )
    })
  )

  it.effect("by an issuer whose name is wrong is told of", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* found({ flows: [flow({ offers: { issuer: `${github}/` } })] }), [
        ["wrong", "flows.graph.source.issuer", "ends in a slash, and GitHub Actions writes none."]
      ])
    })
  )

  it.effect("has what its exchanger finds, from what its source fixes", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* found({ flows: [flow({ settings: { subject: "long" } })] }), [
        ["wrong", "flows.graph.exchanger.name", "It is too long."]
      ])
    })
  )

  it.effect("is held against the others of its kind", () =>
    Effect.gen(function* () {
      const findings = yield* lint(
        {
          flows: [flow({ name: "one" }), flow({ name: "two" })],
          grants: [],
          documents: [],
          others: []
        },
        rules
      )
      assert.deepEqual(
        findings.map(({ what }) => what),
        ["1 others", "1 others"]
      )
    })
  )
})

describe("the record on the other side", () => {
  const offers = { issuer: "https://issuer.example", audience: { only: "api://x" } }

  it.effect("that fits what is known is not told of", () =>
    Effect.gen(function* () {
      const documents = [{ record: record() }]
      const fitting = flow({ offers, settings: { subject: "workload" } })
      assert.deepEqual(yield* found({ flows: [fitting], documents }), [])
      // What is not known may be anything.
      assert.deepEqual(yield* found({ flows: [flow({})], documents }), [])
    })
  )

  it.effect("that differs is told of, claim by claim", () =>
    Effect.gen(function* () {
      const findings = yield* found({
        flows: [flow({ offers, settings: { subject: "Workload" } })],
        documents: [{ record: record() }]
      })
      assert.deepEqual(findings, [["wrong", "flows.graph.sub", "It is not what `subject` wants."]])
    })
  )

  it.effect("wants the audience that a source that can choose is asked for", () =>
    Effect.gen(function* () {
      const findings = yield* found({
        flows: [flow({ offers: { audience: "any" }, asks: { preferredAudience: "api://y" } })],
        documents: [{ record: record() }]
      })
      assert.deepEqual(findings, [
        ["wrong", "flows.graph.aud", "It is not what `audiences` wants."]
      ])
    })
  )

  it.effect("that takes other algorithms is told of", () =>
    Effect.gen(function* () {
      const findings = yield* found({
        flows: [flow({ offers: { algorithms: ["RS512"] } })],
        documents: [{ record: record({ algorithms: ["RS256"] }) }]
      })
      assert.deepEqual(
        findings.map(([verdict, subject]) => [verdict, subject]),
        [["wrong", "flows.graph.alg"]]
      )
    })
  )

  it.effect("is nobody's where two flows have an exchanger of its kind", () =>
    Effect.gen(function* () {
      const settings = { subject: "other" }
      assert.deepEqual(
        yield* found({
          flows: [flow({ name: "one", settings }), flow({ name: "two", settings })],
          documents: [{ record: record() }]
        }),
        []
      )
    })
  )
})

describe("a record", () => {
  const about = (subject: string, by: "equals" | "like" = "like", issuer = github) =>
    record({
      demands: [
        { claim: "iss", setting: "issuer", expected: [issuer], by: "equals" },
        { claim: "sub", setting: "subject", expected: [subject], by }
      ]
    })

  it.effect.each([
    ["*", "risky", /lets every subject in/],
    ["*:*", "risky", /lets every subject in/],
    ["repo:*", "risky", /leaves open whose/],
    ["repo:o*/r:ref:x", "risky", /leaves open whose/],
    ["repo:o@1/*", "note", /is a pattern/],
    ["repo:o@1/r@2:*", "note", /is a pattern/]
  ] as const)("is told by how much it lets in: %s", ([subject, verdict, told]) =>
    Effect.gen(function* () {
      const findings = yield* found({ documents: [{ record: about(subject) }] })
      assert.deepEqual(
        findings.map((finding) => finding.slice(0, 2)),
        [[verdict, "Party: record main"]]
      )
      assert.match(findings[0]?.[2] ?? "", told)
    })
  )

  it.effect("of one subject is not told of, nor a pattern without wildcards", () =>
    Effect.gen(function* () {
      const one = "repo:o@1/r@2:ref:refs/heads/main"
      assert.deepEqual(yield* found({ documents: [{ record: about(one, "equals") }] }), [])
      assert.deepEqual(yield* found({ documents: [{ record: about(one) }] }), [])
    })
  )

  it.effect("of an issuer of one's own may leave open whose it is", () =>
    Effect.gen(function* () {
      const [finding] = yield* found({
        documents: [{ record: about("team:*", "like", "https://issuer.example") }]
      })
      assert.strictEqual(finding?.[0], "note")
    })
  )

  it.effect("has problems and risks of its own, and its issuer's", () =>
    Effect.gen(function* () {
      const findings = yield* found({
        documents: [
          {
            record: {
              ...about("x", "equals", `${github}/`),
              problems: [{ what: "bad", fix: "Do better." }],
              risks: ["wide"]
            }
          }
        ]
      })
      assert.deepEqual(
        findings.map(([verdict, , what]) => [verdict, what]),
        [
          ["wrong", "bad."],
          ["wrong", `\`issuer\` "${github}/" ends in a slash, and GitHub Actions writes none.`],
          ["risky", "wide."]
        ]
      )
    })
  )

  it.effect("that the file itself has is told by where it stands", () =>
    Effect.gen(function* () {
      const [finding] = yield* found({ grants: [["broker.policies.ci", about("repo:*")]] })
      assert.deepEqual(finding?.slice(0, 2), ["risky", "broker.policies.ci"])
    })
  )

  it.effect("in an older form of subjects is told of", () =>
    Effect.gen(function* () {
      const findings = yield* found({
        documents: [{ record: about("repo:o/r:ref:refs/heads/main", "equals") }]
      })
      assert.deepEqual(findings[0]?.slice(0, 2), ["note", "Party: record main"])
      assert.match(findings[0]?.[2] ?? "", /2026-07-15/)
    })
  )
})

describe("what stands around", () => {
  it.effect("is told of: documents, and what else the file makes", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* found({ documents: [{ risk: "x" }] }), [
        ["risky", "policy", "It is wide."]
      ])
      assert.deepEqual(
        yield* found({ others: [Effect.fail(refused("broker.aws.flow")), Effect.void] }),
        [["wrong", "broker.aws.flow", "`broker.aws.flow` is bad"]]
      )
    })
  )
})
