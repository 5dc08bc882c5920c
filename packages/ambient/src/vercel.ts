/** Vercel as an assertion source: the token of the project and its environment, for whatever audience is asked for. */
import { Assertion, AssertionSource } from "@federate/core"
import type { Reason } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import { readAssertionFile } from "@federate/local"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { chosenAudience } from "./audience.ts"
import { fit } from "./fit.ts"
import { field, signed } from "./signing.ts"
import { tokenInVariable } from "./variable.ts"

export interface VercelOptions {
  /**
   * Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers; without
   * a wish of its own Vercel's default, `https://vercel.com/TEAM`.
   */
  readonly audience?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

/**
 * https://vercel.com/docs/oidc: in a function the token of the request that is served; else in the file that
 * `VERCEL_OIDC_TOKEN_FILE` names, or in `VERCEL_OIDC_TOKEN` (builds, and `vercel env pull`). Its issuer is
 * `https://oidc.vercel.com/TEAM`, its subject `owner:TEAM:project:PROJECT:environment:ENVIRONMENT`. For another audience
 * it is traded at `https://oidc.vercel.com/~token`. Where there is none it is `Unavailable`.
 */
export const vercel = ({
  audience,
  environment = platformEnvironment,
  fetch
}: VercelOptions = {}): Effect.Effect<AssertionSource.AssertionSource> =>
  Effect.succeed(
    AssertionSource.make({
      name: "vercel",
      offers: { issuer: { within: "oidc.vercel.com" }, audience: "any", algorithms: ["RS256"] },
      assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
        Assertion.Assertion,
        Reason
      > {
        const own = yield* current(environment)
        const wanted = chosenAudience(request, audience)
        if (wanted === undefined || own.audience.includes(wanted)) return own
        return yield* signed({
          who: "Vercel",
          fetch,
          request: {
            url: "https://oidc.vercel.com/~token",
            method: "POST",
            headers: { "content-type": "application/json", accept: "application/json" },
            body: JSON.stringify({ token: Redacted.value(own.token), aud: wanted })
          },
          token: field("token"),
          hint: () =>
            `Compare the audience "${wanted}"; the project's own token is for ${own.audience.join(", ")}.`
        })
      })
    })
  )

/** The project's own token. */
const current = Effect.fnUntraced(function* (
  environment: Environment
): Effect.fn.Return<Assertion.Assertion, Reason> {
  const obtainedAt = yield* Clock.currentTimeMillis
  const header = requestHeader()
  if (header !== undefined) {
    return yield* Effect.fromResult(Assertion.fromJwt(Redacted.make(header), { obtainedAt }))
  }
  const path = environment(fileVariable)
  if (path === undefined) {
    const variable = "VERCEL_OIDC_TOKEN"
    return yield* tokenInVariable({}, { variable, environment, absent, renewal })
  }
  const assertion = yield* readAssertionFile({ setting: fileVariable, path, absent })
  return yield* Effect.fromResult(
    fit({}, assertion, { setting: fileVariable, place: path, renewal })
  )
})

const fileVariable = "VERCEL_OIDC_TOKEN_FILE"

const absent =
  "Run on Vercel, in a project whose settings (Security) have OIDC switched on; elsewhere `vercel env pull` brings a token for half a day."

const renewal =
  "Pull a new one by `vercel env pull`; a function has a new one with each request. Or mend this machine's clock."

/** What Vercel's own library looks at: the headers of the request that is served, in a function. */
const requestHeader = (): string | undefined => {
  // Nothing declares it; Vercel puts it there.
  const held = globalThis as { readonly [requestContext]?: RequestContext }
  return held[requestContext]?.get?.()?.headers?.["x-vercel-oidc-token"]
}

const requestContext: unique symbol = Symbol.for("@vercel/request-context")

interface RequestContext {
  readonly get?: () =>
    | { readonly headers?: Readonly<Record<string, string | undefined>> }
    | undefined
}
