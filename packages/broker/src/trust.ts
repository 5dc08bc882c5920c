/** Whose assertions a broker trusts, as trust records: for `@federate/trust`. */
import type { TrustRecord } from "@federate/trust"
import type { BrokerConfig } from "./BrokerConfig.ts"

/**
 * One for each policy, with where it stands in a config file. A `*` of the broker's ends with its segment, and a
 * record's does not: it tells whom a policy lets in, and not whether it takes a token.
 */
export const trustRecords = ({
  tokenExchange
}: BrokerConfig): ReadonlyArray<readonly [path: string, record: TrustRecord]> =>
  Object.entries(tokenExchange?.policies ?? {}).map(
    ([name, { algorithms, audience, issuer, subject }]) => [
      `broker.tokenExchange.policies.${name}`,
      {
        kind: "trust policy",
        name,
        demands: [
          { claim: "iss", setting: "issuer", expected: [issuer], by: "equals" },
          {
            claim: "aud",
            setting: "audience",
            expected: typeof audience === "string" ? [audience] : audience,
            by: "equals"
          },
          { claim: "sub", setting: "subject", expected: [subject], by: "like" }
        ],
        algorithms
      }
    ]
  )
