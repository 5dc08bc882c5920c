import { Effect } from "effect"
import { identity } from "./identity.ts"

console.log(await Effect.runPromise(identity))
