import { exchanger, source } from "@federate/aws"
import type { ExchangerOptions } from "@federate/aws"
import { exchanger as adapter } from "@federate/aws/adapter"
import { Assertion, AssertionSource, Flow } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assertionFor, tokenExchangerContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { credentials as good, document, refusal, secretKey, sessionToken, xml } from "./answers.ts"

const roleArn = "arn:aws:iam::111122223333:role/team/reader"
const options: ExchangerOptions = {
  roleArn,
  region: "eu-central-1",
  environment: () => undefined
}
const assertion = assertionFor("workload")

const rejected = (code: string, hint: RegExp, remedy: "none" | "waitForTrust" | "freshAssertion") =>
  ({ name: code, answer: refusal(code), becomes: "Rejected", code, hint, remedy }) as const

tokenExchangerContract("AWS STS", {
  make: (fetch) => exchanger({ ...options, fetch }),
  well: () => good(),
  life: 3600,
  secrets: [secretKey, sessionToken],
  refused: [
    rejected(
      "AccessDenied",
      /no role arn:aws:iam::111122223333:role\/team\/reader.*\{"Federated": "arn:aws:iam::111122223333:oidc-provider\/issuer\.example"\}.*"issuer\.example:aud" = "party" and "issuer\.example:sub" = "workload"/,
      "waitForTrust"
    ),
    rejected(
      "InvalidIdentityToken",
      /account 111122223333 .*for exactly https:\/\/issuer\.example that lists the audience party/,
      "waitForTrust"
    ),
    rejected("ExpiredTokenException", /had ended/, "freshAssertion"),
    rejected("IDPRejectedClaim", /says that the assertion is not valid/, "none"),
    rejected("ValidationError", /MaxSessionDuration/, "none"),
    rejected("MalformedPolicyDocument", /cannot read `policy`/, "none"),
    rejected("PackedPolicyTooLarge", /too large together/, "none"),
    rejected("RegionDisabledException", /not active/, "none"),
    rejected("InvalidAction", /not AWS STS/, "none"),
    ...["IDPCommunicationError", "Throttling"].map(
      (code) => ({ name: code, answer: refusal(code), becomes: "Transient" }) as const
    ),
    ...(["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] as const).map(
      (name) =>
        ({
          name: `no ${name}`,
          answer: () => good({ [name]: undefined }),
          becomes: "Malformed"
        }) as const
    ),
    {
      name: "an end that is past",
      answer: () => good({}, "Thu, 01 Jan 1970 02:00:00 GMT"),
      becomes: "Malformed"
    },
    {
      name: "an end that is no time",
      answer: () => good({ Expiration: "soon" }),
      becomes: "Malformed"
    },
    {
      name: "two keys",
      answer: () =>
        xml(document().replace("<Credentials>", "<Credentials><AccessKeyId>A</AccessKeyId>")),
      becomes: "Malformed"
    },
    {
      name: "elements in a secret's place",
      answer: () => good({ SecretAccessKey: "<b>x</b>" }),
      becomes: "Malformed"
    },
    {
      name: "another document",
      answer: () => xml(document().replaceAll("AssumeRoleWithWebIdentityResponse", "Other")),
      becomes: "Malformed"
    },
    {
      name: "a document type",
      answer: () =>
        xml(`<!DOCTYPE x [<!ENTITY e "ASIAEXAMPLE">]>${document({ AccessKeyId: "&e;" })}`),
      becomes: "Malformed"
    },
    {
      name: "a document type that nothing uses",
      answer: () => xml(`<!DOCTYPE x>${document()}`),
      becomes: "Malformed"
    },
    {
      name: "an entity that nobody declared",
      answer: () => good({ AccessKeyId: "&e;" }),
      becomes: "Malformed"
    },
    {
      name: "a processing instruction",
      answer: () => xml(`<?xml-stylesheet href="x"?>${document()}`),
      becomes: "Malformed"
    },
    {
      name: "elements that go too deep",
      answer: () => xml(`${"<a>".repeat(100)}${"</a>".repeat(100)}`),
      becomes: "Malformed"
    },
    {
      name: "something after the document",
      answer: () => xml(`${document()}<more/>`),
      becomes: "Malformed"
    }
  ]
})

const sent = (change: Partial<ExchangerOptions> = {}) =>
  Effect.gen(function* () {
    let seen: { url: string; headers: Headers; form: Record<string, string> } | undefined
    const fetch: Fetch = async (url, { body, headers }) => {
      const form = Object.fromEntries(new URLSearchParams(String(body)))
      seen = { url, headers: new Headers(headers), form }
      return good()
    }
    const sts = yield* exchanger({ ...options, ...change, fetch })
    yield* sts.exchange(assertion, {})
    return seen!
  })

describe("the request", () => {
  it.effect("is not signed, and goes to the region's own endpoint", () =>
    Effect.gen(function* () {
      const { form, headers, url } = yield* sent()
      assert.strictEqual(url, "https://sts.eu-central-1.amazonaws.com/")
      assert.deepStrictEqual([...headers.keys()], ["content-type"])
      assert.deepStrictEqual(form, {
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: roleArn,
        RoleSessionName: "federate",
        WebIdentityToken: Redacted.value(assertion.token)
      })
    })
  )

  it.effect("carries whatever is set", () =>
    Effect.gen(function* () {
      const policy = { Version: "2012-10-17", Statement: [] }
      const { form, url } = yield* sent({
        endpoint: "http://127.0.0.1:4566",
        roleSessionName: "me@example.com",
        duration: "15 minutes",
        policy,
        policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/x"]
      })
      assert.strictEqual(url, "http://127.0.0.1:4566/")
      assert.deepInclude(form, {
        RoleSessionName: "me@example.com",
        DurationSeconds: "900",
        Policy: JSON.stringify(policy),
        "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "PolicyArns.member.2.arn": "arn:aws:iam::111122223333:policy/x"
      })
    })
  )

  it.effect("goes where the SDKs' variables say, unless the settings do", () =>
    Effect.gen(function* () {
      const variables = new Map([["AWS_ENDPOINT_URL", "http://127.0.0.1:1"]])
      const environment = (name: string) => variables.get(name)
      assert.strictEqual((yield* sent({ environment })).url, "http://127.0.0.1:1/")
      variables.set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2")
      assert.strictEqual((yield* sent({ environment })).url, "http://127.0.0.1:2/")
      const endpoint = "http://127.0.0.1:3"
      assert.strictEqual((yield* sent({ endpoint, environment })).url, "http://127.0.0.1:3/")
    })
  )

  it.effect("goes to each partition's own host", () =>
    Effect.gen(function* () {
      for (const [partition, region, host] of [
        ["aws-cn", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn"],
        ["aws-us-gov", "us-gov-east-1", "sts.us-gov-east-1.amazonaws.com"],
        ["aws-eusc", "eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"],
        ["aws-iso", "us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"],
        ["aws-iso-f", "eu-isof-south-1", "sts.eu-isof-south-1.csp.hci.ic.gov"]
      ] as const) {
        const { url } = yield* sent({ roleArn: roleArn.replace("aws", partition), region })
        assert.strictEqual(new URL(url).host, host)
      }
    })
  )
})

describe("the credentials", () => {
  it.effect("are the role's, and end when AWS says, by our clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(86_400_000)
      const sts = yield* exchanger({
        ...options,
        fetch: async () => good({ SecretAccessKey: "a&#x2F;b&amp;c" })
      })
      const credentials = yield* sts.exchange(assertion, {})
      assert.deepInclude(credentials, {
        _tag: "AwsCredentials",
        accessKeyId: "ASIAEXAMPLE",
        accountId: "111122223333",
        obtainedAt: 86_400_000,
        expiresAt: 86_400_000 + 3_600_000
      })
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), "a/b&c")
      assert.strictEqual(Redacted.value(credentials.sessionToken), sessionToken)
    })
  )

  it.effect("do not name an account that AWS did not name", () =>
    Effect.gen(function* () {
      const fetch: Fetch = async () =>
        xml(document().replace(/<AssumedRoleUser>.*<\/AssumedRoleUser>/, ""))
      const sts = yield* exchanger({ ...options, fetch })
      assert.notProperty(yield* sts.exchange(assertion, {}), "accountId")
    })
  )
})

describe("a refusal", () => {
  it.effect("compares the azp where the assertion has one: AWS looks at nothing else", () =>
    Effect.gen(function* () {
      const sts = yield* exchanger({
        ...options,
        fetch: async () => refusal("AccessDenied", 403)()
      })
      const error = yield* Effect.flip(
        sts.exchange(assertionFor("workload", 0, { azp: "the-client" }), {})
      )
      assert.include(error.message, '"issuer.example:aud" = "the-client (the assertion\'s azp)"')
    })
  )

  it.effect("says what an assertion does not have", () =>
    Effect.gen(function* () {
      const bare = Result.getOrThrow(
        Assertion.fromJwt(Redacted.make("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), { obtainedAt: 0 })
      )
      const sts = yield* exchanger({
        ...options,
        fetch: async () => refusal("AccessDenied", 403)()
      })
      const error = yield* Effect.flip(sts.exchange(bare, {}))
      assert.include(error.message, '"(none):sub" = "(none)"')
    })
  )
})

describe("what it asks", () => {
  it.effect("is the partition's audience where none is demanded, and AWS's algorithms", () =>
    Effect.gen(function* () {
      const asks = (change: Partial<ExchangerOptions>) =>
        Effect.map(exchanger({ ...options, ...change }), (made) => made.asks)
      assert.deepStrictEqual(yield* asks({ audience: "mine" }), {
        audience: "mine",
        preferredAudience: "sts.amazonaws.com",
        algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
        notFrom: ["tokens.sts.global.api.aws"]
      })
      const china = yield* asks({
        roleArn: roleArn.replace("aws", "aws-cn"),
        region: "cn-northwest-1"
      })
      assert.strictEqual(china.preferredAudience, "sts.amazonaws.com.cn")
      assert.notProperty(china, "notFrom")
    })
  )

  const own = (region: string) => source({ region, audiences: ["sts.amazonaws.com"] })

  it.effect("is not AWS's own token, but in another partition", () =>
    Effect.gen(function* () {
      const sts = yield* exchanger(options)
      const error = yield* Effect.flip(
        Flow.make({ source: yield* own("us-east-1"), exchanger: sts })
      )
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "source")
      assert.include(error.message, "aws does not take the assertions of aws")
      yield* Flow.make({
        source: yield* own("us-east-1"),
        exchanger: yield* exchanger({
          roleArn: roleArn.replace("aws", "aws-us-gov"),
          region: "us-gov-west-1"
        })
      })
      yield* Flow.make({ source: yield* own("cn-north-1"), exchanger: sts })
    })
  )

  it.effect("is not AWS's own token, wherever it comes from", () =>
    Effect.gen(function* () {
      let called = false
      const sts = yield* exchanger({
        ...options,
        fetch: async () => {
          called = true
          return good()
        }
      })
      const iss = "https://d1c3b0a9.tokens.sts.global.api.aws"
      const read = AssertionSource.make({
        name: "file",
        assertion: () => Effect.succeed(assertionFor("workload", 0, { iss }))
      })
      const flow = Flow.direct({ source: read, exchanger: sts })
      const error = yield* Effect.flip(flow.credential())
      assert.include(error.message, `the assertion is by ${iss}`)
      assert.isFalse(called)
    })
  )

  it.effect("is no algorithm that AWS does not take", () =>
    Effect.gen(function* () {
      const pss = AssertionSource.make({
        name: "pss",
        offers: { algorithms: ["PS256"] },
        assertion: () => Effect.succeed(assertion)
      })
      const error = yield* Effect.flip(
        Flow.make({ source: pss, exchanger: yield* exchanger(options) })
      )
      assert.match(error.message, /aws takes RS256, .*, and pss signs with PS256/)
    })
  )
})

describe("settings that cannot work", () => {
  it.effect("are told before any call", () =>
    Effect.gen(function* () {
      for (const [change, text] of [
        [{ roleArn: "reader" }, /roleArn: "reader" is no role's ARN/],
        [{ roleArn: roleArn.replace("role/", "user/") }, /is no role's ARN/],
        [{ roleArn: roleArn.replace("aws", "aws-moon") }, /is no role's ARN/],
        [{ region: "global" }, /region: "global" is not a region's name/],
        [{ region: "cn-north-1" }, /cn-north-1 is in the partition aws-cn, and the role is in aws/],
        [{ endpoint: "http://sts.example.com" }, /endpoint: is http to/],
        [{ endpoint: "https://sts.amazonaws.com" }, /endpoint: is the global endpoint/],
        [{ roleSessionName: "x" }, /roleSessionName: "x" is no session's name/],
        [{ roleSessionName: "a b" }, /roleSessionName: "a b"/],
        [{ duration: "5 minutes" }, /duration: is 300 s/],
        [{ duration: "13 hours" }, /duration: is 46800 s/],
        [{ policy: "{" }, /policy: is not JSON/],
        [{ policy: { Id: "x".repeat(2048) } }, /policy: is 2057 characters long/],
        [{ policyArns: ["ReadOnlyAccess"] }, /"ReadOnlyAccess" is no managed policy's ARN/],
        [{ policyArns: Array.from({ length: 11 }, String) }, /policyArns: are 11/]
      ] as const) {
        const error = yield* Effect.flip(exchanger({ ...options, ...change }))
        assert.strictEqual(error.stage, "configuration")
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.match(error.message, text)
      }
      yield* exchanger({ ...options, endpoint: "https://sts.example.com" })
    })
  )

  it.effect("are the adapter's too", () =>
    Effect.gen(function* () {
      assert.deepInclude(adapter, { type: "aws", issues: "AwsCredentials", cloud: "aws" })
      const decode = Schema.decodeUnknownEffect(adapter.config, {
        onExcessProperty: "error",
        errors: "all"
      })
      const settings = yield* decode({
        roleArn,
        region: "eu-central-1",
        duration: "1h",
        policy: { Version: "2012-10-17" }
      })
      const made = yield* adapter.make(settings, { fetch: async () => good() })
      assert.strictEqual((yield* made.exchange(assertion, {})).accessKeyId, "ASIAEXAMPLE")
      const error = yield* Effect.flip(decode({ role: roleArn, policyArns: "x" }))
      for (const text of ["roleArn", "role", "policyArns"]) assert.include(error.message, text)
    })
  )
})
