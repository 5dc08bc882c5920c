/** Invokes the handler twice, as Lambda would: the second time the token comes from memory. */
import { handler } from "./handler.ts"

console.log(await handler())
console.log(await handler())
