/** STS's answers, good and bad. */

export const secretKey = "wJalrXUtnFEMI-THE-SECRET-KEY"
export const sessionToken = "THE-SESSION-TOKEN"
export const issuer = "https://d1c3b0a9-0000-4000-8000-000000000001.tokens.sts.global.api.aws"

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** What GetWebIdentityToken makes; only its signature is none. */
export const jwt = (claims: object = {}) =>
  [
    encode({ kid: "EC384_0", typ: "JWT", alg: "ES384" }),
    encode({
      iss: issuer,
      aud: "api://AzureADTokenExchange",
      sub: "arn:aws:iam::111122223333:role/workload",
      iat: 0,
      exp: 300,
      ...claims
    }),
    "c2lnbmF0dXJl"
  ].join(".")

export const xml = (body: string, date = "Thu, 01 Jan 1970 00:00:00 GMT") =>
  new Response(body, { headers: { date, "content-type": "text/xml" } })

const answer = (action: string, result: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result>` +
  `<ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></${action}Response>`

/** GetWebIdentityToken's. */
export const token = (value = jwt()) =>
  xml(
    answer(
      "GetWebIdentityToken",
      `<WebIdentityToken>${value}</WebIdentityToken><Expiration>1970-01-01T00:05:00Z</Expiration>`
    )
  )

const fields = {
  AccessKeyId: "ASIAEXAMPLE",
  SecretAccessKey: secretKey,
  SessionToken: sessionToken,
  Expiration: "1970-01-01T01:00:00Z"
}

type Change = Partial<Record<keyof typeof fields, string | undefined>>

export const document = (change: Change = {}) => {
  const credentials = Object.entries({ ...fields, ...change })
    .map(([name, value]) => (value === undefined ? "" : `<${name}>${value}</${name}>`))
    .join("")
  return answer(
    "AssumeRoleWithWebIdentity",
    `<Credentials>${credentials}</Credentials>` +
      `<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:federate</AssumedRoleId>` +
      `<Arn>arn:aws:sts::111122223333:assumed-role/reader/federate</Arn></AssumedRoleUser>`
  )
}

/** AssumeRoleWithWebIdentity's: they end an hour after the service's own time. */
export const credentials = (change: Change = {}, date?: string) => xml(document(change), date)

export const refusal =
  (code: string, status = 400) =>
  () =>
    new Response(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>` +
        `<Code>${code}</Code><Message>It said no</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`,
      { status, headers: { "content-type": "text/xml" } }
    )
