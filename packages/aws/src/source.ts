/** AWS STS as an assertion source: outbound web identity tokens. */
import type { STSClientConfig } from "@aws-sdk/client-sts"
import { makeClient } from "@federate/aws-sdk"
import { Assertion, AssertionSource, configured, Misconfigured } from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { classifyToken } from "./classify.ts"
import { partitionOf } from "./partition.ts"
import { checkedEndpoint, checkedRegion, endpointOf, misconfigured, secondsOf } from "./settings.ts"

/** What STS signs with (RFC 7518 §3.1), the one that more relying parties take first. */
export const algorithms = ["RS256", "ES384"] as const

export interface SourceOptions {
  /** Whose STS is asked. Default: the AWS SDK's own (`AWS_REGION`, the profile's). */
  readonly region?: string | undefined
  /**
   * Whom the assertion is for where the relying party demands nobody: 1 to 10, each of at most 1,000 characters.
   * Without it, whom the relying party prefers.
   */
  readonly audiences?: ReadonlyArray<string> | undefined
  /** Default: the relying party's choice; RS256 where it has none. */
  readonly signingAlgorithm?: (typeof algorithms)[number] | undefined
  /** Whole seconds, from 1 minute to 1 hour; never past the end of the AWS session that asks. Default: AWS's own, 5 minutes. */
  readonly duration?: Duration.Input | undefined
  /** At most 50; they stand in the token as `request_tags` under `https://sts.amazonaws.com/`. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Pins the account's issuer: another account's token is an error here, not a riddle at the relying party. */
  readonly issuer?: string | undefined
  /** Instead of AWS's own; without it the SDK also heeds `AWS_ENDPOINT_URL_STS`. */
  readonly endpoint?: string | undefined
  /** Default: the AWS SDK's own chain (variables, profiles, SSO, container and instance roles). */
  readonly credentials?: STSClientConfig["credentials"] | undefined
  /** Default: the platform's. The SDK's credential chain has its own ways. */
  readonly fetch?: Fetch | undefined
  /** What is known of the issuer before any call is told by it; the SDK reads the process's. Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "aws"

/**
 * `GetWebIdentityToken` (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html), signed with
 * the workload's AWS credentials: a JWT of the account's own issuer about the caller's IAM role. Outbound federation
 * must be enabled in the account, once. Settings that cannot work are `Misconfigured`, before any call; no AWS
 * credentials at all is `Unavailable`. The SDK is loaded at the first call, and its client kept.
 */
export const source = Effect.fnUntraced(function* (
  options: SourceOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { credentials, endpoint, fetch, issuer, region, signingAlgorithm } = options
  const input = yield* configured(name, checked(options))
  const client = yield* makeClient({
    setting: name,
    fetch,
    load: async (configuration) => {
      const sdk = await import("@aws-sdk/client-sts")
      const sts = new sdk.STSClient({
        ...configuration,
        ...(region !== undefined && { region }),
        ...(endpoint !== undefined && { endpoint }),
        ...(credentials !== undefined && { credentials })
      })
      return { sdk, sts }
    }
  })
  const within = issuersOf(options)
  const offered = issuer ?? (within && { within })

  return AssertionSource.make({
    name,
    offers: {
      audience: "any",
      algorithms: signingAlgorithm === undefined ? algorithms : [signingAlgorithm],
      ...(offered !== undefined && { issuer: offered })
    },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const Audience = yield* Effect.fromResult(audiencesFor(request, options.audiences))
      const SigningAlgorithm = yield* Effect.fromResult(algorithmFor(request, signingAlgorithm))
      const { answer, output } = yield* client.call(({ sdk, sts }, signal) =>
        sts.send(new sdk.GetWebIdentityTokenCommand({ ...input, Audience, SigningAlgorithm }), {
          abortSignal: signal
        })
      )
      if (output?.WebIdentityToken === undefined) {
        return yield* classifyToken(answer, { audience: Audience.join(", ") })
      }
      const assertion = yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(output.WebIdentityToken), {
          obtainedAt: answer.sentAt,
          issuerTime: "iat"
        })
      )
      return issuer === undefined || assertion.issuer === issuer
        ? assertion
        : yield* Effect.fail(otherIssuer(assertion.issuer, issuer))
    })
  })
})

/** The domain of the issuers, where it is AWS itself that will be asked, and in which partition is known. */
const issuersOf = (options: SourceOptions) => {
  const { environment = platformEnvironment, region = environment("AWS_REGION") } = options
  return region === undefined || endpointOf(options) !== undefined
    ? undefined
    : partitionOf(region).issuers
}

/** What can be told to be wrong before any call, and what is the same in each of them. */
const checked = ({ audiences, duration, endpoint, region, tags }: SourceOptions) =>
  Result.gen(function* () {
    if (region !== undefined) yield* checkedRegion(region)
    if (endpoint !== undefined) yield* checkedEndpoint(endpoint)
    if (audiences !== undefined) yield* checkedAudiences("audiences", audiences)
    const seconds = yield* secondsOf(duration, {
      least: 60,
      most: 3600,
      hint: "Whole seconds, from 1 minute to 1 hour; the relying party needs it for one call only, so a minute is enough."
    })
    const Tags = yield* checkedTags(Object.entries(tags ?? {}))
    return {
      ...(seconds !== undefined && { DurationSeconds: seconds }),
      ...(Tags.length > 0 && { Tags })
    }
  })

const checkedAudiences = (setting: string, audiences: ReadonlyArray<string>) => {
  if (audiences.length === 0 || audiences.length > 10) {
    return misconfigured(setting, `names ${audiences.length}`, "Name 1 to 10 audiences.")
  }
  const bad = audiences.find((audience) => audience === "" || audience.length > 1000)
  return bad === undefined
    ? Result.succeed([...audiences])
    : misconfigured(
        setting,
        `one is ${bad.length} characters long`,
        "An audience has 1 to 1,000 characters."
      )
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

const checkedTags = (tags: ReadonlyArray<readonly [key: string, value: string]>) => {
  if (tags.length > 50) return misconfigured("tags", `are ${tags.length}`, "At most 50 are taken.")
  const bad = tags.find(
    ([key, value]) =>
      key === "" ||
      key.length > 128 ||
      value.length > 256 ||
      !tagText.test(key) ||
      !tagText.test(value)
  )
  return bad === undefined
    ? Result.succeed(tags.map(([Key, Value]) => ({ Key, Value })))
    : misconfigured(
        "tags",
        `"${bad[0]}" cannot be sent`,
        "A key has 1 to 128 characters, a value at most 256: letters, digits, blanks and _ . : / = + - @."
      )
}

const audiencesFor = (
  { audience, preferredAudience }: AssertionSource.AssertionRequest,
  chosen: SourceOptions["audiences"]
) => {
  if (audience !== undefined) return checkedAudiences("audience", [audience])
  if (chosen !== undefined) return Result.succeed([...chosen])
  return preferredAudience === undefined
    ? misconfigured(
        "audiences",
        "nobody is named, and the relying party has no wish",
        "Name whom the assertion is for."
      )
    : checkedAudiences("audience", [preferredAudience])
}

const algorithmFor = (
  { algorithms: wanted }: AssertionSource.AssertionRequest,
  chosen: SourceOptions["signingAlgorithm"]
) => {
  if (wanted === undefined) return Result.succeed(chosen ?? algorithms[0])
  const choice = chosen === undefined ? algorithms : [chosen]
  const found = wanted.flatMap((each) => choice.filter((own) => own === each))[0]
  return found === undefined
    ? misconfigured(
        "signingAlgorithm",
        `${wanted.join(", ")} is asked for, and STS signs with ${choice.join(", ")}`,
        "Take another source, or a relying party that takes RS256 or ES384."
      )
    : Result.succeed(found)
}

const otherIssuer = (given: string | undefined, pinned: string): Misconfigured =>
  new Misconfigured({
    setting: "issuer",
    problem: `this account's issuer is "${given}", not the pinned "${pinned}"`,
    hint: "These are another account's credentials (`aws sts get-caller-identity` tells whose); or pin this issuer, and trust it on the other side."
  })
