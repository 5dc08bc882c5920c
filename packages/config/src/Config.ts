/** `federate.yaml`, decoded into flows. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ConfigError } from "./ConfigError.ts"
import type { Problem } from "./ConfigError.ts"
import { alternatives, isMapping, problem, section, unknownKeys } from "./decode.ts"
import type { Mapping, Settings } from "./decode.ts"
import { defineFlow } from "./FlowDefinition.ts"
import type { Adapters, FlowDefinition } from "./FlowDefinition.ts"
import { parse } from "./parse.ts"
import type { Surroundings } from "./SourceDefinition.ts"
import { defineTrust, learning, strangers } from "./TrustDefinition.ts"
import type { TrustDefinition, TrustSides } from "./TrustDefinition.ts"
import { substitute } from "./variables.ts"
import type { Environment } from "./variables.ts"

/** What an app knows of a file besides its flows: the schema of each section, by name. */
export type Sections = Readonly<Record<string, Settings<unknown>>>

export interface Config<S extends Sections = {}> {
  readonly flows: ReadonlyMap<string, FlowDefinition>
  /** The flows' trust, as far as the app knows how it is set up. */
  readonly trust: ReadonlyMap<string, TrustDefinition>
  /** The sections that the file has. */
  readonly sections: { readonly [Name in keyof S]?: S[Name] extends Settings<infer A> ? A : never }
}

export interface DecodeOptions<Platform, S extends Sections = {}> {
  /** The file's name, for messages. */
  readonly file: string
  readonly adapters: Adapters<Platform>
  readonly platform: Platform
  readonly environment: Environment
  /** Default: none. */
  readonly sections?: S
  /** Who sets trust up. Default: nobody, and what the file says of it is not looked at. */
  readonly sides?: TrustSides<Platform>
  /** Whether variables may be unset that setting a trust up makes known. Default: no. */
  readonly learning?: boolean
}

/** No file of settings comes near it. In characters. */
const maximumSize = 1024 * 1024

/**
 * Decodes a config file strictly: unknown and doubled keys, unset variables and settings of the wrong kind are told all
 * at once, each with its path and what is known instead. Nothing is called, and no value is quoted.
 */
export const decode = Effect.fnUntraced(function* <Platform, S extends Sections = {}>(
  text: string,
  options: DecodeOptions<Platform, S>
): Effect.fn.Return<Config<S>, ConfigError> {
  const { adapters, file, platform, sections: known, sides } = options
  const refuse = (problems: ReadonlyArray<Problem>) => new ConfigError({ file, problems })
  if (text.length > maximumSize)
    return yield* refuse([problem([], `is over ${maximumSize} characters long`)])
  const parsed = parse(text)
  if (Result.isFailure(parsed)) return yield* refuse(parsed.failure)
  const written = parsed.success
  const environment =
    options.learning === true && sides !== undefined && isMapping(written)
      ? learning(options.environment, written["flows"], sides)
      : options.environment
  const { document, problems: unset } = substitute(written, environment)
  if (!isMapping(document)) {
    return yield* refuse([
      problem([], "has no flows: it must be a mapping that begins with `flows:`")
    ])
  }
  const problems = [
    ...unset,
    ...unknownKeys(document, ["flows", "trust", ...Object.keys(known ?? {})], [])
  ]
  const flows = new Map<string, FlowDefinition>()
  const { flows: described } = document
  if (!isMapping(described) || Object.keys(described).length === 0) {
    problems.push(
      problem(
        ["flows"],
        "must name at least one flow, such as `graph:`, with its source and exchanger"
      )
    )
  } else {
    const define = definitions(described, { adapters, platform })
    for (const name of Object.keys(described)) {
      const definition = define(name, [])
      if (Result.isSuccess(definition)) flows.set(name, definition.success)
      else problems.push(...definition.failure)
    }
  }
  const trust = new Map<string, TrustDefinition>()
  if (sides !== undefined && isMapping(described)) {
    const { trust: chosen } = document
    problems.push(...strangers(chosen, Object.keys(described)))
    for (const [name, definition] of flows) {
      const defined = defineTrust({
        definition,
        flow: at(written, "flows", name),
        trust: at(chosen, name),
        adapters,
        sides,
        platform,
        environment: options.environment
      })
      if (Result.isSuccess(defined)) trust.set(name, defined.success)
      else problems.push(...defined.failure)
    }
  }
  const sections: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(known ?? {})) {
    const part = document[name]
    if (part === undefined || part === null) continue
    const decoded = section(schema, part, [name])
    if (Result.isSuccess(decoded)) sections[name] = decoded.success
    else problems.push(...decoded.failure)
  }
  // A variable that is not set is all that is wrong where it stands.
  const told = problems.filter(
    (each) => unset.includes(each) || !unset.some(({ path }) => path === each.path)
  )
  if (told.length > 0) return yield* refuse(told)
  // Each section was decoded by the schema of its name.
  return { flows, trust, sections: sections as Config<S>["sections"] }
})

/** Gives each flow of a file its one definition, whether it is asked for by itself or by a flow that stands on it. */
const definitions = <Platform>(
  described: Mapping,
  surroundings: Omit<Surroundings<Platform>, "flow">
) => {
  type Defined = Result.Result<FlowDefinition, ReadonlyArray<Problem>>
  const known = new Map<string, Defined>()
  /** @param above the flows that stand on it, on which it cannot stand */
  const define = (name: string, above: ReadonlyArray<string>): Defined => {
    const trail = [...above, name]
    const definition =
      known.get(name) ??
      defineFlow(name, described[name], {
        ...surroundings,
        flow: (named, path) => {
          if (trail.includes(named)) {
            const circle = [...trail.slice(trail.indexOf(named)), named].join(" over ")
            return Result.fail([problem(path, `goes in a circle: ${circle}`)])
          }
          return Object.hasOwn(described, named)
            ? // What is wrong with it is told in its own place.
              Result.mapError(define(named, trail), () => [])
            : Result.fail([
                problem(path, `names no flow; ${alternatives(named, Object.keys(described))}`)
              ])
        }
      })
    known.set(name, definition)
    return definition
  }
  return define
}

const at = (document: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), document)
