/** What is unsafe or bound to fail around an identity pool, before any call. */
import { fits, grantsOf } from "@federate/aws-sdk/policies"
import type { DocumentRule, Finding, SourceRules } from "@federate/trust"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { LoginOptions } from "./loginSource.ts"
import { isDeveloperProvider } from "./source.ts"
import type { Options } from "./source.ts"

/** `aws cognito-identity describe-identity-pool`. */
const Pool = Schema.Struct({
  IdentityPoolId: Schema.String,
  AllowUnauthenticatedIdentities: Schema.Boolean,
  AllowClassicFlow: Schema.optionalKey(Schema.Boolean),
  DeveloperProviderName: Schema.optionalKey(Schema.String)
})
const asPool = Schema.decodeUnknownOption(Pool)

const poolIn = (documents: ReadonlyArray<unknown>, id: string) =>
  documents
    .flatMap((document) => Option.toArray(asPool(document)))
    .find(({ IdentityPoolId }) => IdentityPoolId === id)

/** Cognito's own, in milliseconds. */
const usualLife = 900_000

export const sourceRules: SourceRules<Options> = {
  type: "cognito",
  expected: ({ identityId, tokenDuration }) => ({
    subject: identityId,
    life: {
      setting: "tokenDuration",
      milliseconds:
        tokenDuration === undefined
          ? usualLife
          : Duration.toMillis(Duration.fromInputUnsafe(tokenDuration))
    }
  }),
  check: ({ identityId, identityPoolId, logins }, { documents, others }) => {
    const [provider = ""] = developersOf(logins)
    const there = poolIn(documents, identityPoolId)
    const isShared = others.some(
      (other) =>
        other.identityPoolId === identityPoolId &&
        developersOf(other.logins).some(
          (each) => each !== provider || loginOf(other.logins, each) !== loginOf(logins, each)
        )
    )
    return [
      ...(there === undefined || there.DeveloperProviderName === provider
        ? []
        : [
            {
              verdict: "wrong",
              subject: "logins",
              what:
                there.DeveloperProviderName === undefined
                  ? `The pool has no developer provider, and "${provider}" is asked for.`
                  : `The pool's developer provider is "${there.DeveloperProviderName}", and "${provider}" is asked for.`,
              fix:
                there.DeveloperProviderName === undefined
                  ? "Give the pool one: it cannot be changed afterwards."
                  : `Write ${there.DeveloperProviderName}: the pool's cannot be changed.`
            } satisfies Finding
          ]),
      ...(identityId === undefined
        ? [
            {
              verdict: "note",
              subject: "identityId",
              what: "The identity is not pinned.",
              why: "It is the subject that the other side trusts. Pinned, another one (of a pool that was made again, of another login) is told here, and not as a riddle by the other side.",
              fix: "Write the `sub` that `federate inspect` shows of a token."
            } satisfies Finding
          ]
        : []),
      ...(isShared
        ? [
            {
              verdict: "note",
              subject: "identityPoolId",
              what: "Another flow has another login of this pool.",
              why: "Whoever may ask for one identity of a pool may ask for any of them: IAM knows pools, and no logins.",
              fix: "Give each workload that must not be another one a pool of its own."
            } satisfies Finding
          ]
        : [])
    ]
  }
}

/** Tokens of public logins live for ten minutes; nothing sets that. */
export const loginRules: SourceRules<LoginOptions> = {
  type: "cognito-login",
  expected: ({ identityId }) => ({ subject: identityId }),
  check: ({ identityPoolId }, { documents }) => {
    const there = poolIn(documents, identityPoolId)
    return there === undefined || there.AllowClassicFlow === true
      ? []
      : [
          {
            verdict: "wrong",
            subject: "identityPoolId",
            what: "The pool has the basic (classic) flow off, and gives no token to public logins then.",
            fix: "Set AllowClassicFlow at the pool."
          }
        ]
  }
}

const developersOf = (logins: Options["logins"]): ReadonlyArray<string> =>
  Object.keys(logins).filter(isDeveloperProvider)

const loginOf = (logins: Options["logins"], provider: string): string | undefined => {
  const login = logins[provider]
  return Redacted.isRedacted(login) ? Redacted.value(login) : login
}

const minting = "cognito-identity:GetOpenIdTokenForDeveloperIdentity"

/** A pool, and IAM's policies: who may speak for whom. */
export const documentRule: DocumentRule = (document) => [
  ...Option.toArray(asPool(document)).flatMap(ofPool),
  ...ofPolicies(document)
]

const ofPool = ({
  AllowClassicFlow = false,
  AllowUnauthenticatedIdentities,
  IdentityPoolId
}: typeof Pool.Type): ReadonlyArray<Finding> =>
  AllowUnauthenticatedIdentities
    ? [
        {
          verdict: AllowClassicFlow ? "risky" : "note",
          subject: `identity pool ${IdentityPoolId}`,
          what: AllowClassicFlow
            ? "It gives tokens to guests: whoever knows its id gets one, with the issuer and the audience of the workload's."
            : "It lets guests in: whoever knows its id becomes an identity of it.",
          why: "Only the subject tells them apart then.",
          fix: "Set AllowUnauthenticatedIdentities to false."
        }
      ]
    : []

const ofPolicies = (document: unknown): ReadonlyArray<Finding> => {
  const grants = grantsOf(document, minting)
  const wide = grants.filter(({ resources }) => resources.some(isAnyPool))
  const pools = [...new Set(grants.flatMap(({ resources }) => resources))].filter(
    (resource) => !isAnyPool(resource)
  )
  return [
    ...wide.map(({ holder, policy }): Finding => ({
      verdict: "risky",
      subject: ["IAM policy", policy, holder && `of ${holder}`]
        .filter((word) => word !== undefined)
        .join(" "),
      what: `It allows ${minting} on any pool: whoever has it can mint every subject of each.`,
      fix: "Name the one pool: arn:aws:cognito-identity:REGION:ACCOUNT:identitypool/POOL_ID."
    })),
    ...pools.flatMap((pool): ReadonlyArray<Finding> => {
      const holders = new Set(
        grants
          .filter(({ resources }) => resources.some((resource) => fits(resource, pool)))
          .flatMap(({ holder }) => (holder === undefined ? [] : [holder]))
      )
      return holders.size < 2
        ? []
        : [
            {
              verdict: "risky",
              subject: pool,
              what: `${[...holders].join(", ")} may each mint every subject of this pool.`,
              why: "IAM knows pools, and no logins: whoever may ask for one identity may ask for any.",
              fix: "Give each of them a pool of its own, or take the right from all but the workload."
            }
          ]
    })
  ]
}

const isAnyPool = (resource: string): boolean =>
  fits(resource, "arn:aws:cognito-identity:zz-any-9:000000000000:identitypool/zz-any-9:any")
