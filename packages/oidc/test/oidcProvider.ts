/** A real OpenID provider (npm oidc-provider) on this machine, over https, with clients that authenticate in every way. */
// Before x509: its dependency injection stands on this global.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata"
import { once } from "node:events"
import { createServer } from "node:https"
import type { IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { getCACertificates, setDefaultCACertificates, TLSSocket } from "node:tls"
import * as X509 from "@peculiar/x509"
import { Effect } from "effect"
import type { JWK } from "jose"
import { Provider } from "oidc-provider"
import { privateKeys } from "./keys.ts"

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
const generate = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
const pemOf = async (key: Awaited<ReturnType<typeof generate>>["privateKey"]) =>
  X509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")

/** A CA, and what it certifies: PEM. */
const authority = async () => {
  const keys = await generate()
  const validity = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000)
  }
  const ca = await X509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Test CA",
    keys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new X509.BasicConstraintsExtension(true, 0, true)]
  })
  const certify = async (name: string, extensions: Array<X509.Extension> = []) => {
    const { privateKey, publicKey } = await generate()
    const certificate = await X509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: ca.subject,
      publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity,
      extensions
    })
    return { cert: certificate.toString("pem"), key: await pemOf(privateKey) }
  }
  return { ca: ca.toString("pem"), certify }
}

export interface RunningProvider {
  readonly issuer: string
  /** What proves the client `by-certificate`, PEM. */
  readonly client: { readonly cert: string; readonly key: string }
  /** As proper as that, and another name's. */
  readonly stranger: { readonly cert: string; readonly key: string }
}

/** Its certificate is for this name too, which only a proxy finds. */
export const name = "provider.example"

/** The API that tokens are for; without it they are opaque. */
export const api = "https://api.example/"

/** @param publicKey the public part of the client `by-key`'s key */
export const startProvider = Effect.fnUntraced(function* (publicKey: JWK) {
  const { ca, certify } = yield* Effect.promise(authority)
  const names = new X509.SubjectAlternativeNameExtension(
    ["localhost", name].map((value) => ({ type: "dns" as const, value }))
  )
  const server = yield* Effect.promise(() => certify("localhost", [names]))
  const client = yield* Effect.promise(() => certify("by-certificate"))
  const stranger = yield* Effect.promise(() => certify("stranger"))

  const listener = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: false })
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      listener.listen(0, "127.0.0.1")
      await once(listener, "listening")
    }),
    () =>
      Effect.promise(async () => {
        listener.closeAllConnections()
        listener.close()
        await once(listener, "close")
      })
  )
  // It listens on a port, not on a path.
  const issuer = `https://localhost:${(listener.address() as AddressInfo).port}`
  listener.on("request", new Provider(issuer, configuration(publicKey)).callback())

  const before = getCACertificates("default")
  setDefaultCACertificates([...before, ca])
  yield* Effect.addFinalizer(() => Effect.sync(() => setDefaultCACertificates(before)))
  return { issuer, client, stranger } satisfies RunningProvider
})

interface Context {
  readonly req: IncomingMessage
}

const socketOf = ({ req }: Context): TLSSocket => {
  if (req.socket instanceof TLSSocket) return req.socket
  throw new Error("The provider listens over TLS alone")
}

/** What the provider keeps, kept nowhere: a token is not asked about again. */
class Nowhere {
  upsert = async () => {}
  find = async () => undefined
}

const configuration = (publicKey: JWK) => {
  const client = (id: string, method: string, more: object = {}) => ({
    client_id: id,
    token_endpoint_auth_method: method,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    ...more
  })
  const secret = { client_secret: "the:client secret" }
  return {
    adapter: Nowhere,
    jwks: { keys: [{ ...privateKeys.rsa.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
    ttl: { ClientCredentials: 120 },
    clients: [
      client("by-basic", "client_secret_basic", secret),
      client("by-post", "client_secret_post", secret),
      client("by-key", "private_key_jwt", { jwks: { keys: [publicKey] } }),
      client("by-certificate", "tls_client_auth", {
        tls_client_auth_subject_dn: "CN=by-certificate"
      }),
      client("not-granted", "client_secret_basic", { ...secret, grant_types: [] })
    ],
    clientAuthMethods: [
      "client_secret_basic",
      "client_secret_post",
      "private_key_jwt",
      "tls_client_auth"
    ],
    scopes: ["read"],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        getCertificate: (context: Context) => {
          const { raw } = socketOf(context).getPeerCertificate()
          return raw && X509.PemConverter.encode(raw, "CERTIFICATE")
        },
        certificateAuthorized: (context: Context) => socketOf(context).authorized,
        certificateSubjectMatches: (context: Context, property: string, expected: string) =>
          property === "tls_client_auth_subject_dn" &&
          `CN=${String(socketOf(context).getPeerCertificate().subject.CN)}` === expected
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "read",
          audience: "the-api",
          accessTokenFormat: "jwt",
          accessTokenTTL: 120,
          jwt: { sign: { alg: "RS256" } }
        })
      }
    }
  }
}
