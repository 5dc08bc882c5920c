/**
 * An assertion as plain text: the `url` source of Google's external accounts, and whatever else reads a token from a URL.
 *
 * Source: https://google.aip.dev/auth/4117
 */
import type { AccessToken } from "@federate/core"
import type * as Clock from "effect/Clock"
import * as Redacted from "effect/Redacted"
import { isRefusal, problem } from "../Answer.ts"
import { bearer } from "../bearer.ts"
import { parameters } from "../parameters.ts"
import * as Protocol from "../Protocol.ts"
import type { Route } from "../Route.ts"
import type { Secret } from "../Secret.ts"
import type { ServedTokens } from "../ServedFlow.ts"

export const path = (flow: string): string => `/subject-token/${flow}`

export const subjectToken = ({ flow }: ServedTokens, secret: Secret, clock: Clock.Clock): Route =>
  Protocol.route<AccessToken>(
    {
      name: "subject-token",
      contentType: "text/plain",
      authorize: bearer(secret),
      refuse: problem,
      read: (query) => {
        const asked = parameters(query)
        if (isRefusal(asked)) return asked
        const audience = asked.get("audience")
        return {
          flow,
          request: audience === undefined || audience === "" ? {} : { audience },
          scope: audience ?? "",
          write: ({ token }) => Redacted.value(token)
        }
      }
    },
    clock
  )
