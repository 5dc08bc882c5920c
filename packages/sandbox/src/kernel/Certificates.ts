/** The sandbox's own certificate authority and the certificate it serves, made at each start. */
// Before x509: its dependency injection stands on this global.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata"
import * as X509 from "@peculiar/x509"
import * as Effect from "effect/Effect"

export interface Certificates {
  /** The authority's certificate, PEM: what a client must trust. */
  readonly ca: string
  /** The certificate for `localhost`, `127.0.0.1`, `::1` and the names asked for, PEM. */
  readonly certificate: string
  /** Its private key, PEM. */
  readonly key: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

const generateKeys = () =>
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])

/** How long the certificates last, in milliseconds; a sandbox is not left running for longer. */
const lifetime = 30 * 24 * 3_600_000

/**
 * The authority's private key signs one certificate and is forgotten: who trusts the authority trusts that one
 * certificate and no other.
 *
 * @param names hosts that the certificate is for besides `localhost`
 */
export const make = Effect.fnUntraced(function* (
  names: ReadonlyArray<string> = []
): Effect.fn.Return<Certificates> {
  return yield* Effect.promise(() => certify(names))
})

const certify = async (names: ReadonlyArray<string>): Promise<Certificates> => {
  const [authority, server] = await Promise.all([generateKeys(), generateKeys()])
  // The machine's clock, not Effect's: TLS stacks check these dates with the machine's, whatever a test's clock says.
  const validity = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + lifetime)
  }
  const ca = await X509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Federate sandbox CA",
    keys: authority,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new X509.BasicConstraintsExtension(true, 0, true),
      new X509.KeyUsagesExtension(X509.KeyUsageFlags.keyCertSign, true),
      await X509.SubjectKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  const certificate = await X509.X509CertificateGenerator.create({
    subject: "CN=localhost",
    issuer: ca.subject,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    // Python's strict mode demands both key identifiers.
    extensions: [
      new X509.BasicConstraintsExtension(false, undefined, true),
      new X509.KeyUsagesExtension(X509.KeyUsageFlags.digitalSignature, true),
      new X509.ExtendedKeyUsageExtension([X509.ExtendedKeyUsage.serverAuth]),
      new X509.SubjectAlternativeNameExtension([
        ...["localhost", ...names].map((value) => ({ type: "dns" as const, value })),
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" }
      ]),
      await X509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      await X509.SubjectKeyIdentifierExtension.create(server.publicKey)
    ]
  })
  const key = await crypto.subtle.exportKey("pkcs8", server.privateKey)
  return {
    ca: ca.toString("pem"),
    certificate: certificate.toString("pem"),
    key: X509.PemConverter.encode(key, "PRIVATE KEY")
  }
}
