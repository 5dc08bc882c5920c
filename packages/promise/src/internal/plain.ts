/** The one way in which constructors that give effects become plain functions. */
import * as Core from "@federate/core"
import * as Effect from "effect/Effect"
import type * as EffectDuration from "effect/Duration"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type {
  AssertionSource,
  AwsIdentity,
  AwsIdentityProvider,
  TokenExchanger
} from "../adapters.ts"
import type { AccessToken, AwsCredentials } from "../Credential.ts"
import type { Duration } from "../Duration.ts"
import { behind, put } from "./behind.ts"
import { start } from "./running.ts"

/** The same settings without a type of Effect's: texts for secrets, plain durations, plain sources. */
type Plain<T> = T extends Core.AssertionSource.AssertionSource
  ? AssertionSource
  : T extends Redacted.Redacted
    ? string
    : T extends string | number | boolean | undefined | ((...args: never) => unknown)
      ? T
      : { [K in keyof T]: PlainField<T[K]> }

type PlainField<T> = unknown extends T
  ? T
  : EffectDuration.Duration extends T
    ? Duration | Extract<T, undefined>
    : // Their types are the AWS SDK's.
      AwsIdentity extends T
      ? AwsIdentityProvider | Extract<T, undefined>
      : Plain<T>

/** Where settings hold secrets: `token`, `client.secret`. Those that take texts as well need no mention. */
type SecretPath<T> =
  Exclude<T, undefined> extends infer Options
    ? {
        [K in keyof Options & string]-?: IsSecret<Options[K]> extends true
          ? K
          : K extends "client"
            ? `client.${SecretKey<Exclude<Options[K], undefined>>}`
            : never
      }[keyof Options & string]
    : never

type SecretKey<T> = {
  [K in keyof T & string]-?: IsSecret<T[K]> extends true ? K : never
}[keyof T & string]

type IsSecret<T> = [Exclude<T, undefined>] extends [Redacted.Redacted] ? true : false

/** All of them, so that none is forgotten. */
type Secrets<T> = [SecretPath<T>] extends [never]
  ? []
  : [secrets: Readonly<Record<SecretPath<T>, true>>]

type PlainArguments<A extends ReadonlyArray<unknown>> = { [K in keyof A]: Plain<A[K]> }

const handleOf = <Kind extends "source" | "exchanger">(
  kind: Kind,
  effect: Effect.Effect<unknown, Core.FederationError>
): { readonly kind: Kind } => {
  const handle = Object.freeze({ kind })
  put(handle, Fiber.join(start(effect)))
  return handle
}

export const sourceOf = (
  effect: Effect.Effect<Core.AssertionSource.AssertionSource, Core.FederationError>
): AssertionSource => handleOf("source", effect)

/** Or what looks like one, and is then refused by name. */
const isHandle = (value: object): boolean =>
  "kind" in value && (value.kind === "source" || value.kind === "exchanger")

type PlainCredential<C> = C extends Core.AwsCredentials ? AwsCredentials : AccessToken

type Make<A extends ReadonlyArray<unknown>, Made> = (
  ...options: A
) => Effect.Effect<Made, Core.FederationError>

/** A source's constructor. It throws at once what can be told to be wrong before any call. */
export const source =
  <A extends ReadonlyArray<unknown>>(
    make: Make<A, Core.AssertionSource.AssertionSource>,
    ...[secrets]: Secrets<A[0]>
  ): ((...options: PlainArguments<A>) => AssertionSource) =>
  (...options) =>
    sourceOf(Effect.flatMap(opened(options, secrets), (given) => make(...given)))

/** The same for an issuer that counts calls: its assertions are kept, for all flows that it is the source of. */
export const meteredSource = <A extends ReadonlyArray<unknown>>(
  make: Make<A, Core.AssertionSource.AssertionSource>,
  ...secrets: Secrets<A[0]>
): ((...options: PlainArguments<A>) => AssertionSource) =>
  source<A>(
    (...options) => Effect.flatMap(make(...options), Core.AssertionSource.cached),
    ...secrets
  )

/** An exchanger's constructor, likewise. */
export const exchanger =
  <A extends ReadonlyArray<unknown>, C extends Core.AccessToken | Core.AwsCredentials>(
    make: Make<A, Core.TokenExchanger.TokenExchanger<C>>,
    ...[secrets]: Secrets<A[0]>
  ): ((...options: PlainArguments<A>) => TokenExchanger<PlainCredential<C>>) =>
  (...options) =>
    handleOf(
      "exchanger",
      Effect.flatMap(opened(options, secrets), (given) => make(...given))
    )

/** Settings as the constructor takes them. */
const opened = <A extends ReadonlyArray<unknown>>(
  [options]: PlainArguments<A>,
  secrets: Readonly<Record<string, true>> = {}
) =>
  // The types of `Plain` and `Secrets` say what becomes what; the keys do here.
  (options === undefined
    ? Effect.succeed([])
    : Effect.map(fields(options, secrets, ""), (fields) => [fields])) as unknown as Effect.Effect<
    A,
    Core.FederationError
  >

const fields = Effect.fnUntraced(function* (
  options: object,
  secrets: Readonly<Record<string, true>>,
  prefix: string
): Effect.fn.Return<object, Core.FederationError> {
  const found: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const path = `${prefix}${key}`
    if (typeof value === "string" && Object.hasOwn(secrets, path)) found[key] = Redacted.make(value)
    else if (typeof value !== "object" || value === null) found[key] = value
    else if (isHandle(value)) found[key] = yield* behind(path, value)
    else if (Object.keys(secrets).some((secret) => secret.startsWith(`${path}.`)))
      found[key] = yield* fields(value, secrets, `${path}.`)
    else found[key] = value
  }
  return found
})
