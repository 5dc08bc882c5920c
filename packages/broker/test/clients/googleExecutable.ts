/** The `executable` source of a Google external account: asks the broker that its surroundings name for an assertion. */
const { FEDERATE_BROKER_TOKEN, FEDERATE_BROKER_URL } = process.env
const response = await fetch(`${FEDERATE_BROKER_URL}/subject-token/workload`, {
  headers: { authorization: `Bearer ${FEDERATE_BROKER_TOKEN}` }
})
const text = await response.text()
console.log(
  JSON.stringify(
    response.ok
      ? {
          version: 1,
          success: true,
          token_type: process.env["GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"],
          id_token: text
        }
      : { version: 1, success: false, code: String(response.status), message: text }
  )
)
