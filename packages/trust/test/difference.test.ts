import { assert, describe, it } from "@effect/vitest"
import { difference } from "@federate/trust"
import { Schema } from "effect"

const meaning = (presented: string, expected: string) => difference(presented, expected)?.meaning

describe("a difference", () => {
  it("is none between texts that are the same", () => {
    assert.isUndefined(difference("a", "a"))
  })

  it.prop(
    "is all that must be changed, and nothing at either end of it",
    [Schema.String, Schema.String],
    ([presented, expected]) => {
      const found = difference(presented, expected)
      if (found === undefined) return assert.strictEqual(presented, expected)
      const { end, start } = found.presented
      const wanted = expected.slice(found.expected.start, found.expected.end)
      const given = presented.slice(start, end)
      assert.strictEqual(presented.slice(0, start) + wanted + presented.slice(end), expected)
      assert.strictEqual(found.expected.start, start)
      if (given === "" || wanted === "") return
      assert.notStrictEqual(given[0], wanted[0])
      assert.notStrictEqual(given.at(-1), wanted.at(-1))
    }
  )

  it.each([
    ["repo:Octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", /upper and lower/],
    ["https://issuer.example", "https://issuer.example/", /slash at the end/],
    ["https://issuer.example", "https://issuer.example\n", /cannot be seen/],
    ["api://x", "api://x\u200b", /cannot be seen/],
    ["https://issuer.example", "issuer.example", /`https:` before/],
    ["https://iam.googleapis.com/projects/1", "//iam.googleapis.com/projects/1", /`https:` before/],
    ["https://issuer.example", "http://issuer.example", /One is http/],
    [
      "arn:aws:sts::123456789012:assumed-role/reader/session",
      "arn:aws:iam::123456789012:role/team/reader",
      /session of the role/
    ],
    [
      "eu-central-1:2f4e3c5a-0000-4000-8000-000000000000",
      "api://AzureADTokenExchange",
      /always for their identity pool/
    ],
    [
      "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
      "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0",
      /version 1 and of version 2/
    ]
  ] as const)("is known in both directions: %j, %j", (one, other, told) => {
    assert.match(meaning(one, other) ?? "", told)
    assert.match(meaning(other, one) ?? "", told)
  })

  it.each([
    ["a", "b"],
    ["arn:aws:sts::123456789012:assumed-role/reader/s", "arn:aws:iam::123456789012:role/writer"],
    ["arn:aws:sts::123456789012:assumed-role/reader/s", "arn:aws:iam::210987654321:role/reader"],
    [
      "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
      "https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0"
    ],
    ["repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/heads/other"]
  ])("is just another text: %j, %j", (one, other) => {
    assert.isUndefined(meaning(one, other))
    assert.isUndefined(meaning(other, one))
  })

  it.each([
    ["repo:o/r:environment:prod", "repo:o/r:ref:refs/heads/main", /names an environment/],
    ["repo:o/r:ref:refs/heads/main", "repo:o/r:environment:prod", /the job names none/],
    ["repo:o/r:pull_request", "repo:o/r:ref:refs/heads/main", /pull request/],
    ["repo:o@1/r@2:ref:refs/heads/main", "repo:o/r:ref:refs/heads/main", /form without/],
    ["repo:o/r:ref:refs/heads/main", "repo:o@1/r@2:ref:refs/heads/main", /still writes/],
    ["repo:o@1/r@3:ref:refs/heads/main", "repo:o@1/r@2:ref:refs/heads/main", /another repository/],
    ["repo:o/fork:ref:refs/heads/main", "repo:o/r:ref:refs/heads/main", /repository o\/fork/]
  ] as const)("of GitHub's subjects is told by side: %s, %s", (presented, expected, told) => {
    assert.match(meaning(presented, expected) ?? "", told)
  })
})
