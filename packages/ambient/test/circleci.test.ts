import { circleci } from "@federate/ambient"
import type { CircleciOptions } from "@federate/ambient"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { program } from "./programs.ts"

const organization = "6f2d9c41-0000-4000-8000-000000000000"
const subject = `org/${organization}/project/p/user/u`
const tokenFor = (aud: string, sub = subject) => Redacted.value(assertionFor(sub, 0, { aud }).token)
const own = tokenFor(organization)

const job: Readonly<Record<string, string>> = {
  CIRCLECI: "true",
  CIRCLE_ORGANIZATION_ID: organization,
  CIRCLE_OIDC_TOKEN: tokenFor(organization, "version 1"),
  CIRCLE_OIDC_TOKEN_V2: own
}

const make = (options: CircleciOptions = {}) =>
  circleci({ command: "/nowhere/circleci", environment: (name) => job[name], ...options })

/** CircleCI's own command, which signs for one party and another here, and for nobody else. */
const command = program(`
case "$*" in
  'run oidc get --claims {"aud":"party"}') echo ${tokenFor("party")} ;;
  'run oidc get --claims {"aud":"https://demanded.example"}') echo ${tokenFor("https://demanded.example")} ;;
  *) exit 1 ;;
esac`)

ambientSourceContract("CircleCI's own token", {
  make: Effect.flatMap(command, (path) => make({ command: path })),
  assertion: own,
  life: 900,
  refused: [
    { name: "no job", make: make({ environment: () => undefined }), becomes: "Unavailable" },
    {
      name: "a job that goes on for too long",
      make: make({
        environment: () => Redacted.value(assertionFor(subject, 0, { exp: 0 }).token)
      }),
      becomes: "Misconfigured",
      hint: /Name an `audience`/
    }
  ]
})

ambientSourceContract("CircleCI for another audience", {
  make: Effect.flatMap(command, (path) => make({ audience: "party", command: path })),
  assertion: tokenFor("party"),
  life: 900,
  refused: [
    {
      name: "no job",
      make: make({ audience: "party", environment: () => undefined }),
      becomes: "Unavailable"
    },
    { name: "no command", make: make({ audience: "party" }), becomes: "Misconfigured" },
    {
      name: "a command that fails",
      make: Effect.flatMap(command, (path) => make({ audience: "other", command: path })),
      becomes: "Malformed"
    }
  ]
})

describe("CircleCI", () => {
  it.effect("gives the token that lies there for its organization, the newer one if it can", () =>
    Effect.gen(function* () {
      const source = yield* make()
      for (const request of [{}, { audience: organization }])
        assert.strictEqual((yield* source.assertion(request)).subject, subject)
      const older = yield* make({
        environment: (name) => (name === "CIRCLE_OIDC_TOKEN_V2" ? undefined : job[name])
      })
      assert.strictEqual((yield* older.assertion({})).subject, "version 1")
    })
  )

  it.effect("asks its command where the relying party wishes another audience", () =>
    Effect.gen(function* () {
      const source = yield* make({ command: yield* command })
      // Long after the job's own token has ended.
      yield* TestClock.setTime(7_200_000)
      const { audience, expiresAt } = yield* source.assertion({ preferredAudience: "party" })
      assert.deepStrictEqual(audience, ["party"])
      assert.strictEqual(expiresAt, 7_200_000 + 900_000)
    })
  )
})
