/** Fly.io as an assertion source: a token about the machine, for whatever audience is asked for. */
import { constants } from "node:fs"
import { access } from "node:fs/promises"
import { AssertionSource, Misconfigured, Unavailable } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import { nodeFetch } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import { chosenAudience } from "./audience.ts"
import { signed } from "./signing.ts"

export interface FlyOptions {
  /**
   * Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers; without
   * a wish of its own Fly's default, `https://fly.io/ORGANIZATION`.
   */
  readonly audience?: string | undefined
  /** The unix socket of the machine's own API. Default `/.fly/api`. */
  readonly socket?: string | undefined
  /** Default: over the socket. */
  readonly fetch?: Fetch | undefined
}

/**
 * https://fly.io/docs/security/openid-connect/: `POST /v1/tokens/oidc` over the socket that each machine has. The token
 * lives 15 minutes; its issuer is `https://oidc.fly.io/ORGANIZATION`, its subject `ORGANIZATION:APP:MACHINE`. Without the
 * socket it is `Unavailable`.
 */
export const fly = ({
  audience,
  fetch,
  socket = "/.fly/api"
}: FlyOptions = {}): Effect.Effect<AssertionSource.AssertionSource> =>
  Effect.succeed(
    AssertionSource.make({
      name: "fly",
      offers: { issuer: { within: "oidc.fly.io" }, audience: "any" },
      assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
        Assertion.Assertion,
        Reason
      > {
        if (fetch === undefined) yield* reachable(socket)
        return yield* signed({
          who: "Fly.io",
          fetch: fetch ?? nodeFetch({ socketPath: socket }),
          request: {
            // Whatever the host: the socket has one service behind it.
            url: "http://localhost/v1/tokens/oidc",
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ aud: chosenAudience(request, audience) })
          },
          token: ({ body }) => new TextDecoder().decode(body).trim(),
          hint: () =>
            "Compare the audience; and let the machine be one of an app whose organization may have such tokens."
        })
      })
    })
  )

const reachable = (socket: string) =>
  Effect.tryPromise({
    try: () => access(socket, constants.W_OK),
    catch: (error) =>
      error instanceof Error && "code" in error && error.code === "EACCES"
        ? new Misconfigured({
            setting: "socket",
            problem: `this process may not write to ${socket} (EACCES)`,
            hint: `It is root's: run as root, or let another user in when the machine starts (\`chmod a+rw ${socket}\`).`
          })
        : new Unavailable({
            detail: `There is no socket ${socket}`,
            hint: "Run on a Fly.io machine."
          })
  })
