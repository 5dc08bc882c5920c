import { assert, describe, it } from "@effect/vitest"
import { trustRecords } from "@federate/broker/config"

describe("trust policies", () => {
  it("are trust records, by where they stand", () => {
    const records = trustRecords({
      tokenExchange: {
        policies: {
          ci: {
            issuer: "https://issuer.example",
            audience: "broker",
            subject: "repo:o/r:*",
            algorithms: ["RS256"],
            flows: ["graph"]
          }
        }
      }
    })
    assert.deepEqual(
      records.map(([path, { algorithms, demands }]) => [
        path,
        algorithms,
        demands.map(({ by, claim, expected }) => [claim, by, ...expected])
      ]),
      [
        [
          "broker.tokenExchange.policies.ci",
          ["RS256"],
          [
            ["iss", "equals", "https://issuer.example"],
            ["aud", "equals", "broker"],
            ["sub", "like", "repo:o/r:*"]
          ]
        ]
      ]
    )
    assert.deepEqual(trustRecords({}), [])
  })
})
