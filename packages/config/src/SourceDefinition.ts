/** A flow's source as the file describes it: an adapter's, a list of which the first that exists is taken, or a flow. */
import { AssertionSource, Flow } from "@federate/core"
import type { Credential, FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { adapted } from "./adapted.ts"
import type { Problem } from "./ConfigError.ts"
import { isMapping, problem, unknownKeys } from "./decode.ts"
import type { Mapping } from "./decode.ts"
import type { Adapters, FlowDefinition } from "./FlowDefinition.ts"
import type { Path } from "./path.ts"

/** What a file's flows are made of besides their own settings. */
export interface Surroundings<Platform> {
  readonly adapters: Adapters<Platform>
  readonly platform: Platform
  /** Another flow of the file, which is named at this place. */
  readonly flow: (name: string, path: Path) => Result.Result<FlowDefinition, ReadonlyArray<Problem>>
}

/** One, or several of which the first that exists is taken. */
export type Sources = readonly [
  AssertionSource.AssertionSource,
  ...ReadonlyArray<AssertionSource.AssertionSource>
]

export const first = ([one, ...more]: Sources): AssertionSource.AssertionSource =>
  more.length === 0 ? one : AssertionSource.firstAvailable(one, ...more)

/** How a flow is made that another one stands on. */
type MakeFlow<R> = (
  of: FlowDefinition
) => Effect.Effect<Flow.Flow<Credential.Credential>, FederationError, R>

/** Without a memory, for who asks once. */
export const alone: MakeFlow<never> = ({ name, parts }) =>
  Effect.map(Effect.all({ ...parts }), (made) => Flow.direct({ name, ...made }))

/** A source as it is described, not made yet. */
interface Sourced {
  readonly type: string
  readonly adapters: FlowDefinition["sources"]
  /** The flows of the file that it stands on. */
  readonly over: ReadonlyArray<FlowDefinition>
  readonly make: <R>(flow: MakeFlow<R>) => Effect.Effect<Sources, FederationError, R>
}

/** What is described: a list, of which the first that exists is taken; another flow; or a source of an adapter's. */
export const sourced = <Platform>(
  described: unknown,
  surroundings: Surroundings<Platform>,
  path: Path
): Result.Result<Sourced, ReadonlyArray<Problem>> =>
  Array.isArray(described)
    ? listed(described, surroundings, path)
    : isMapping(described) && "flow" in described
      ? chained(described, surroundings, path)
      : adaptedSource(described, surroundings, path)

const listed = <Platform>(
  described: ReadonlyArray<unknown>,
  surroundings: Surroundings<Platform>,
  path: Path
): Result.Result<Sourced, ReadonlyArray<Problem>> => {
  const all = described.map((each, index) => sourced(each, surroundings, [...path, index]))
  const [one, ...more] = all.filter(Result.isSuccess).map(({ success }) => success)
  if (one === undefined || more.length + 1 < all.length) {
    return Result.fail(
      all.length === 0
        ? [problem(path, "must name at least one source")]
        : all.filter(Result.isFailure).flatMap(({ failure }) => failure)
    )
  }
  return Result.succeed({
    type: [one, ...more].map(({ type }) => type).join(" | "),
    adapters: [one, ...more].flatMap(({ adapters }) => adapters),
    over: [one, ...more].flatMap(({ over }) => over),
    make: Effect.fnUntraced(function* (flow) {
      const before = yield* one.make(flow)
      const after = yield* Effect.forEach(more, ({ make }) => make(flow))
      return [...before, ...after.flat()]
    })
  })
}

/** The credential of another flow, which must be a token: a flow over a flow. */
const chained = <Platform>(
  described: Mapping,
  { flow: find }: Surroundings<Platform>,
  path: Path
): Result.Result<Sourced, ReadonlyArray<Problem>> => {
  const strangers = unknownKeys(described, ["flow"], path)
  if (strangers.length > 0) return Result.fail(strangers)
  const at = [...path, "flow"]
  const { flow: name } = described
  if (typeof name !== "string") return Result.fail([problem(at, "must be the name of a flow")])
  return Result.flatMap(find(name, at), (definition) =>
    definition.issues === "AwsCredentials"
      ? Result.fail([
          problem(at, "names a flow of AWS credentials, and only a token can be an assertion")
        ])
      : Result.succeed<Sourced>({
          type: `flow ${name}`,
          adapters: definition.sources,
          over: [definition],
          // It issues tokens, as was just looked at.
          make: (flow) =>
            Effect.map(flow(definition), (made) => [AssertionSource.fromFlow(made as Flow.Flow)])
        })
  )
}

/** An adapter's source; a layer over the one that is described in it. */
const adaptedSource = <Platform>(
  described: unknown,
  surroundings: Surroundings<Platform>,
  path: Path
): Result.Result<Sourced, ReadonlyArray<Problem>> => {
  const { adapters, platform } = surroundings
  const { source: under, ...own }: Mapping = isMapping(described) ? described : {}
  const isLayer = adapters.sources.some((each) => "layer" in each && each.type === own["type"])
  const inner = () => {
    const plain = adapters.sources.filter((each) => !("layer" in each))
    return sourced(under, { ...surroundings, adapters: { ...adapters, sources: plain } }, [
      ...path,
      "source"
    ])
  }
  const outer = adapted(isLayer ? own : described, adapters.sources, path)
  if (Result.isFailure(outer)) {
    const below = isLayer ? inner() : Result.succeed(undefined)
    return Result.fail([...outer.failure, ...(Result.isFailure(below) ? below.failure : [])])
  }
  const { adapter, settings } = outer.success
  const asked = <R>(
    make: Effect.Effect<AssertionSource.AssertionSource, FederationError, R>
  ): Effect.Effect<Sources, FederationError, R> =>
    Effect.map(adapter.metered ? Effect.flatMap(make, AssertionSource.cached) : make, (source) => [
      source
    ])
  const its = { type: adapter.type, settings }
  return "layer" in adapter
    ? Result.map(inner(), (below) => ({
        ...below,
        type: adapter.type,
        adapters: [its, ...below.adapters],
        make: (flow) =>
          asked(
            Effect.flatMap(below.make(flow), (sources) =>
              adapter.make(settings, platform, first(sources))
            )
          )
      }))
    : Result.succeed({
        type: adapter.type,
        adapters: [its],
        over: [],
        make: () => asked(Effect.suspend(() => adapter.make(settings, platform)))
      })
}
