/** The secret as a bearer token (RFC 6750 §2.1). */
import { refusal } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"
import type { Headers } from "./Headers.ts"
import type { Secret } from "./Secret.ts"

export const bearer =
  (secret: Secret) =>
  ({ authorization }: Pick<Headers, "authorization">): Refusal | undefined =>
    secret.matches(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1])
      ? undefined
      : refusal(
          "unauthorized",
          "The header Authorization must be Bearer with this broker's token, which is the value of $FEDERATE_BROKER_TOKEN."
        )
