/** AWS's partitions, as far as STS differs in them. */

export interface Partition {
  /** As it stands in ARNs. */
  readonly name: string
  /** What regions' hosts end in. */
  readonly suffix: string
  /** What an OIDC provider of IAM lists as its audience unless its owner chose another one. */
  readonly audience: string
  /** The domain of its accounts' issuers, where it is known. */
  readonly issuers?: string
}

const audience = "sts.amazonaws.com"
const standard: Partition = {
  name: "aws",
  suffix: "amazonaws.com",
  audience,
  issuers: "tokens.sts.global.api.aws"
}

/** By what their regions' names begin with: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const others: ReadonlyArray<readonly [regions: string, Partition]> = [
  ["cn-", { name: "aws-cn", suffix: "amazonaws.com.cn", audience: "sts.amazonaws.com.cn" }],
  ["us-gov-", { name: "aws-us-gov", suffix: "amazonaws.com", audience }],
  ["eusc-", { name: "aws-eusc", suffix: "amazonaws.eu", audience }],
  ["us-iso-", { name: "aws-iso", suffix: "c2s.ic.gov", audience }],
  ["us-isob-", { name: "aws-iso-b", suffix: "sc2s.sgov.gov", audience }],
  ["eu-isoe-", { name: "aws-iso-e", suffix: "cloud.adc-e.uk", audience }],
  ["us-isof-", { name: "aws-iso-f", suffix: "csp.hci.ic.gov", audience }],
  ["eu-isof-", { name: "aws-iso-f", suffix: "csp.hci.ic.gov", audience }]
]

export const partitionOf = (region: string): Partition =>
  others.find(([regions]) => region.startsWith(regions))?.[1] ?? standard

/** By the name in an ARN. */
export const partitionNamed = (name: string): Partition | undefined =>
  [standard, ...others.map(([, partition]) => partition)].find((each) => each.name === name)
