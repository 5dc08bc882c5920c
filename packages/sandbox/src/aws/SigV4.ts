/**
 * Verifies AWS Signature Version 4: signs the request again with the key it names, and compares.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Request } from "../kernel/Http.ts"
import type { AccessKey, Account } from "./Account.ts"
import { AwsError } from "./AwsError.ts"

/** How far the request's date may be from AWS's clock, in milliseconds. */
const tolerance = 5 * 60_000

interface Options {
  readonly account: Account
  /** As in the credential scope: `cognito-identity`, `iam`, `sts`. */
  readonly service: string
  /** Epoch milliseconds, on AWS's clock. */
  readonly now: number
}

/**
 * The region that a request is signed for. With an endpoint of its own an SDK signs for the region it was given, so that
 * one endpoint stands for them all.
 */
export const regionOf = ({ headers }: Request): string | undefined =>
  /Credential=[^/,]*\/[^/,]*\/([^/,]*)\//.exec(headers["authorization"] ?? "")?.[1]

/** The access key that signed the request. */
export const verify = Effect.fnUntraced(function* (request: Request, options: Options) {
  const claim = yield* parse(request)
  const key = options.account.keys.get(claim.keyId)
  if (key === undefined || !sameToken(key, request)) {
    return yield* unknownToken
  }
  yield* checkScope(claim, options)
  yield* checkDate(claim, options.now)
  if (!(yield* signatureMatches(request, claim, key, options.service))) {
    return yield* invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
  }
  if (key.expiresAt !== undefined && key.expiresAt <= options.now) {
    return yield* new AwsError({
      code: "ExpiredTokenException",
      message: "The security token included in the request is expired"
    })
  }
  return key
})

/** Of a key that AWS does not know, or that has another session token. */
export const unknownToken = new AwsError({
  code: "UnrecognizedClientException",
  message: "The security token included in the request is invalid."
})

/** What a request says of its own signature. */
interface Claim {
  readonly keyId: string
  readonly scope: { readonly day: string; readonly region: string; readonly service: string }
  readonly signedHeaders: ReadonlyArray<string>
  readonly signature: string
  /** `20260131T235959Z` */
  readonly date: string
}

const parse = Effect.fnUntraced(function* ({ headers }: Request) {
  const { authorization } = headers
  if (authorization === undefined) {
    return yield* new AwsError({
      code: "MissingAuthenticationTokenException",
      message: "Missing Authentication Token"
    })
  }
  const [algorithm, ...rest] = authorization.split(" ")
  if (algorithm !== "AWS4-HMAC-SHA256") {
    return yield* incomplete(`Unsupported AWS 'algorithm': '${algorithm}'.`)
  }
  const parameters = Object.fromEntries(
    rest
      .join("")
      .split(",")
      .map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)])
  )
  const date = headers["x-amz-date"]
  const { Credential, Signature, SignedHeaders } = parameters
  if (!Credential || !Signature || !SignedHeaders || date === undefined) {
    const missing = Object.entries({ Credential, Signature, SignedHeaders })
      .filter(([, value]) => !value)
      .map(([name]) => `Authorization header requires '${name}' parameter.`)
    return yield* incomplete(
      [
        ...missing,
        ...(date === undefined ? ["Authorization header requires existence of 'X-Amz-Date'."] : [])
      ].join(" ")
    )
  }
  const [keyId, day, region, service, terminator, ...more] = Credential.split("/")
  if (!keyId || !day || !region || !service || terminator !== "aws4_request" || more.length > 0) {
    return yield* incomplete(
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
    )
  }
  const signedHeaders = SignedHeaders.split(";")
  // What is not signed could be put in by anyone on the way.
  const unsigned = Object.keys(headers).find(
    (name) => (name === "host" || name.startsWith("x-amz-")) && !signedHeaders.includes(name)
  )
  if (unsigned !== undefined) {
    return yield* invalid(`'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`)
  }
  const claim: Claim = {
    keyId,
    scope: { day, region, service },
    signedHeaders,
    signature: Signature,
    date
  }
  return claim
})

const checkScope = Effect.fnUntraced(function* ({ date, scope }: Claim, options: Options) {
  if (!/^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/.test(scope.region)) {
    return yield* invalid("Credential should be scoped to a valid region.")
  }
  if (scope.service !== options.service) {
    return yield* invalid(`Credential should be scoped to correct service: '${options.service}'.`)
  }
  if (scope.day !== date.slice(0, 8)) {
    return yield* invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.day}' != '${date.slice(0, 8)}', from '${date}'.`
    )
  }
})

const checkDate = Effect.fnUntraced(function* ({ date }: Claim, now: number) {
  const time = fromBasicDate(date)
  if (time === undefined) {
    return yield* incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`
    )
  }
  const earliest = now - tolerance
  const latest = now + tolerance
  if (time < earliest) {
    return yield* invalid(
      `Signature expired: ${date} is now earlier than ${basicDate(earliest)} (${basicDate(now)} - 5 min.)`
    )
  }
  if (time > latest) {
    return yield* invalid(
      `Signature not yet current: ${date} is still later than ${basicDate(latest)} (${basicDate(now)} + 5 min.)`
    )
  }
})

const signatureMatches = Effect.fnUntraced(function* (
  request: Request,
  claim: Claim,
  key: AccessKey,
  service: string
) {
  // The signer takes the header's word for the body, so the header is held against the body first.
  const stated = request.headers["x-amz-content-sha256"]
  if (stated !== undefined && stated !== createHash("sha256").update(request.body).digest("hex")) {
    return false
  }
  const signer = new SignatureV4({
    service,
    region: claim.scope.region,
    credentials: {
      accessKeyId: key.id,
      secretAccessKey: Redacted.value(key.secret),
      ...(key.sessionToken && { sessionToken: Redacted.value(key.sessionToken) })
    },
    sha256: Sha256,
    applyChecksum: false
  })
  const signed = yield* Effect.promise(() =>
    signer.sign(
      {
        method: request.method,
        protocol: "http:",
        hostname: "",
        path: request.path,
        query: Object.fromEntries(
          [...new Set(request.query.keys())].map((name) => [name, request.query.getAll(name)])
        ),
        headers: Object.fromEntries(
          claim.signedHeaders.map((name) => [name, request.headers[name] ?? ""])
        ),
        body: request.body
      },
      {
        // The request's own date, checked above, so that both sides sign the same.
        signingDate: new Date(fromBasicDate(claim.date) ?? 0),
        signableHeaders: new Set(claim.signedHeaders)
      }
    )
  )
  const expected = signed.headers["authorization"]?.split("Signature=")[1] ?? ""
  return sameText(expected, claim.signature)
})

const sameToken = ({ sessionToken }: AccessKey, { headers }: Request): boolean =>
  sameText(
    sessionToken === undefined ? "" : Redacted.value(sessionToken),
    headers["x-amz-security-token"] ?? ""
  )

/** In constant time for texts of one length. */
const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const fromBasicDate = (date: string): number | undefined => {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second] = parts
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

const basicDate = (millis: number): string =>
  new Date(millis).toISOString().replace(/[-:]|\.\d{3}/g, "")

const invalid = (message: string) => new AwsError({ code: "InvalidSignatureException", message })

const incomplete = (message: string) =>
  new AwsError({ code: "IncompleteSignatureException", message })

/** What the signer wants of a hash: SHA-256, or with a key HMAC-SHA-256. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {
    // The signer makes a new one each time.
  }
}

const bytes = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === "string") return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
