/** Where secrets may be sent. */
import { Misconfigured } from "@federate/core"
import * as Result from "effect/Result"

/** Whether a host name is this machine: `localhost`, 127.0.0.0/8 or ::1 (RFC 6761 §6.3, RFC 1122 §3.2.1.3). */
export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" ||
  hostname.endsWith(".localhost") ||
  hostname === "[::1]" ||
  /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)

/**
 * Whether a host name is on this machine's own link, where its platform serves it and nobody listens on the way:
 * link-local addresses (RFC 3927, RFC 4291 §2.5.6), and those that AWS, Azure and Google have given their like besides.
 */
export const isLinkLocal = (hostname: string): boolean =>
  /^169\.254\.\d{1,3}\.\d{1,3}$/.test(hostname) ||
  /^\[(?:fe[89ab][0-9a-f]|fd00:ec2|fd20:ce):/.test(hostname) ||
  hostname === "168.63.129.16" ||
  hostname === "metadata.google.internal"

/**
 * An absolute https URL, or http on loopback, without user name, password or fragment.
 *
 * @param setting the setting's name, for the error
 */
export const endpoint = (setting: string, value: string): Result.Result<URL, Misconfigured> => {
  const wrong = (problem: string, hint: string) =>
    Result.fail(new Misconfigured({ setting, problem, hint }))
  const url = URL.parse(value)
  if (url === null)
    return wrong("is not an absolute URL", "Write it in full, such as https://host/path.")
  if (url.username !== "" || url.password !== "") {
    return wrong("holds a user name or a password", "Take them out: they would stand in logs.")
  }
  if (url.hash !== "") return wrong("has a fragment (#…)", "Take it out: it is never sent.")
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)))
    return Result.succeed(url)
  return wrong(
    url.protocol === "http:"
      ? `is http to ${url.host}, so that anybody on the way could read what is sent`
      : `has the scheme ${url.protocol}`,
    "Use https. Plain http is for this machine only: localhost, 127.0.0.1, [::1]."
  )
}
