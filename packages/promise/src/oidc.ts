/** OAuth 2.0 and OpenID Connect at any server: its tokens as assertions, keys of one's own, and grants that trade them. */
import * as Oidc from "@federate/oidc"
import { exchanger, meteredSource, source } from "./internal/plain.ts"

/** Access tokens of any OpenID provider, for a client of its own, by secret, private key or certificate. */
export const clientCredentials = meteredSource(Oidc.clientCredentialsSource, {
  "client.secret": true,
  "client.privateKey": true
})

/** JWTs of one's own issuer, signed with a private key. */
export const selfSigned = source(Oidc.selfSigned, { privateKey: true })

/** Token exchange (RFC 8693) at any server. */
export const tokenExchange = exchanger(Oidc.tokenExchange, {
  "client.secret": true,
  "client.privateKey": true
})

/** The JWT bearer grant (RFC 7523 §2.1) at any server. */
export const jwtBearer = exchanger(Oidc.jwtBearer, {
  "client.secret": true,
  "client.privateKey": true
})
