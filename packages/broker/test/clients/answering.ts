/** What the scripts around JavaScript clients have in common: they ask once for each line that they read. */
import { createInterface } from "node:readline"
import { inspect } from "node:util"

/** Prints a line of JSON each time: what came, or what Node prints of an error, all that it holds with it. */
export const answer = async (ask: () => Promise<object>): Promise<void> => {
  for await (const _ of createInterface({ input: process.stdin })) {
    const got = await ask().catch((error: unknown) => ({
      error: inspect(error, { breakLength: Infinity })
    }))
    process.stdout.write(`${JSON.stringify(got)}\n`)
  }
}
