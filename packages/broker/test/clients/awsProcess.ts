/** A `credential_process`: asks the broker that its surroundings name for AWS credentials. */
const { AWS_CONTAINER_AUTHORIZATION_TOKEN, AWS_CONTAINER_CREDENTIALS_FULL_URI } = process.env
const response = await fetch(AWS_CONTAINER_CREDENTIALS_FULL_URI ?? "", {
  headers: { authorization: AWS_CONTAINER_AUTHORIZATION_TOKEN ?? "" }
})
// What the container's protocol answers with.
const answer = (await response.json()) as { Token?: string; Message?: string }
if (response.ok) {
  console.log(JSON.stringify({ ...answer, Version: 1, SessionToken: answer.Token }))
} else {
  console.error(answer.Message)
  process.exitCode = 1
}
