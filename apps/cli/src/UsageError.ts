/** The command was called in a way that cannot be. */
import * as Data from "effect/Data"

export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problem: string
  readonly hint: string
}> {
  override get message(): string {
    return `${this.problem}. ${this.hint}`
  }
}
