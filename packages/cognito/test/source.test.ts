import { source } from "@federate/cognito"
import type { Options } from "@federate/cognito"
import type { Fetch } from "@federate/http"
import { assertionSourceContract, visible } from "@federate/testing"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const pool = "eu-central-1:2f4e0c6a-0000-4000-8000-000000000001"
const identity = "eu-central-1:9b1d0c6a-0000-4000-8000-000000000002"
const secret = "wJalrXUtnFEMI-THE-SECRET-KEY"
const session = "THE-SESSION-TOKEN"

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = (life = 900) =>
  [
    encode({ kid: "eu-central-11", typ: "JWS", alg: "RS512" }),
    encode({
      sub: identity,
      aud: pool,
      iss: "https://cognito-identity.amazonaws.com",
      iat: 0,
      exp: life
    }),
    "c2lnbmF0dXJl"
  ].join(".")

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret, sessionToken: session }
const options: Options = {
  identityPoolId: pool,
  logins: { "my.dev.provider": "my_user_id" },
  credentials
}

const well = (token: string) =>
  Response.json(
    { IdentityId: identity, Token: token },
    { headers: { "content-type": "application/x-amz-json-1.1" } }
  )

const refusal =
  (type: string, headers: Record<string, string> = {}, status = 400) =>
  () =>
    Response.json(
      { __type: type, message: "It said no" },
      {
        status,
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amzn-requestid": "req-1",
          ...headers
        }
      }
    )

const rejected = (code: string, hint: RegExp) =>
  ({ name: code, answer: refusal(code), becomes: "Rejected", code, remedy: "none", hint }) as const

assertionSourceContract("Cognito", {
  make: (fetch) => source({ ...options, fetch }),
  well,
  assertion: jwt(),
  life: 900,
  secrets: [secret, session],
  refused: [
    rejected("NotAuthorizedException", /GetOpenIdTokenForDeveloperIdentity/),
    rejected("AccessDeniedException", /identitypool\/eu-central-1:2f4e0c6a/),
    rejected("ResourceNotFoundException", /no pool eu-central-1:2f4e0c6a.* in eu-central-1 /),
    rejected("InvalidParameterException", /another developer provider than my\.dev\.provider/),
    rejected("ResourceConflictException", /leave `identityId` out/),
    rejected("DeveloperUserAlreadyRegisteredException", /lookup-developer-identity/),
    rejected("UnrecognizedClientException", /access key/),
    rejected("InvalidSignatureException", /secret key|clock/),
    rejected("SignatureDoesNotMatch", /secret key/),
    rejected("ExpiredTokenException", /session has expired/),
    rejected("MissingAuthenticationTokenException", /not signed/),
    rejected("ValidationException", /out of its bounds/),
    rejected("UnknownOperationException", /AWS_ENDPOINT_URL/),
    rejected("InvalidClientTokenId", /access key/),
    rejected("SomethingNewException", /API reference/),
    {
      name: "a name with its namespace",
      answer: refusal("com.amazonaws.cognito.identity.model#NotAuthorizedException"),
      becomes: "Rejected",
      code: "NotAuthorizedException"
    },
    {
      name: "a name in the header",
      answer: refusal("ignored", {
        "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/"
      }),
      becomes: "Rejected",
      code: "ResourceNotFoundException"
    },
    ...["TooManyRequestsException", "ThrottlingException", "InternalErrorException"].map(
      (type) => ({ name: type, answer: refusal(type), becomes: "Transient" }) as const
    ),
    {
      name: "an error in a busy answer",
      answer: refusal("NotAuthorizedException", {}, 503),
      becomes: "Transient"
    },
    {
      name: "an error without a name",
      answer: () => Response.json({}, { status: 400 }),
      becomes: "Malformed"
    },
    { name: "a name that is none", answer: refusal("<script>"), becomes: "Malformed" }
  ]
})

/** What is sent, and where. */
const sent = (change: Partial<Options> = {}) =>
  Effect.gen(function* () {
    let seen: { url: string; headers: Headers; body: unknown } | undefined
    const fetch: Fetch = async (url, { body, headers }) => {
      seen = { url, headers: new Headers(headers), body: JSON.parse(String(body)) }
      return well(jwt())
    }
    const cognito = yield* source({ ...options, ...change, fetch })
    yield* cognito.assertion({})
    return seen!
  })

describe("the request", () => {
  it.effect("is signed, and says which pool, which user", () =>
    Effect.gen(function* () {
      const { body, headers, url } = yield* sent()
      assert.strictEqual(url, "https://cognito-identity.eu-central-1.amazonaws.com/")
      assert.strictEqual(
        headers.get("x-amz-target"),
        "AWSCognitoIdentityService.GetOpenIdTokenForDeveloperIdentity"
      )
      assert.match(
        headers.get("authorization") ?? "",
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/cognito-identity\//
      )
      assert.deepStrictEqual(body, {
        IdentityPoolId: pool,
        Logins: { "my.dev.provider": "my_user_id" }
      })
    })
  )

  it.effect("carries whatever is set", () =>
    Effect.gen(function* () {
      const { body, url } = yield* sent({
        identityId: identity,
        tokenDuration: "2 minutes",
        principalTags: { team: "blue" },
        region: "eu-central-1",
        endpoint: "http://127.0.0.1:4566",
        logins: {
          "my.dev.provider": "my_user_id",
          "accounts.google.com": Redacted.make("their-token")
        }
      })
      assert.strictEqual(url, "http://127.0.0.1:4566/")
      assert.deepStrictEqual(body, {
        IdentityPoolId: pool,
        IdentityId: identity,
        TokenDuration: 120,
        PrincipalTags: { team: "blue" },
        Logins: { "my.dev.provider": "my_user_id", "accounts.google.com": "their-token" }
      })
    })
  )

  it.effect("goes to each partition's own host", () =>
    Effect.gen(function* () {
      const at = (region: string) => sent({ identityPoolId: pool.replace("eu-central-1", region) })
      assert.include((yield* at("cn-north-1")).url, "cognito-identity.cn-north-1.amazonaws.com.cn")
      assert.include(
        (yield* at("us-gov-west-1")).url,
        "cognito-identity.us-gov-west-1.amazonaws.com"
      )
    })
  )

  it.effect("is made by one client, kept", () =>
    Effect.gen(function* () {
      let resolved = 0
      const cognito = yield* source({
        ...options,
        credentials: async () => {
          resolved++
          return { ...credentials, expiration: new Date(Date.now() + 3_600_000) }
        },
        fetch: async () => well(jwt())
      })
      yield* Effect.all([cognito.assertion({}), cognito.assertion({}), cognito.assertion({})], {
        concurrency: "unbounded"
      })
      assert.strictEqual(resolved, 1)
    })
  )
})

describe("the assertion", () => {
  it.effect("is what Cognito gave", () =>
    Effect.gen(function* () {
      const cognito = yield* source({ ...options, fetch: async () => well(jwt()) })
      const assertion = yield* cognito.assertion({
        preferredAudience: "api://AzureADTokenExchange",
        algorithms: ["RS256"]
      })
      assert.deepInclude(assertion, {
        subject: identity,
        audience: [pool],
        algorithm: "RS512",
        lifetime: 900_000
      })
      assert.deepStrictEqual(cognito.offers, { audience: { only: pool }, algorithms: ["RS512"] })
    })
  )

  it.effect("is that of the pinned identity, or none", () =>
    Effect.gen(function* () {
      const other = identity.replace("9b1d", "ffff")
      const cognito = yield* source({
        ...options,
        identityId: other,
        fetch: async () => well(jwt())
      })
      const error = yield* Effect.flip(cognito.assertion({}))
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "identityId")
      assert.include(error.message, `the identity "${identity}", not the pinned "${other}"`)
    })
  )

  it.effect("cannot be for another audience than the pool", () =>
    Effect.gen(function* () {
      let called = false
      const cognito = yield* source({
        ...options,
        fetch: async () => {
          called = true
          return well(jwt())
        }
      })
      yield* cognito.assertion({ audience: pool })
      called = false
      const error = yield* Effect.flip(cognito.assertion({ audience: "sts.amazonaws.com" }))
      assert.match(error.message, /Demand "eu-central-1:2f4e/)
      assert.isFalse(called)
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      const { logins: _, ...rest } = options
      for (const [change, text] of [
        [{ identityPoolId: "" }, /identityPoolId: "" is not of the form REGION:GUID/],
        [{ identityPoolId: "eu-central-1_AbCdEf" }, /not a user pool's/],
        [
          { identityPoolId: `arn:aws:cognito-identity:eu-central-1:1:identitypool/${pool}` },
          /not its name or ARN/
        ],
        [{ region: "us-east-1" }, /region: is "us-east-1", and the pool .* is in eu-central-1/],
        [
          { identityId: "us-east-1:9b1d" },
          /identityId: "us-east-1:9b1d" is no identity of a pool in eu-central-1/
        ],
        [{ logins: {} }, /names no developer provider/],
        [{ logins: { "accounts.google.com": "x" } }, /names no developer provider/],
        [
          { logins: { "a.b": "1", "c.d": "2" } },
          /names 2 developer providers \(a\.b, c\.d\), and a pool has one/
        ],
        [{ tokenDuration: "0 seconds" }, /tokenDuration: is 0 s/],
        [{ tokenDuration: "25 hours" }, /tokenDuration: is 90000 s/],
        [{ tokenDuration: "1500 millis" }, /tokenDuration: is 1\.5 s/],
        [{ endpoint: "http://cognito.example.com" }, /endpoint: is http to/]
      ] as const) {
        const error = yield* Effect.flip(source({ ...rest, logins: options.logins, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.match(error.message, text)
      }
    })
  )

  it.effect("are not confused with public providers beside the developer's own", () =>
    Effect.gen(function* () {
      yield* source({
        ...options,
        logins: {
          "my.dev.provider": "me",
          "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x": "t",
          "graph.facebook.com": "t",
          "arn:aws:iam::1:saml-provider/x": "t"
        }
      })
    })
  )
})

describe("what keeps a request from leaving", () => {
  const refusedBy = (error: unknown) =>
    Effect.gen(function* () {
      const cognito = yield* source({
        ...options,
        credentials: () => Promise.reject(error),
        fetch: async () => well(jwt())
      })
      return yield* Effect.flip(cognito.assertion({}))
    })
  const provider = (message: string) =>
    Object.assign(new Error(message), { name: "CredentialsProviderError" })

  it.effect("no AWS credentials at all: the next source may try", () =>
    Effect.gen(function* () {
      const { reason } = yield* refusedBy(provider("Could not load credentials from any providers"))
      assert.isTrue(reason._tag === "Unavailable" && reason.hint?.includes("AWS_PROFILE"))
    })
  )

  it.effect("the SDK's own chain is asked where nothing is given", () =>
    Effect.gen(function* () {
      // A machine without an identity, whatever this one has.
      for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_")))
        vi.stubEnv(name, undefined)
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true")
      vi.stubEnv("AWS_CONFIG_FILE", "/dev/null")
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const { credentials: _, ...rest } = options
      const cognito = yield* source({ ...rest, fetch: async () => well(jwt()) })
      const { reason } = yield* Effect.flip(cognito.assertion({}))
      assert.strictEqual(reason._tag, "Unavailable", visible(reason))
    })
  )

  it.effect("credentials that do not load are not absent", () =>
    Effect.gen(function* () {
      const error = yield* refusedBy(provider(`The SSO session has expired ${secret}`))
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.message, "aws sso login")
      assert.notInclude(visible(error), secret)
    })
  )

  it.effect("anything else is named, and no more", () =>
    Effect.gen(function* () {
      for (const thrown of [new TypeError(secret), secret, undefined]) {
        const error = yield* refusedBy(thrown)
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.notInclude(visible(error), secret)
      }
    })
  )
})

describe("a clock that is too far off for AWS", () => {
  it.effect("is transient: the SDK reckons with it from the next call on", () =>
    Effect.gen(function* () {
      const dates: Array<string> = []
      const hour = 3_600_000
      const date = new Date(Date.now() + hour).toUTCString()
      const fetch: Fetch = async (_url, { headers }) => {
        dates.push(new Headers(headers).get("x-amz-date") ?? "")
        return dates.length === 1 ? refusal("InvalidSignatureException", { date })() : well(jwt())
      }
      const cognito = yield* source({ ...options, fetch })
      const { reason } = yield* Effect.flip(cognito.assertion({}))
      assert.isTrue(reason._tag === "Transient" && reason.status === 400, visible(reason))
      yield* cognito.assertion({})
      const [first, second] = dates.map((text) =>
        Date.parse(text.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"))
      )
      assert.approximately(second! - first!, hour, hour / 10)
    })
  )
})
