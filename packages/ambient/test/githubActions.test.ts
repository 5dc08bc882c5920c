import { githubActions } from "@federate/ambient"
import type { GithubActionsOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const secret = "THE-RUNNER-S-TOKEN"
const jwt = Redacted.value(assertionFor("repo:octo/app:ref:refs/heads/main").token)

const job: Readonly<Record<string, string>> = {
  ACTIONS_ID_TOKEN_REQUEST_URL:
    "https://pipelines.actions.githubusercontent.com/x/idtoken/1/2?api-version=2.0",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret
}

const make = (options: GithubActionsOptions = {}) =>
  githubActions({ environment: (name) => job[name], ...options })

const well = (value: string) => Response.json({ count: value.length, value })

assertionSourceContract("GitHub Actions", {
  make: (fetch) => make({ fetch }),
  well,
  assertion: jwt,
  life: 900,
  secrets: [secret],
  refused: [
    {
      name: "a job that is over",
      answer: () => new Response("", { status: 401 }),
      becomes: "Rejected",
      code: "HTTP 401",
      hint: /`permissions: id-token: write`/
    },
    {
      name: "a permission that is gone",
      answer: () => Response.json({ message: "It may not" }, { status: 403 }),
      becomes: "Rejected",
      code: "HTTP 403",
      hint: /`permissions: id-token: write`/
    },
    {
      name: "an audience that is none",
      answer: () => Response.json({ message: "No such audience" }, { status: 400 }),
      becomes: "Rejected",
      code: "HTTP 400",
      hint: /compare the audience/
    },
    // What GitHub's own client takes for a token that is absent.
    {
      name: "an answer without the token",
      answer: () => Response.json({ count: 0 }),
      becomes: "Malformed"
    }
  ]
})

describe("GitHub Actions", () => {
  const asked = (
    options: GithubActionsOptions,
    request: { readonly audience?: string; readonly preferredAudience?: string }
  ) =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const fetch: Fetch = async (url, { headers }) => {
        sent.push(`${new Headers(headers).get("authorization")} ${url}`)
        return well(Redacted.value(assertionFor("x", 0, { aud: request.audience ?? "x" }).token))
      }
      const source = yield* make({ ...options, fetch })
      yield* source.assertion(request)
      return sent.join()
    })

  it.effect(
    "is asked for whom is demanded, configured or preferred; else for its own default",
    () =>
      Effect.gen(function* () {
        const url = `Bearer ${secret} ${job["ACTIONS_ID_TOKEN_REQUEST_URL"]}`
        assert.strictEqual(yield* asked({}, {}), url)
        for (const [options, request, audience] of [
          [
            {},
            { preferredAudience: "api://AzureADTokenExchange" },
            "api%3A%2F%2FAzureADTokenExchange"
          ],
          [{ audience: "mine" }, { preferredAudience: "theirs" }, "mine"],
          [{ audience: "mine" }, { audience: "a&b=c d" }, "a%26b%3Dc+d"]
        ] as const)
          assert.strictEqual(yield* asked(options, request), `${url}&audience=${audience}`)
      })
  )

  it.effect("is Unavailable without the permission, and says which", () =>
    Effect.gen(function* () {
      for (const absent of Object.keys(job)) {
        const source = yield* make({
          environment: (name) => (name === absent ? undefined : job[name])
        })
        const { message, reason } = yield* Effect.flip(source.assertion({}))
        assert.strictEqual(reason._tag, "Unavailable")
        assert.match(message, /`permissions: id-token: write`.*forks/)
      }
    })
  )

  it.effect("sends the job's token over http to nobody else", () =>
    Effect.gen(function* () {
      const environment = (name: string) =>
        name === "ACTIONS_ID_TOKEN_REQUEST_URL" ? "http://elsewhere.example/" : job[name]
      const { message, stage } = yield* Effect.flip(make({ environment }))
      assert.strictEqual(stage, "configuration")
      assert.match(message, /ACTIONS_ID_TOKEN_REQUEST_URL: is http to elsewhere/)
    })
  )
})
