import { source } from "@federate/aws"
import type { SourceOptions } from "@federate/aws"
import { source as adapter } from "@federate/aws/adapter"
import type { Fetch } from "@federate/http"
import { assertionSourceContract, visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { issuer, jwt, refusal, secretKey, sessionToken, token as well } from "./answers.ts"

const options: SourceOptions = {
  region: "eu-central-1",
  audiences: ["api://AzureADTokenExchange"],
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secretKey, sessionToken },
  environment: () => undefined
}

const rejected = (code: string, hint: RegExp, status = 403) =>
  ({
    name: code,
    answer: refusal(code, status),
    becomes: "Rejected",
    code,
    remedy: "none",
    hint
  }) as const

assertionSourceContract("AWS STS", {
  make: (fetch) => source({ ...options, fetch }),
  well,
  assertion: jwt(),
  life: 300,
  secrets: [secretKey, sessionToken],
  refused: [
    rejected(
      "OutboundWebIdentityFederationDisabledException",
      /aws iam enable-outbound-web-identity-federation/
    ),
    rejected("SessionDurationEscalationException", /ask for less by `duration`/),
    rejected("JWTPayloadSizeExceededException", /shorter `tags`/, 400),
    rejected(
      "AccessDenied",
      /`sts:GetWebIdentityToken` on "\*", for the audience api:\/\/AzureADTokenExchange .*sts:TagGetWebIdentityToken/
    ),
    rejected("ExpiredToken", /session has expired/),
    rejected("InvalidClientTokenId", /access key/),
    rejected("SignatureDoesNotMatch", /secret key.*clock/),
    rejected("MissingAuthenticationToken", /not signed/),
    rejected("RegionDisabledException", /enable-region/),
    rejected("ValidationError", /out of its bounds/, 400),
    rejected("InvalidAction", /not AWS STS/, 400),
    rejected("SomethingNew", /API reference/, 400),
    ...["Throttling", "RequestLimitExceeded", "ServiceUnavailable"].map(
      (code) => ({ name: code, answer: refusal(code, 400), becomes: "Transient" }) as const
    ),
    {
      name: "an error without a code",
      answer: () => new Response("<ErrorResponse><Error></Error></ErrorResponse>", { status: 400 }),
      becomes: "Malformed"
    },
    { name: "a code that is none", answer: refusal("&lt;script&gt;", 400), becomes: "Malformed" },
    {
      name: "an error of something else",
      answer: () => new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 }),
      becomes: "Malformed"
    }
  ]
})

/** What is sent, and where. */
const sent = (
  change: Partial<SourceOptions> = {},
  request: Parameters<Effect.Success<ReturnType<typeof source>>["assertion"]>[0] = {}
) =>
  Effect.gen(function* () {
    let seen: { url: string; headers: Headers; form: Record<string, string> } | undefined
    const fetch: Fetch = async (url, { body, headers }) => {
      const form = Object.fromEntries(new URLSearchParams(String(body)))
      seen = { url, headers: new Headers(headers), form }
      return well(jwt({ aud: [form["Audience.member.1"], form["Audience.member.2"]] }))
    }
    const sts = yield* source({ ...options, ...change, fetch })
    yield* sts.assertion(request)
    return seen!
  })

describe("the request", () => {
  it.effect("is signed, and goes to the region's own endpoint", () =>
    Effect.gen(function* () {
      const { form, headers, url } = yield* sent()
      assert.strictEqual(url, "https://sts.eu-central-1.amazonaws.com/")
      assert.match(
        headers.get("authorization") ?? "",
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/sts\//
      )
      assert.deepStrictEqual(form, {
        Action: "GetWebIdentityToken",
        Version: "2011-06-15",
        "Audience.member.1": "api://AzureADTokenExchange",
        SigningAlgorithm: "RS256"
      })
    })
  )

  it.effect("carries whatever is set", () =>
    Effect.gen(function* () {
      const { form, url } = yield* sent({
        audiences: ["one", "two"],
        signingAlgorithm: "ES384",
        duration: "1 minute",
        tags: { team: "blue" },
        endpoint: "http://127.0.0.1:4566"
      })
      assert.strictEqual(url, "http://127.0.0.1:4566/")
      assert.deepStrictEqual(form, {
        Action: "GetWebIdentityToken",
        Version: "2011-06-15",
        "Audience.member.1": "one",
        "Audience.member.2": "two",
        DurationSeconds: "60",
        SigningAlgorithm: "ES384",
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "blue"
      })
    })
  )

  it.effect("goes to each partition's own host", () =>
    Effect.gen(function* () {
      assert.include((yield* sent({ region: "cn-north-1" })).url, "sts.cn-north-1.amazonaws.com.cn")
      assert.include((yield* sent({ region: "us-gov-west-1" })).url, "sts.us-gov-west-1.amazon")
      assert.include((yield* sent({ region: "us-east-1" })).url, "//sts.us-east-1.amazonaws.com/")
    })
  )

  it.effect(
    "names whom the relying party demands, else whom the settings name, else its wish",
    () =>
      Effect.gen(function* () {
        const audiences = (change: Partial<SourceOptions>, request: Parameters<typeof sent>[1]) =>
          Effect.map(sent(change, request), ({ form }) => form["Audience.member.1"])
        assert.strictEqual(yield* audiences({}, { audience: "demanded" }), "demanded")
        const preferredAudience = "preferred"
        assert.strictEqual(
          yield* audiences({}, { preferredAudience }),
          "api://AzureADTokenExchange"
        )
        assert.strictEqual(
          yield* audiences({ audiences: undefined }, { preferredAudience }),
          "preferred"
        )
        const error = yield* Effect.flip(sent({ audiences: undefined }))
        assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "audiences")
        const long = yield* Effect.flip(sent({}, { audience: "x".repeat(1001) }))
        assert.match(long.message, /audience: one is 1001 characters long/)
      })
  )

  it.effect("asks for the algorithm that the relying party likes best of STS's two", () =>
    Effect.gen(function* () {
      const algorithm = (algorithms: ReadonlyArray<string>, change: Partial<SourceOptions> = {}) =>
        Effect.map(sent(change, { algorithms }), ({ form }) => form["SigningAlgorithm"])
      assert.strictEqual(yield* algorithm(["RS512", "ES384", "RS256"]), "ES384")
      assert.strictEqual(yield* algorithm(["RS256", "ES384"]), "RS256")
      assert.strictEqual(
        yield* algorithm(["RS256", "ES384"], { signingAlgorithm: "ES384" }),
        "ES384"
      )
      const error = yield* Effect.flip(algorithm(["RS512"]))
      assert.match(error.message, /RS512 is asked for, and STS signs with RS256, ES384/)
    })
  )
})

describe("what it offers", () => {
  it.effect(
    "is any audience, both algorithms or the one that is set, and what is known of the issuer",
    () =>
      Effect.gen(function* () {
        const offers = (change: Partial<SourceOptions>) =>
          Effect.map(source({ ...options, ...change }), (made) => made.offers)
        assert.deepStrictEqual(yield* offers({}), {
          audience: "any",
          algorithms: ["RS256", "ES384"],
          issuer: { within: "tokens.sts.global.api.aws" }
        })
        assert.deepStrictEqual(yield* offers({ signingAlgorithm: "ES384", issuer }), {
          audience: "any",
          algorithms: ["ES384"],
          issuer
        })
        const elsewhere = [{ region: "cn-north-1" }, { endpoint: "https://sts.example" }]
        for (const change of elsewhere) assert.notProperty(yield* offers(change), "issuer")
      })
  )

  it.effect("is known of the issuer by the SDK's variables too", () =>
    Effect.gen(function* () {
      const issuerFor = (variables: Readonly<Record<string, string>>, region?: string) =>
        Effect.map(
          source({
            ...options,
            region,
            environment: (variable) => new Map(Object.entries(variables)).get(variable)
          }),
          (made) => made.offers.issuer
        )
      const within = "tokens.sts.global.api.aws"
      assert.deepStrictEqual(yield* issuerFor({ AWS_REGION: "us-east-1" }), { within })
      assert.deepStrictEqual(yield* issuerFor({ AWS_REGION: "cn-north-1" }, "us-east-1"), {
        within
      })
      assert.isUndefined(yield* issuerFor({}))
      assert.isUndefined(yield* issuerFor({ AWS_REGION: "cn-north-1" }))
      for (const variable of ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
        assert.isUndefined(yield* issuerFor({ [variable]: "http://127.0.0.1:4566" }, "us-east-1"))
    })
  )

  it.effect("is held against the pinned issuer", () =>
    Effect.gen(function* () {
      const pinned = yield* source({ ...options, issuer, fetch: async () => well(jwt()) })
      assert.strictEqual((yield* pinned.assertion({})).issuer, issuer)
      const other = yield* source({
        ...options,
        issuer: "https://other.example",
        fetch: async () => well(jwt())
      })
      const error = yield* Effect.flip(other.assertion({}))
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "issuer")
      assert.include(error.message, `this account's issuer is "${issuer}", not the pinned`)
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ region: "Frankfurt" }, /region: "Frankfurt" is not a region's name/],
        [{ region: "aws-global" }, /the global endpoint of STS does not serve/],
        [{ endpoint: "https://sts.amazonaws.com" }, /endpoint: is the global endpoint of STS/],
        [{ endpoint: "http://sts.example.com" }, /endpoint: is http to/],
        [{ audiences: [] }, /audiences: names 0/],
        [{ audiences: Array.from({ length: 11 }, String) }, /audiences: names 11/],
        [{ audiences: [""] }, /audiences: one is 0 characters long/],
        [{ duration: "59 seconds" }, /duration: is 59 s/],
        [{ duration: "2 hours" }, /duration: is 7200 s/],
        [{ duration: "90500 millis" }, /duration: is 90\.5 s/],
        [{ tags: { "a!": "b" } }, /tags: "a!" cannot be sent/],
        [{ tags: { a: "x".repeat(257) } }, /tags: "a" cannot be sent/],
        [
          { tags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, ""])) },
          /tags: are 51/
        ]
      ] as const) {
        const error = yield* Effect.flip(source({ ...options, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.match(error.message, text)
      }
    })
  )
})

describe("the adapter", () => {
  it.effect("decodes its settings, and makes the source", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownEffect(adapter.config, {
        onExcessProperty: "error",
        errors: "all"
      })
      const settings = yield* decode({
        region: "eu-central-1",
        audiences: ["a"],
        signingAlgorithm: "ES384",
        duration: "2 minutes",
        tags: { team: "blue" },
        issuer
      })
      const made = yield* adapter.make(settings, { fetch: async () => well(jwt({ aud: "a" })) })
      assert.deepStrictEqual(made.offers.algorithms, ["ES384"])
      assert.isTrue(adapter.metered)
      assert.strictEqual(adapter.type, "aws")
      const error = yield* Effect.flip(
        decode({ audience: "a", signingAlgorithm: "RS512", duration: "120" })
      )
      for (const text of ["audience", "signingAlgorithm", "duration"]) {
        assert.include(error.message, text)
      }
      assert.notInclude(visible(made), secretKey)
    })
  )
})
