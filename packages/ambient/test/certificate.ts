/** A certificate for this machine, which is its own authority. */
// Before x509: its dependency injection stands on this global.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata"
import * as X509 from "@peculiar/x509"

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

/** PEM both. */
export const makeCertificate = async () => {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const certificate = await X509.X509CertificateGenerator.createSelfSigned({
    name: "CN=kubernetes",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new X509.BasicConstraintsExtension(true, 0, true),
      new X509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])
    ]
  })
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey)
  return {
    certificate: certificate.toString("pem"),
    key: X509.PemConverter.encode(key, "PRIVATE KEY")
  }
}
