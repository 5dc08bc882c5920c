/**
 * What the broker is held against: node:http alone, the same constant-time look at the secret, the same bytes.
 *
 * node bare.mjs PORT SECRET HEADERS BODY
 */
import { timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"

const [port, secret, headers, body] = process.argv.slice(2)
const expected = Buffer.from(secret, "latin1")
const written = JSON.parse(headers)

createServer((request, response) => {
  const given = Buffer.from(request.headers["x-identity-header"] ?? "", "latin1")
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    response.writeHead(401).end()
    return
  }
  response.writeHead(200, written)
  response.end(body)
}).listen(Number(port), "127.0.0.1")
