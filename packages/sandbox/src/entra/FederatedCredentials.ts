/**
 * Whether a foreign assertion is the application's: matched against its federated credentials, then verified.
 *
 * The order in which Entra looks is inferred from the codes it answers with: issuer, audience, subject, then the
 * signature by the issuer's published keys, then the times.
 */
import { Assertion } from "@federate/core"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { refuse } from "./Aadsts.ts"
import { exchangeAppId } from "./Directory.ts"
import type { Application, FederatedCredential } from "./Directory.ts"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"

/** What Entra verifies; with any other it says 5002738. Only RS256 is documented, RS512 is what Cognito signs with. */
const algorithms: ReadonlyArray<string> = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]

interface Options {
  readonly application: Application
  readonly credentials: ReadonlyArray<FederatedCredential>
  readonly issuerKeys: IssuerKeys
  /** The issuers of this tenant's tokens, of which only a managed identity's is an assertion. */
  readonly ownIssuers: ReadonlyArray<string>
  /** Entra's own base URL: what begins with it is another tenant's issuer. */
  readonly authority: string
  /** Milliseconds. */
  readonly clockTolerance: number
  /** Epoch milliseconds, on Entra's clock. */
  readonly now: number
}

/** The credential that the assertion is accepted by. */
export const accept = Effect.fnUntraced(function* (token: Redacted.Redacted, options: Options) {
  const { application } = options
  const decoded = Assertion.fromJwt(token, { obtainedAt: options.now })
  if (Result.isFailure(decoded)) return yield* refuse("malformedAssertion")
  const { algorithm, audience, claims, header, issuer, subject } = decoded.success
  if (issuer === undefined || subject === undefined || typeof claims["exp"] !== "number") {
    return yield* refuse("malformedAssertion")
  }
  const isOwn = options.ownIssuers.includes(issuer)
  if (!isOwn && isTenants(issuer, options.authority))
    return yield* refuse("otherTenant", { issuer })
  if (issuer === application.appId && subject === application.appId) {
    return yield* refuse("noRegisteredCertificate")
  }
  const credential = yield* match(
    {
      issuer,
      subject,
      audience: isOwn ? yield* managedIdentity(issuer, decoded.success, options) : audience
    },
    options
  )

  yield* options.issuerKeys
    .verify(issuer, token, {
      algorithms,
      now: options.now,
      clockTolerance: options.clockTolerance
    })
    .pipe(
      Effect.catch((error) => {
        if (error._tag === "FederationError") return refuse("issuerUnreachable")
        switch (error.check) {
          case "algorithm":
            return refuse("unsupportedAlgorithm", { algorithm: `${algorithm}` })
          case "key":
            return refuse("unknownKey", { kid: `${header["kid"] ?? ""}`, issuer })
          case "signature":
            return refuse("badSignature")
          case "time":
            return refuse("outsideItsTime", {
              now: dateTime(options.now / 1000),
              // Entra shows a missing nbf as the beginning of time.
              from: dateTime(claims["nbf"] ?? 0),
              until: dateTime(claims["exp"])
            })
          default:
            return refuse("malformedAssertion")
        }
      })
    )
  return credential
})

const isTenants = (issuer: string, authority: string): boolean =>
  issuer.startsWith(`${authority}/`) &&
  /^[0-9a-f-]{36}\/v2\.0$/.test(issuer.slice(authority.length + 1))

/** What the exchange is called in federated credentials; in tokens it is its id. */
const exchange = "api://AzureADTokenExchange"

/** The audience of an assertion that Entra itself issued, as federated credentials write it. */
const managedIdentity = Effect.fnUntraced(function* (
  issuer: string,
  { audience, claims }: Assertion.Assertion,
  { credentials }: Options
) {
  const trusting = credentials.filter((credential) => credential.issuer === issuer)
  if (trusting.length === 0) return yield* refuse("ownToken")
  if (claims["idtyp"] !== "app") return yield* refuse("userAsAssertion")
  if (claims["xms_mirid"] === undefined) return yield* refuse("appAsAssertion")
  if (
    !audience.includes(exchangeAppId) ||
    !trusting.some(({ audiences }) => audiences.includes(exchange))
  )
    return yield* refuse("noExchangeAudience", { audience: exchange })
  return [exchange]
})

interface Presented {
  readonly issuer: string
  readonly audience: ReadonlyArray<string>
  readonly subject: string
}

/** Exact and case-sensitive: a slash more or less is another issuer. */
const match = Effect.fnUntraced(function* (
  { audience, issuer, subject }: Presented,
  { application, credentials }: Options
) {
  if (credentials.length === 0) {
    return yield* refuse("noFederatedCredentials", {
      client: application.appId,
      name: application.displayName
    })
  }
  const byIssuer = credentials.filter((credential) => credential.issuer === issuer)
  if (byIssuer.length === 0) return yield* refuse("noMatchingIssuer", { issuer })
  const byAudience = byIssuer.filter(({ audiences }) =>
    audiences.some((one) => audience.includes(one))
  )
  if (byAudience.length === 0) {
    return yield* refuse("noMatchingAudience", { audience: audience.join(", ") })
  }
  const credential = byAudience.find((one) => one.subject === subject)
  if (credential !== undefined) return credential
  const lower = subject.toLowerCase()
  return yield* byAudience.some((one) => one.subject.toLowerCase() === lower)
    ? refuse("subjectInOtherCase", { subject })
    : refuse("noMatchingSubject", { subject })
})

/** As .NET writes a time, with seven digits of a second. */
const dateTime = (seconds: unknown): string => {
  const date = new Date(typeof seconds === "number" ? seconds * 1000 : 0)
  return Number.isNaN(date.getTime())
    ? "9999-12-31T23:59:59.0000000Z"
    : date.toISOString().replace("Z", "0000Z")
}
