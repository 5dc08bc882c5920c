/** What a request's headers say, read in one pass over what came in: a name that came twice is seen. */
import type { Refusal } from "./Answer.ts"
import { refusal } from "./Answer.ts"

export interface Headers {
  host: string | undefined
  authorization: string | undefined
  /** Azure App Service 2019-08-01. */
  identityHeader: string | undefined
  /** Azure App Service 2017-09-01, Azure Machine Learning. */
  secret: string | undefined
  /** Azure IMDS, Cloud Shell. */
  metadata: string | undefined
  metadataFlavor: string | undefined
  awsToken: string | undefined
  awsTokenLife: string | undefined
  contentType: string | undefined
  origin: string | undefined
  fetchSite: string | undefined
  /** It was passed on by somebody: `Forwarded` (RFC 7239), `X-Forwarded-…`. */
  forwarded: boolean
  /** It has a body. */
  body: boolean
  /** What came twice and may not. */
  doubled: string | undefined
}

const fields: ReadonlyMap<string, keyof Headers> = new Map([
  ["host", "host"],
  ["authorization", "authorization"],
  ["x-identity-header", "identityHeader"],
  ["secret", "secret"],
  ["metadata", "metadata"],
  ["metadata-flavor", "metadataFlavor"],
  ["x-aws-ec2-metadata-token", "awsToken"],
  ["x-aws-ec2-metadata-token-ttl-seconds", "awsTokenLife"],
  ["content-type", "contentType"],
  ["origin", "origin"],
  ["sec-fetch-site", "fetchSite"]
])

/** @param raw names and values in turn, as `IncomingMessage.rawHeaders` has them */
export const read = (raw: ReadonlyArray<string>): Headers => {
  const headers: Headers = {
    host: undefined,
    authorization: undefined,
    identityHeader: undefined,
    secret: undefined,
    metadata: undefined,
    metadataFlavor: undefined,
    awsToken: undefined,
    awsTokenLife: undefined,
    contentType: undefined,
    origin: undefined,
    fetchSite: undefined,
    forwarded: false,
    body: false,
    doubled: undefined
  }
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase()
    const field = fields.get(name)
    if (field !== undefined) {
      if (headers[field] !== undefined) headers.doubled = name
      // Those that are read are the texts among the fields.
      headers[field as "host"] = raw[index + 1]!
    } else if (name === "content-length") {
      if (raw[index + 1] !== "0") headers.body = true
    } else if (name === "transfer-encoding") headers.body = true
    else if (name === "forwarded" || name.startsWith("x-forwarded-")) headers.forwarded = true
  }
  return headers
}

/**
 * Why a request may not be heard, whatever it asks: it was passed on, comes from a web page, or names a host that is
 * not this machine (DNS rebinding).
 *
 * @param hosts the hosts it may name, in lower case; none of them is asked for on a unix socket
 * @param pages whether a page of the broker's own may ask
 */
export const refused = (
  headers: Headers,
  hosts: ReadonlySet<string> | undefined,
  pages: boolean
): Refusal | undefined => {
  if (headers.doubled !== undefined) {
    return refusal("invalid_request", `The header ${headers.doubled} is there twice. Send it once.`)
  }
  if (headers.forwarded) {
    return refusal(
      "forbidden",
      "The request was forwarded by a proxy. Ask the broker directly: put its host in NO_PROXY."
    )
  }
  const own = pages && headers.origin === undefined && ownPage(headers.fetchSite)
  if (!own && (headers.origin !== undefined || headers.fetchSite !== undefined)) {
    return refusal("forbidden", "The broker does not answer web pages.")
  }
  if (hosts !== undefined) {
    const { host } = headers
    if (host === undefined || !(hosts.has(host) || hosts.has(host.toLowerCase()))) {
      return refusal(
        "forbidden",
        "The Host header does not name this broker. Ask it by its loopback address and port, or list the name under broker.hosts."
      )
    }
  }
  return undefined
}

/** What browsers say of an address that was typed in, and of a page's own requests (Fetch Metadata §2.3). */
const ownPage = (site: string | undefined): boolean => site === "none" || site === "same-origin"
