/** The way through a proxy that the usual variables name, by a tunnel of its own for each request. */
import * as Http from "node:http"
import * as Https from "node:https"
import { BlockList, isIP, isIPv6 } from "node:net"
import type { Socket } from "node:net"
import { connect } from "node:tls"
import { Misconfigured, Transient } from "@federate/core"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Failure, unreachable } from "./answer.ts"
import type { Fault } from "./answer.ts"
import { isLinkLocal, isLoopback } from "./endpoint.ts"
import type { Environment, Fetch } from "./Fetch.ts"
import { nodeFetch } from "./nodeFetch.ts"
import type { TlsOptions } from "./nodeFetch.ts"

interface Proxy {
  /** The variable that names it. */
  readonly setting: string
  readonly url: URL
  /** What its `Proxy-Authorization` is (RFC 7617), where the URL has a user. */
  readonly authorization: Redacted.Redacted | undefined
}

/**
 * The proxy for a URL: what `HTTPS_PROXY` or `HTTP_PROXY` names, by the URL's scheme, unless `NO_PROXY` excepts the
 * host. The lower-case names go first, as with curl. This machine, and what its platform serves on its own link, are
 * never asked through a proxy: it would answer for itself.
 */
export const proxyFor = (
  target: URL,
  environment: Environment
): Result.Result<Proxy | undefined, Misconfigured> => {
  const scheme = target.protocol === "https:" ? "https" : "http"
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`]
  const setting = names.find((name) => environment(name) !== undefined)
  const excepted = environment("no_proxy") ?? environment("NO_PROXY") ?? ""
  if (setting === undefined || isNear(target) || isExcepted(target, excepted)) {
    return Result.succeed(undefined)
  }
  const value = environment(setting) ?? ""
  const url = URL.parse(value.includes("://") ? value : `http://${value}`)
  const authorization = Result.try(() =>
    url === null || url.username === ""
      ? undefined
      : basic(decodeURIComponent(url.username), decodeURIComponent(url.password))
  )
  if (url === null || !/^https?:$/.test(url.protocol) || Result.isFailure(authorization)) {
    return Result.fail(
      new Misconfigured({
        setting,
        problem: "is not the URL of an HTTP proxy",
        hint: "Write http://host:port, or http://user:password@host:port with both percent-encoded."
      })
    )
  }
  return Result.succeed({ setting, url, authorization: authorization.success })
}

/** A `fetch` through whatever proxy the variables name at the call; straight to the host without one. */
export const proxiedFetch =
  (environment: Environment, tls: TlsOptions = {}): Fetch =>
  async (address, init) => {
    const url = new URL(address)
    const proxy = Result.getOrThrowWith(proxyFor(url, environment), (fault) => new Failure(fault))
    if (proxy === undefined) return nodeFetch(tls)(address, init)
    const socket = await tunnel(proxy, url, init.signal ?? undefined)
    const fetch = nodeFetch({
      createConnection: () =>
        url.protocol === "https:" ? connect({ socket, ...namesOf(url), ...tls }) : socket
    })
    return fetch(address, init).catch((error: unknown) => {
      socket.destroy()
      throw error
    })
  }

const basic = (user: string, password: string): Redacted.Redacted =>
  Redacted.make(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`)

/** RFC 9110 §9.3.6. */
const tunnel = (proxy: Proxy, { hostname, port, protocol }: URL, signal: AbortSignal | undefined) =>
  new Promise<Socket>((resolve, reject) => {
    const { request } = proxy.url.protocol === "https:" ? Https : Http
    const authority = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`
    const asked = request({
      // Node would take the name for TLS from the header `Host`, which is the target's.
      ...namesOf(proxy.url),
      port: proxy.url.port || (proxy.url.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(proxy.authorization && { "proxy-authorization": Redacted.value(proxy.authorization) })
      },
      ...(signal && { signal })
    })
    asked.on("connect", ({ statusCode = 0 }, socket) => {
      // Nobody else listens until the request has it, which tells of it then.
      socket.on("error", () => {})
      if (statusCode >= 200 && statusCode < 300) return resolve(socket)
      socket.destroy()
      reject(new Failure(refusal(proxy, authority, statusCode)))
    })
    asked.on("error", (error) =>
      reject(new Failure(unreachable(`the proxy ${proxy.url.host}`, error)))
    )
    asked.end()
  })

const refusal = ({ authorization, setting, url }: Proxy, to: string, status: number): Fault => {
  if (status === 407) {
    return new Misconfigured({
      setting,
      problem: `the proxy ${url.host} ${authorization === undefined ? "wants a user name and a password" : "does not take the user name and the password"} (407)`,
      hint: "Write them into the URL, percent-encoded: http://user:password@host:port. They are never shown."
    })
  }
  return status >= 500 || status === 408 || status === 429
    ? new Transient({ detail: `The proxy ${url.host} answered ${status} for ${to}`, status })
    : new Misconfigured({
        setting,
        problem: `the proxy ${url.host} does not let requests through to ${to} (${status})`,
        hint: "Have it let them; or name the host in NO_PROXY, where there is a direct way."
      })
}

/** A host as resolvers and certificates have it: without brackets or a last dot. */
const bare = ({ hostname }: URL): string => hostname.replace(/^\[|\]$|\.$/g, "")

/** Whom a certificate must be for; in TLS addresses have no name (RFC 6066 §3). */
const namesOf = (url: URL) => {
  const host = bare(url)
  return { host, servername: isIP(host) === 0 ? host : "" }
}

const within = (host: string, list: BlockList): boolean =>
  isIP(host) !== 0 && list.check(host, isIPv6(host) ? "ipv6" : "ipv4")

const isNear = (url: URL): boolean => {
  const hostname = url.hostname.replace(/\.$/, "")
  return isLoopback(hostname) || isLinkLocal(hostname)
}

/** Whether a list as curl and Go take it names the host: names with all below them, addresses, networks, ports, `*`. */
const isExcepted = (url: URL, list: string): boolean => {
  const host = bare(url)
  const port = url.port || (url.protocol === "https:" ? "443" : "80")
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, bracketed, plain, only] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? []
      if (only !== undefined && only !== port) return false
      const name = (bracketed ?? plain ?? entry).replace(/\.$/, "")
      if (name === "*" || name === host) return name !== ""
      if (isIP(host) !== 0) return within(host, network(name))
      const domain = name.replace(/^\*?\./, "")
      return (
        domain !== "" && (host.endsWith(`.${domain}`) || (host === domain && !name.startsWith("*")))
      )
    })
}

/** `10.0.0.0/8`; whatever is not of that form holds nothing. */
const network = (text: string): BlockList => {
  const list = new BlockList()
  const [address = "", bits = ""] = text.split("/")
  const family = isIPv6(address) ? "ipv6" : "ipv4"
  if (isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && +bits <= (family === "ipv6" ? 128 : 32))
    list.addSubnet(address, +bits, family)
  return list
}
