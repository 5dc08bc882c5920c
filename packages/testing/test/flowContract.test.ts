import type { AccessToken, Assertion } from "@federate/core"
import { Malformed } from "@federate/core"
import { assertionFor, flowContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { flowChecks } from "../src/flowContract.ts"
import { exchangerWith, expired, granted, issued, key, sourceWith, token } from "./adapters.ts"
import type { Wrong } from "./adapters.ts"
import { failing } from "./failing.ts"

/** What is wrong with either of a pair. */
interface WrongPair {
  readonly source?: Wrong
  readonly exchanger?: Wrong
}

const contractOf = ({ exchanger, source }: WrongPair) =>
  ({
    make: (fetch) =>
      Effect.all({ source: sourceWith(source)(fetch), exchanger: exchangerWith(exchanger)(fetch) }),
    well: (url) =>
      new URL(url).hostname === "platform.example"
        ? issued(Redacted.value(assertionFor("workload").token))
        : granted(),
    stale: expired,
    secrets: [key, token]
  }) satisfies Parameters<typeof flowChecks<AccessToken>>[0]

flowContract("A small pair", contractOf({}))

const given = (
  change: (assertion: Assertion.Assertion) => Assertion.Assertion
): NonNullable<Wrong["source"]> => {
  return (source) => ({
    ...source,
    assertion: (request) => Effect.map(source.assertion(request), change)
  })
}

type Around = NonNullable<Wrong["exchanger"]>

/** It takes the end of the first credential for the end of all. */
const endless: Around = (exchanger) => {
  let end: number | undefined
  return {
    ...exchanger,
    exchange: (assertion, request) =>
      Effect.map(exchanger.exchange(assertion, request), (credential) => ({
        ...credential,
        expiresAt: (end ??= credential.expiresAt)
      }))
  }
}

/** It remembers for five minutes by itself. */
const remembering: Around = (exchanger) => {
  let held: AccessToken | undefined
  return {
    ...exchanger,
    exchange: Effect.fnUntraced(function* (assertion, request) {
      const now = yield* Clock.currentTimeMillis
      if (held !== undefined && now - held.obtainedAt < 300_000) return held
      return (held = yield* exchanger.exchange(assertion, request))
    })
  }
}

const wrong: ReadonlyArray<readonly [check: string, wrong: WrongPair]> = [
  [
    "asks 2 times for one credential, for all who want it",
    { source: { around: (request) => Effect.andThen(request, request) } }
  ],
  [
    "brings a later credential ahead of the end, and makes nobody wait for it",
    { exchanger: { exchanger: endless } }
  ],
  [
    "keeps a valid credential, whatever goes wrong",
    {
      exchanger: {
        reason: (reason, answer) => {
          if (answer?.status === 500) throw new Error("it broke")
          return reason
        }
      }
    }
  ],
  [
    "comes back when the server says, and no earlier",
    {
      source: {
        reason: (reason) =>
          reason._tag === "Transient" ? Object.assign(reason, { retryAt: 1000 }) : reason
      }
    }
  ],
  [
    "asks anew for a credential that was refused where it was used",
    { exchanger: { exchanger: remembering } }
  ],
  [
    "trades a remembered assertion while it is good, and no longer",
    {
      source: {
        source: given((assertion) => ({
          ...assertion,
          expiresAt: assertion.obtainedAt + 9_000_000
        }))
      }
    }
  ],
  [
    "trades a fresh assertion for one that was refused as out of its time",
    {
      exchanger: {
        reason: (reason) =>
          reason._tag === "Rejected" ? Object.assign(reason, { remedy: "none" }) : reason
      }
    }
  ],
  [
    "trades no assertion that is for another audience than is demanded",
    {
      source: {
        source: (source) => ({
          ...source,
          assertion: ({ audience }) =>
            Effect.map(source.assertion({}), (assertion) => ({
              ...assertion,
              audience: audience === undefined ? assertion.audience : [audience]
            }))
        })
      }
    }
  ],
  [
    "gives up on a server that never answers",
    {
      exchanger: {
        around: (request) =>
          Effect.timeoutOrElse(request, {
            duration: "5 seconds",
            orElse: () => Effect.fail(new Malformed({ detail: "There is no answer" }))
          })
      }
    }
  ],
  [
    "aborts its request when its scope is closed",
    { source: { fetch: (fetch) => (url, init) => fetch(url, { ...init, signal: null }) } }
  ],
  [
    "shows no secret, in its entries, errors, logs, spans or metrics",
    {
      exchanger: {
        around: (request, secret) => Effect.andThen(Effect.annotateCurrentSpan({ secret }), request)
      }
    }
  ]
]

/** Its platform signs for whichever audience is asked for. */
flowContract("A small pair with a choice of audience", {
  ...contractOf({}),
  well: (url, { body }) =>
    new URL(url).hostname === "platform.example"
      ? issued(
          Redacted.value(
            assertionFor("workload", 0, { aud: String(body).replace("audience=", "") }).token
          )
        )
      : granted()
})

describe("a pair that is wrong", () => {
  for (const [check, how] of wrong) {
    it.effect(`fails “${check}”`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* failing(flowChecks(contractOf(how))), [check])
      })
    )
  }

  it("is thought of for each check", () => {
    assert.sameMembers(
      flowChecks(contractOf({})).map(({ name }) => name),
      wrong.map(([check]) => check)
    )
  })
})
