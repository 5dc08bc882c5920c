/**
 * The part of IAM that federation and least privilege need: roles, who may assume them and what they may do, OpenID
 * providers, and the account's own issuer.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
 */
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import type { Account } from "./Account.ts"
import { managedPolicies } from "./ManagedPolicies.ts"
import { oidcProviders } from "./OidcProviders.ts"
import { outboundFederation } from "./OutboundFederation.ts"
import * as Query from "./Query.ts"
import { roles } from "./Roles.ts"

/**
 * @param base the https base URL, under which the account's own issuer is
 */
export const make = (account: Account, base: string, clock: ServiceClock): Service =>
  Query.make({
    name: "iam",
    version: "2010-05-08",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    account,
    clock,
    operations: Object.fromEntries(
      [
        ...roles(account),
        ...managedPolicies(account),
        ...oidcProviders(account),
        ...outboundFederation(account, base)
      ].map((operation) => [operation.name, operation])
    )
  })
