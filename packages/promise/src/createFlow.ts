/** A source, an exchanger, and the policy around them, for who awaits promises. */
import { Flow as CoreFlow } from "@federate/core"
import type * as Core from "@federate/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { TokenExchanger } from "./adapters.ts"
import type { AccessToken, AwsCredentials } from "./Credential.ts"
import type { Flow, FlowOptions, TokenFlow, TokenOptions, TokenRequest } from "./Flow.ts"
import { exchangerBehind, put, sourceBehind } from "./internal/behind.ts"
import { refreshPolicy, retryPolicy } from "./internal/policies.ts"
import { run, start, throwIfAborted } from "./internal/running.ts"
import * as translate from "./internal/translate.ts"

/**
 * Puts a source and an exchanger together; without an exchanger the flow hands out the assertion itself. Settings that
 * cannot work, and a pair that cannot, throw a `FederationError` at once, before any call.
 *
 * @example
 * ```ts
 * const flow = createFlow({ source: cognito({ … }), exchanger: entra({ … }) })
 * const { token } = await flow.getToken("https://graph.microsoft.com/.default")
 * ```
 */
export function createFlow(
  options: FlowOptions & { readonly exchanger?: TokenExchanger }
): TokenFlow
export function createFlow(
  options: FlowOptions & { readonly exchanger: TokenExchanger<AwsCredentials> }
): Flow<AwsCredentials>
export function createFlow({
  exchanger,
  name,
  refresh,
  retry,
  source
}: FlowOptions & { readonly exchanger?: TokenExchanger<AccessToken | AwsCredentials> }):
  | TokenFlow
  | Flow<AwsCredentials> {
  const scope = Scope.makeUnsafe()
  const making = start(
    Effect.gen(function* () {
      const parts = {
        ...(name !== undefined && { name }),
        ...(retry !== undefined && { retry: yield* retryPolicy(retry) }),
        ...(refresh !== undefined && { refresh: yield* refreshPolicy(refresh) }),
        source: yield* sourceBehind(source)
      }
      return exchanger === undefined
        ? yield* CoreFlow.make(parts)
        : yield* CoreFlow.make({ ...parts, exchanger: yield* exchangerBehind(exchanger) })
    }).pipe(Scope.provide(scope))
  )
  const made = Fiber.join(making)
  let known: CoreFlow.Flow<Core.AccessToken | Core.AwsCredentials> | undefined

  /** The flow, once it is made: nearly always at once. */
  const ready = () => {
    if (known === undefined) {
      const exit = making.pollUnsafe()
      if (exit !== undefined && Exit.isSuccess(exit)) known = exit.value
    }
    return known
  }

  const held = (asked: Core.TokenRequest.TokenRequest | undefined) => {
    const core = ready()
    const credential = core && CoreFlow.current(core, asked)
    return credential && translate.credential(credential)
  }

  const credential: Flow<AccessToken | AwsCredentials>["credential"] = async (
    request,
    { signal } = {}
  ) => {
    throwIfAborted(signal)
    const asked = request && asCore(request)
    return (
      held(asked) ??
      (await run(
        Effect.flatMap(made, (core) => Effect.map(core.credential(asked), translate.credential)),
        signal
      ))
    )
  }

  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))

  const flow = {
    get name() {
      return ready()?.name ?? name ?? "flow"
    },
    credential,
    current: (request?: TokenRequest) => held(request && asCore(request)),
    getToken: (scopes?: string | ReadonlyArray<string>, options?: TokenOptions) =>
      credential(
        scopes === undefined
          ? options
          : { ...options, scopes: typeof scopes === "string" ? [scopes] : scopes },
        options
      ),
    close,
    [Symbol.asyncDispose]: close
  }
  // The overloads tie the credential to the exchanger; the one body serves both.
  put(flow, made)
  return flow as never
}

/** Without what is not there, nor what is none of its business: core's keys are exact. */
const asCore = ({
  audience,
  claims,
  rejected,
  scopes
}: TokenRequest): Core.TokenRequest.TokenRequest => ({
  ...(scopes !== undefined && { scopes }),
  ...(audience !== undefined && { audience }),
  ...(claims !== undefined && { claims }),
  ...(rejected !== undefined && { rejected: translate.ofCore(rejected) })
})
