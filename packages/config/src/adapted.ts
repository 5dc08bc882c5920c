/** A part of a flow's description, held against the schema of the adapter that it names. */
import * as Result from "effect/Result"
import type { Problem } from "./ConfigError.ts"
import { alternatives, decode, isMapping, problem } from "./decode.ts"
import type { Mapping, Settings } from "./decode.ts"
import type { Path } from "./path.ts"

/** The adapter that `type` names, with its settings. */
export const adapted = <A extends { readonly type: string; readonly config: Settings<unknown> }>(
  described: unknown,
  adapters: ReadonlyArray<A>,
  path: Path
): Result.Result<{ readonly adapter: A; readonly settings: never }, ReadonlyArray<Problem>> => {
  const types = adapters.map(({ type }) => type)
  if (!isMapping(described)) {
    return Result.fail([problem(path, `must be a mapping with a type: ${types.join(", ")}`)])
  }
  const { type, ...settings }: Mapping = described
  const adapter = adapters.find((each) => each.type === type)
  if (adapter === undefined) {
    return Result.fail([
      problem(
        [...path, "type"],
        typeof type === "string"
          ? `names no adapter; ${alternatives(type, types)}`
          : `is missing; known are ${types.join(", ")}`
      )
    ])
  }
  return Result.map(decode(adapter.config, settings, path), (decoded) => ({
    adapter,
    // Decoded by the adapter's own schema, which is what its `make` takes.
    settings: decoded as never
  }))
}
