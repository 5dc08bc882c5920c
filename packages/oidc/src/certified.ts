/** A fetch that shows a client certificate (RFC 8705): connections of its own, loaded where one is configured. */
import { createSecureContext } from "node:tls"
import type { Misconfigured } from "@federate/core"
import { tlsFetch } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { misconfigured } from "./settings.ts"

/** Both PEM. Through a proxy, the certificate goes to the server alone. */
export const certified = (
  certificate: Redacted.Redacted,
  key: Redacted.Redacted
): Result.Result<Fetch, Misconfigured> => {
  const pair = { cert: Redacted.value(certificate), key: Redacted.value(key) }
  const usable = Result.try(() => createSecureContext(pair))
  if (Result.isFailure(usable)) {
    return misconfigured(
      "client.certificateFile",
      "and `client.certificateKeyFile` are no certificate and its private key",
      "Write both as PEM, unencrypted; the key is the one that the certificate was issued for."
    )
  }
  return Result.succeed(tlsFetch(pair))
}
