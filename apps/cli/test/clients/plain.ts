/** Asks for a token of Graph where its surroundings say, with no SDK at all, and prints what it got. */
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env
const response = await fetch(
  `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://graph.microsoft.com`,
  { headers: { "X-IDENTITY-HEADER": IDENTITY_HEADER ?? "" } }
)
console.log(JSON.stringify({ status: response.status, ...Object(await response.json()) }))
process.exitCode = response.ok ? 0 : 1
