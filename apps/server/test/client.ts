/** A client of the broker's: what a cloud SDK sends. */
import { hash } from "node:crypto"
import { request } from "node:http"
import { readFileSync } from "node:fs"

/** The variables of a file, as `docker --env-file` reads them. */
export const readEnv = (file: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
  )

export interface Got {
  readonly status: number
  readonly body: string
}

/** Asks for a path at an origin, or on a unix socket (`unix:PATH`). */
export const ask = (
  origin: string,
  path: string,
  headers: Readonly<Record<string, string>> = {}
): Promise<Got> =>
  new Promise((resolve, reject) => {
    const socketPath = /^unix:(.*)$/.exec(origin)?.[1]
    const { hostname, port } = new URL(socketPath === undefined ? origin : "http://localhost")
    request(
      {
        ...(socketPath === undefined
          ? { host: hostname.replace(/^\[|\]$/g, ""), port }
          : { socketPath }),
        path,
        headers,
        agent: false
      },
      (response) => {
        let body = ""
        response
          .setEncoding("utf8")
          .on("data", (chunk: string) => (body += chunk))
          .on("end", () => resolve({ status: response.statusCode ?? 0, body }))
      }
    )
      .on("error", reject)
      .end()
  })

const question = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="

/** A token of Graph's by Azure's instance metadata service, which knows no secret. */
export const graphToken = async (origin: string): Promise<string> => {
  const { body, status } = await ask(origin, `${question}https://graph.microsoft.com`, {
    Metadata: "true"
  })
  if (status !== 200) throw new Error(`${status}: ${body}`)
  return (JSON.parse(body) as { readonly access_token: string }).access_token
}

export const sha256 = (token: string): string => hash("sha256", token, "hex")
