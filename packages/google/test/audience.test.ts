import { parseAudience } from "@federate/google"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const workload = (project: string, pool: string, provider: string) =>
  `//iam.googleapis.com/projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`

const parse = (audience: string, universe = "googleapis.com") => parseAudience(audience, universe)

const id = Schema.String.check(Schema.isPattern(/^[a-z0-9-]{4,32}$/))
const project = Schema.String.check(Schema.isPattern(/^[1-9][0-9]{0,15}$/))

describe("an audience", () => {
  it.prop(
    "of a workload pool's provider is taken, and names its principals",
    [project, id, id, Schema.String],
    ([number, pool, provider, subject]) => {
      const { kind, principal } = Result.getOrThrow(parse(workload(number, pool, provider)))
      assert.strictEqual(kind, "workload")
      assert.strictEqual(
        principal(subject),
        `principal://iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/${pool}/subject/${subject}`
      )
    }
  )

  it("of a workforce pool's provider is taken", () => {
    const { kind, principal } = Result.getOrThrow(
      parse("//iam.googleapis.com/locations/global/workforcePools/people/providers/okta")
    )
    assert.strictEqual(kind, "workforce")
    assert.strictEqual(
      principal("me"),
      "principal://iam.googleapis.com/locations/global/workforcePools/people/subject/me"
    )
  })

  const good = workload("123456", "my-pool", "my-provider")
  it.prop(
    "with any one character changed to a blank or a slash is refused",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: good.length - 1 })),
      Schema.Literals([" ", "/", "\n", "%", "?"])
    ],
    ([at, character]) => {
      const changed = good.slice(0, at) + character + good.slice(at + 1)
      assert.strictEqual(Result.isSuccess(parse(changed)), changed === good, changed)
    }
  )

  it("that is anything else is refused with what to write", () => {
    for (const [audience, text] of [
      ["", /full name/],
      ["my-pool", /full name/],
      [workload("123", "my-pool", "prov").slice(2), /does not begin/],
      [
        `https:${workload("123", "my-pool", "prov")}`,
        /Write \/\/iam\.googleapis\.com\/projects\/123/
      ],
      [
        "projects/123/locations/global/workloadIdentityPools/my-pool/providers/prov",
        /Write \/\/iam\.googleapis\.com\/projects\/123/
      ],
      [workload("my-project", "my-pool", "prov"), /gcloud projects describe my-project/],
      [workload("0123", "my-pool", "prov"), /wants its number/],
      [workload("123", "my-pool", "prov").replace(/\/providers.*/, ""), /no provider of it/],
      [workload("123", "My_Pool", "prov"), /names no pool/],
      [workload("123", "my-pool", "prov/x"), /no provider of it/],
      [workload("123", "my-pool", "prov/providers/x"), /no provider of it/],
      [workload("123", "my-pool", "prov").replace("global", "eu"), /names no pool/],
      ["//sts.googleapis.com/projects/123", /is of the host "sts\.googleapis\.com"/],
      [workload("123", "my-pool", "prov").replace("googleapis.com", "x.goog"), /universeDomain/]
    ] as const) {
      const { hint, problem, setting } = Result.getOrThrow(Result.flip(parse(audience)))
      assert.strictEqual(setting, "audience")
      assert.match(`${problem}. ${hint}`, text, audience)
    }
  })

  it("of another universe is taken with that universe's domain alone", () => {
    const other = workload("123", "my-pool", "prov").replace("googleapis.com", "x.goog")
    assert.isTrue(Result.isSuccess(parse(other, "x.goog")))
    assert.isTrue(Result.isSuccess(parse(workload("123", "my-pool", "prov"), "x.goog")))
    assert.isTrue(Result.isFailure(parse(other, "y.goog")))
  })
})
