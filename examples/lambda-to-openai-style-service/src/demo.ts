/** Invokes the handler twice, as Lambda would, beside a sandbox: the second time the token comes from memory. */
import { sandboxed } from "./sandboxed.ts"

const surroundings = await sandboxed()
try {
  Object.assign(process.env, surroundings.env)
  const { handler } = await import("./handler.ts")
  console.log(await handler())
  console.log(await handler())
} finally {
  await surroundings[Symbol.asyncDispose]()
}
