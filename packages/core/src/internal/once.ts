/** A source for who takes each assertion once (its `jti`, RFC 7523 §3): none is handed out a second time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Assertion from "../Assertion.ts"
import type { AssertionSource } from "../AssertionSource.ts"
import { FederationError, Misconfigured } from "../FederationError.ts"

/** How many assertions that were handed out are remembered at most. */
const remembered = 1000

/**
 * For a `singleUse` request a source that gives what was handed out before, as a file does or a flow with a memory, is
 * asked once more, with that assertion as `rejected`; then it is `Misconfigured`. Other requests pass through.
 */
export const once = (source: AssertionSource): AssertionSource => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let spent: ReadonlyArray<Assertion.Assertion> = []
  const isSpent = (assertion: Assertion.Assertion) =>
    spent.some((each) => Assertion.same(each, assertion))

  const unspent: AssertionSource["assertion"] = Effect.fnUntraced(function* (request) {
    const first = yield* source.assertion(request)
    const assertion = isSpent(first)
      ? yield* source.assertion({ ...request, rejected: first })
      : first
    if (isSpent(assertion)) return yield* again(source)
    const now = yield* Clock.currentTimeMillis
    // What has ended is refused for that.
    const refusable = spent.filter(({ expiresAt = Infinity }) => expiresAt > now)
    spent = [...refusable, assertion].slice(-remembered)
    return assertion
  }, oneAtATime.withPermit)

  return {
    ...source,
    assertion: (request) =>
      request.singleUse === true ? unspent(request) : source.assertion(request)
  }
}

const again = ({ name }: AssertionSource): FederationError =>
  new FederationError({
    adapter: name,
    stage: "assertion",
    reason: new Misconfigured({
      setting: "source",
      problem: "gives the same assertion again, and the relying party takes each one once",
      hint: "Take a source that makes one for each exchange (a token endpoint, a key of your own), or have its file rewritten before each."
    })
  })
