/**
 * Who am I, by AWS STS. It needs no permission.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
import * as Effect from "effect/Effect"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as Account from "./Account.ts"
import * as Query from "./Query.ts"

export const make = (account: Account.Account, clock: ServiceClock): Service =>
  Query.make({
    name: "sts",
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    account,
    clock,
    operations: {
      GetCallerIdentity: {
        endpoint: "sts.GetCallerIdentity",
        run: ({ caller }) =>
          Effect.succeed({
            Arn: Account.callerArn(account, caller),
            UserId: `${caller.role.id}:${caller.sessionName}`,
            Account: account.id
          })
      }
    }
  })
