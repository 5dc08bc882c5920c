/** What a flow's trust is made of: the parts that its source's and its exchanger's adapters need set up. */
import type { AssertionSource, FederationError } from "@federate/core"
import { givenAssertion, later, takenAssertion } from "@federate/trust"
import type { Known, Means, Part, TrustSide } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Problem } from "./ConfigError.ts"
import { alternatives, isMapping, problem, section, unknownKeys } from "./decode.ts"
import type { Mapping, Settings } from "./decode.ts"
import type { Adapters, FlowDefinition } from "./FlowDefinition.ts"
import type { Path } from "./path.ts"
import { alone, first, sourced } from "./SourceDefinition.ts"
import { substitute, variableAt } from "./variables.ts"
import type { Environment } from "./variables.ts"

type Side<Platform> = TrustSide<Settings<unknown>, never, never, Platform>

/** What sets the adapters' trust up, of those that need any. Of settings and names the same holds as of adapters. */
export interface TrustSides<Platform> {
  readonly sources: ReadonlyArray<Side<Platform>>
  readonly exchangers: ReadonlyArray<Side<Platform>>
}

/** A setting that setting up makes known, and the variable that stands for it in the file. */
export interface Learnt {
  readonly setting: string
  readonly variable: string
}

/** Decoded, checked, nothing called yet. */
export interface TrustDefinition {
  readonly flow: string
  readonly learns: ReadonlyArray<Learnt>
  /** The settings among them that are known, under their own names. */
  readonly known: Known
  /** Whether the file states the assertion's claims: one may not be had where the trust is set up. */
  readonly isStated: boolean
  /** The parts, in the order in which they are made. */
  readonly parts: (
    token: Means<unknown>["token"]
  ) => Effect.Effect<ReadonlyArray<Part>, FederationError>
}

export const Claims = Schema.Struct({
  issuer: Schema.String.annotate({ description: "Its iss" }),
  subject: Schema.String.annotate({ description: "Its sub" }),
  audience: Schema.String.annotate({ description: "Its aud" })
}).annotate({
  description: "The assertion's claims, where one cannot be had by who sets the trust up"
})

export interface Described<Platform> {
  readonly definition: FlowDefinition
  /** As the file has it, variables and all. */
  readonly flow: unknown
  /** The flow's part of `trust:`, variables put in. */
  readonly trust: unknown
  readonly adapters: Adapters<Platform>
  readonly sides: TrustSides<Platform>
  readonly platform: Platform
  readonly environment: Environment
}

/** Holds a flow's part of `trust:` against the sides' schemas. */
export const defineTrust = <Platform>({
  adapters,
  definition,
  environment,
  flow,
  platform,
  sides,
  trust
}: Described<Platform>): Result.Result<TrustDefinition, ReadonlyArray<Problem>> => {
  const { name } = definition
  const path: Path = ["trust", name]
  if (trust !== undefined && trust !== null && !isMapping(trust)) {
    return Result.fail([problem(path, "must be a mapping with source, exchanger or assertion")])
  }
  const chosen: Mapping = trust ?? {}
  const problems = [...unknownKeys(chosen, ["source", "exchanger", "assertion"], path)]
  const part = <A>(decoded: Result.Result<A, ReadonlyArray<Problem>>): A | undefined => {
    if (Result.isSuccess(decoded)) return decoded.success
    problems.push(...decoded.failure)
    return undefined
  }
  const half = (key: "source" | "exchanger", of: ReadonlyArray<Side<Platform>>) => {
    const type = definition[key]
    const side = of.find((each) => each.type === type)
    const names = chosen[key] ?? undefined
    if (side === undefined) {
      if (names !== undefined) {
        problems.push(
          problem(
            [...path, key],
            `is not known: for ${type ?? "no exchanger"} there is nothing that could be set up here; ${key}s that have it are ${of.map((each) => each.type).join(", ")}`
          )
        )
      }
      return undefined
    }
    return {
      side,
      // Decoded by the side's own schema, as the settings were by the adapter's of its type.
      names: part(section(side.names, names ?? {}, [...path, key])) as never,
      settings: (key === "source"
        ? definition.sources[0]?.settings
        : definition.exchangerSettings) as never
    }
  }
  const source = half("source", sides.sources)
  const exchanger = half("exchanger", sides.exchangers)
  const claims =
    chosen["assertion"] === undefined || chosen["assertion"] === null
      ? undefined
      : part(section(Claims, chosen["assertion"], [...path, "assertion"]))
  if (problems.length > 0) return Result.fail(problems)

  const provided = [
    ...settingsOf(flow, "source", source?.side.provides),
    ...settingsOf(flow, "exchanger", exchanger?.side.provides)
  ]
  const { learns, known } = learnt(provided, environment)
  /** The source, once all of its settings are known. */
  const sourceOf = (
    all: Known
  ): Effect.Effect<AssertionSource.AssertionSource, FederationError> | undefined => {
    if (source?.side.provides.some((setting) => all[setting] === undefined)) return undefined
    const made = sourced(
      substitute(isMapping(flow) ? flow["source"] : undefined, overlaid(environment, learns, all))
        .document,
      // What stands on another flow is had when that one's trust is set up, and is to be told until then.
      { adapters, platform, flow: () => Result.fail([]) },
      ["flows", name, "source"]
    )
    // The same settings have been decoded before, with variables in the place of ids.
    return Result.isSuccess(made) ? Effect.map(made.success.make(alone), first) : undefined
  }
  return Result.succeed({
    flow: name,
    learns,
    known,
    isStated: claims !== undefined,
    parts: Effect.fnUntraced(function* (token) {
      const means: Means<Platform> = {
        flow: name,
        token,
        platform,
        assertion: (asks) =>
          claims === undefined
            ? takenAssertion(name, sourceOf, asks)
            : givenAssertion(name, {
                iss: claims.issuer,
                sub: claims.subject,
                aud: claims.audience
              })
      }
      const halves = yield* Effect.forEach([source, exchanger], (each) =>
        each === undefined
          ? Effect.succeed<ReadonlyArray<Part>>([])
          : each.side.parts(each.settings, each.names, means)
      )
      return halves.flat()
    })
  })
}

/** The settings of a half that setting up makes known, as the file has them. */
const settingsOf = (
  flow: unknown,
  key: "source" | "exchanger",
  provides: ReadonlyArray<string> = []
): ReadonlyArray<readonly [setting: string, written: string]> => {
  const half = isMapping(flow) ? flow[key] : undefined
  if (!isMapping(half)) return []
  return provides.flatMap((setting) => {
    const written = half[setting]
    return typeof written === "string" ? [[setting, written] as const] : []
  })
}

const learnt = (
  provided: ReadonlyArray<readonly [setting: string, written: string]>,
  environment: Environment
): Pick<TrustDefinition, "learns" | "known"> => {
  const learns: Array<Learnt> = []
  const known: Record<string, string> = {}
  for (const [setting, written] of provided) {
    const variable = variableAt(written)
    if (variable !== undefined) learns.push({ setting, variable })
    const { document, problems } = substitute(written, environment)
    if (problems.length === 0) known[setting] = String(document)
  }
  return { learns, known }
}

/** The environment, with what has become known in its variables. */
const overlaid =
  (environment: Environment, learns: ReadonlyArray<Learnt>, known: Known): Environment =>
  (name) => {
    const learned = learns.find(({ variable }) => variable === name)
    return (
      (learned && known[learned.setting]) ??
      (environment(name) || (learned === undefined ? undefined : later(name)))
    )
  }

/** Lets the variables be unset that setting up the flow makes known: they stand for themselves then. */
export const learning =
  <Platform>(environment: Environment, flows: unknown, sides: TrustSides<Platform>): Environment =>
  (name) => {
    const value = environment(name)
    if (value) return value
    const isLearnt = Object.values(isMapping(flows) ? flows : {}).some((flow) =>
      (["source", "exchanger"] as const).some((key) => {
        const half = isMapping(flow) ? flow[key] : undefined
        const side = isMapping(half)
          ? sides[`${key}s`].find(({ type }) => type === half["type"])
          : undefined
        return settingsOf(flow, key, side?.provides).some(
          ([, written]) => variableAt(written) === name
        )
      })
    )
    return isLearnt ? later(name) : undefined
  }

/** The flow that a name in `trust:` is of, or what is wrong with it. */
export const strangers = (trust: unknown, flows: ReadonlyArray<string>): ReadonlyArray<Problem> =>
  trust === undefined || trust === null
    ? []
    : isMapping(trust)
      ? Object.keys(trust)
          .filter((name) => !flows.includes(name))
          .map((name) => problem(["trust", name], `is no flow; ${alternatives(name, flows)}`))
      : [problem(["trust"], "must be a mapping of flows' names")]
