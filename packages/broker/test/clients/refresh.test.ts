/** Clients that ask again when theirs is about to end: they get a new one, and never one that they would throw away. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { needs } from "../../../../scripts/debian.ts"
import { brokerOf, client, cloud, once, resource, scope, sha256 } from "./surroundings.ts"

const sandbox = cloud()

const minute = 60_000

/** A broker that lives in the past, as far as a test says: what it hands out is that old. */
const past = Effect.fnUntraced(function* (behind: number) {
  const real = yield* Clock.Clock
  const time = { behind }
  const millis = () => real.currentTimeMillisUnsafe() - time.behind
  const nanos = () => BigInt(millis()) * 1_000_000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
  const broker = yield* Effect.provideService(brokerOf(sandbox()), Clock.Clock, clock)
  return { ...broker, time }
})

interface Client {
  readonly name: string
  readonly script: string
  readonly args: () => ReadonlyArray<string>
  /** Whether it is not there to be tried. */
  readonly missing?: boolean
}

/** They are told when their credential ends; it may have been issued long ago. */
const told: ReadonlyArray<Client> = [
  { name: "@azure/identity", script: "azureIdentity.ts", args: () => ["managed", scope] },
  { name: "@azure/msal-node", script: "msal.ts", args: () => [resource] },
  { name: "fromHttp", script: "aws.ts", args: () => ["fromHttp", sandbox().http] },
  {
    name: "boto3",
    script: "boto.py",
    args: () => [sandbox().http],
    missing: !needs("/usr/lib/python3/dist-packages/boto3", "python3-boto3")
  }
]

describe("a client whose credential has under 5 minutes left", () => {
  for (const { args, missing, name, script } of told) {
    it.live.skipIf(missing)(`asks again, and gets a new one: ${name}`, () =>
      Effect.gen(function* () {
        const { handed, time, variables } = yield* past(55 * minute)
        const { ask } = yield* client(script, args(), variables)
        const first = yield* ask
        time.behind = 0
        const second = yield* ask
        assert.isUndefined(second.error)
        assert.notStrictEqual(second.token, first.token)
        assert.approximately(second.expiresOn! * 1000, Date.now() + 60 * minute, minute)
        const count = handed.length
        assert.deepEqual(
          [...new Set(handed.map(({ tokenHash }) => tokenHash))],
          [sha256(first.token), sha256(second.token)]
        )
        // What it has now is good for long: it asks nobody.
        assert.strictEqual((yield* ask).token, second.token)
        assert.lengthOf(handed, count)
      })
    )
  }
})

/** They are told how long is left, and count from when they asked. */
const counting: ReadonlyArray<Client> = [
  { name: "google-auth-library", script: "google.ts", args: () => ["access", scope] },
  {
    name: "Python's azure-identity",
    script: "azure_identity.py",
    args: () => ["managed", scope],
    missing: !needs("/usr/lib/python3/dist-packages/azure/identity", "python3-azure")
  }
]

describe("a credential that a client gets has more than 5 minutes left", () => {
  for (const { args, missing, name, script } of [...told, ...counting]) {
    it.live.skipIf(missing)(`however old the broker's is: ${name}`, () =>
      Effect.gen(function* () {
        for (const age of [30, 50, 53, 55, 59]) {
          const { time, variables } = yield* past(age * minute)
          yield* once(script, args(), variables)
          time.behind = 0
          const { error, expiresOn } = yield* once(script, args(), variables)
          assert.isUndefined(error)
          assert.isAbove(expiresOn! * 1000, Date.now() + 5 * minute, `at ${age} minutes`)
        }
      })
    )
  }
})
