/** What is unsafe or bound to fail with Microsoft Entra, before any call. */
import type { ExchangerRules, Finding } from "@federate/trust"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud } from "./clouds.ts"
import type { Options } from "./exchanger.ts"

/** Of `issuer`, `subject` and `audiences` in a federated credential, in characters. */
const longest = 600

export const exchangerRules: ExchangerRules<Options> = {
  type: "entra",
  party: "Microsoft Entra",
  check: ({ audience, authorityHost, cloud, tenantId }, { claims }) => {
    const own: Cloud | undefined =
      cloud !== undefined || authorityHost === undefined
        ? clouds[cloud ?? "public"]
        : cloudOf(authorityHost.replace(/\/+$/, ""))
    const other = Object.entries<Cloud>(clouds).find(
      ([, each]) => each.audience !== undefined && each.audience === audience && each !== own
    )
    return [
      ...(other === undefined || own === undefined
        ? []
        : [
            {
              verdict: "wrong",
              subject: "audience",
              what: `"${audience}" is of the cloud ${other[0]}, and tokens are asked for at ${own.authorityHost}.`,
              fix: `Leave \`audience\` out${own.audience === undefined ? "" : `: it is ${own.audience} here`}; or set \`cloud: ${other[0]}\`.`
            } satisfies Finding
          ]),
      ...(tenantId.includes(".")
        ? [
            {
              verdict: "note",
              subject: "tenantId",
              what: `"${tenantId}" is a domain.`,
              why: "A domain can be moved to another tenant, and its assertions would go there.",
              fix: "Write the directory (tenant) id."
            } satisfies Finding
          ]
        : []),
      ...Object.entries(claims).flatMap(([claim, { length }]): ReadonlyArray<Finding> =>
        length > longest
          ? [
              {
                verdict: "wrong",
                subject: claim,
                what: `The assertion's \`${claim}\` has ${length} characters, and a federated credential takes ${longest}.`,
                fix: "Take a source whose is shorter."
              }
            ]
          : []
      )
    ]
  }
}
