/** All that is wrong with a config file. */
import * as Data from "effect/Data"

/** One thing that is wrong: where, what, and what to do. It holds no value of the file or of the environment. */
export interface Problem {
  /** Such as `flows.graph.source.tokenDuration`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

export class ConfigError extends Data.TaggedError("ConfigError")<{
  /** The file, as it was named. */
  readonly file: string
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    const lines = this.problems.map(({ message, path }) =>
      path === "" ? message : `${path}: ${message}`
    )
    return lines.length === 1
      ? `${this.file}: ${lines[0]}`
      : `${this.file}: ${lines.length} problems\n${lines.map((line) => `  - ${line}`).join("\n")}`
  }
}
