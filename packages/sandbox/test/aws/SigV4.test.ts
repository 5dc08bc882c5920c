import { createHash } from "node:crypto"
import { DescribeIdentityPoolCommand } from "@aws-sdk/client-cognito-identity"
import { GetRoleCommand } from "@aws-sdk/client-iam"
import { assert, describe, it } from "@effect/vitest"
import { cognitoClient, refusal } from "../aws.ts"
import { iamClient } from "../iam.ts"
import { running } from "../running.ts"
import type { ClientOptions } from "../aws.ts"

const sandbox = running()

const describePool = (options: ClientOptions) =>
  cognitoClient(sandbox(), options).send(
    new DescribeIdentityPoolCommand({ IdentityPoolId: sandbox().env["COGNITO_IDENTITY_POOL_ID"] })
  )

const getRole = (options: ClientOptions) =>
  iamClient(sandbox(), options).send(new GetRoleCommand({ RoleName: "federate-workload" }))

const authorization = (change: (header: string) => string) => ({
  tamper: ({ headers }: { readonly headers: Record<string, string> }) => {
    headers["authorization"] = change(headers["authorization"] ?? "")
  }
})

describe("a signed request", () => {
  it("is believed from the stock SDK, in both protocols", async () => {
    const pool = await describePool({})
    assert.strictEqual(pool.DeveloperProviderName, "my.dev.provider")
    const { Role } = await getRole({})
    assert.strictEqual(Role?.Arn, sandbox().aws.workload.roleArn)
  })

  it.each<
    readonly [
      what: string,
      options: () => ClientOptions,
      json: string,
      query: string,
      message: RegExp
    ]
  >([
    [
      "without a signature",
      () => ({ tamper: ({ headers }) => void delete headers["authorization"] }),
      "MissingAuthenticationTokenException",
      "MissingAuthenticationToken",
      /Missing Authentication Token/
    ],
    [
      "with another scheme",
      () => authorization(() => "Bearer abc"),
      "IncompleteSignatureException",
      "IncompleteSignature",
      /Unsupported AWS 'algorithm': 'Bearer'/
    ],
    [
      "without a part of the header",
      () => authorization((header) => header.replace(/, Signature=.*/, "")),
      "IncompleteSignatureException",
      "IncompleteSignature",
      /requires 'Signature' parameter/
    ],
    [
      "without a date",
      () => ({ tamper: ({ headers }) => void delete headers["x-amz-date"] }),
      "IncompleteSignatureException",
      "IncompleteSignature",
      /existence of 'X-Amz-Date'/
    ],
    [
      "with a date that is none",
      () => ({
        tamper: ({ headers }) => {
          headers["x-amz-date"] = `${headers["x-amz-date"]?.slice(0, 8)}T999999Z`
        }
      }),
      "IncompleteSignatureException",
      "IncompleteSignature",
      /ISO-8601 'basic format'/
    ],
    [
      "with a credential that is cut",
      () => authorization((header) => header.replace("/aws4_request", "")),
      "IncompleteSignatureException",
      "IncompleteSignature",
      /exactly 5 slash-delimited elements/
    ],
    [
      "with an unknown key",
      () => ({ keys: { accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "x" } }),
      "UnrecognizedClientException",
      "InvalidClientTokenId",
      /The security token included in the request is invalid/
    ],
    [
      "with a session token that the key does not have",
      () => ({ keys: { ...sandbox().aws.admin, sessionToken: "x" } }),
      "UnrecognizedClientException",
      "InvalidClientTokenId",
      /The security token included in the request is invalid/
    ],
    [
      "with a wrong secret",
      () => ({ keys: { ...sandbox().aws.admin, secretAccessKey: "wrong" } }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /does not match the signature you provided/
    ],
    [
      "with a changed body",
      () => ({
        tamper: (request) => {
          request.body = request.body.replace("e", "E")
        }
      }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /does not match the signature you provided/
    ],
    [
      "with a changed body and its hash",
      () => ({
        tamper: (request) => {
          request.body = request.body.replace("e", "E")
          request.headers["x-amz-content-sha256"] = createHash("sha256")
            .update(request.body)
            .digest("hex")
        }
      }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /does not match the signature you provided/
    ],
    [
      "with a changed header",
      () => ({
        tamper: ({ headers }) => {
          headers["x-amz-user-agent"] = "another"
        }
      }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /does not match the signature you provided/
    ],
    [
      "with a changed signature",
      () => authorization((header) => header.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /does not match the signature you provided/
    ],
    [
      "with a header of AWS's that is not signed",
      () => ({
        tamper: ({ headers }) => {
          headers["x-amz-more"] = "1"
        }
      }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /'x-amz-more' must be a 'SignedHeader'/
    ],
    [
      "for another service",
      () => authorization((header) => header.replace(/\/(iam|cognito-identity)\//, "/s3/")),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /scoped to correct service: '(iam|cognito-identity)'/
    ],
    [
      "for another day",
      () => authorization((header) => header.replace(/\/\d{8}\//, "/20200101/")),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /Date in Credential scope does not match/
    ],
    [
      "from six minutes ago",
      () => ({ clock: -6 * 60_000 }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)/
    ],
    [
      "from six minutes ahead",
      () => ({ clock: 6 * 60_000 }),
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      /Signature not yet current: .* is still later than .* \+ 5 min\.\)/
    ]
  ])("%s is refused", async (_, options, json, query, message) => {
    const fromCognito = await refusal(describePool(options()))
    assert.deepInclude(fromCognito, { name: json, status: 400 })
    assert.match(fromCognito.message, message)
    const fromIam = await refusal(getRole(options()))
    assert.strictEqual(fromIam.name, query)
    assert.strictEqual(fromIam.status, query === "IncompleteSignature" ? 400 : 403)
    assert.match(fromIam.message, message)
  })

  it("is taken for any region, which has not what is in another", async () => {
    const { message, name } = await refusal(describePool({ region: "eu-west-1" }))
    assert.strictEqual(name, "ResourceNotFoundException")
    assert.match(message, /IdentityPool '.*' not found/)
    await getRole({ region: "eu-west-1" })
  })

  it("is refused for what is no region", async () => {
    const { message, name } = await refusal(describePool({ region: "nowhere" }))
    assert.strictEqual(name, "InvalidSignatureException")
    assert.match(message, /scoped to a valid region/)
  })

  it("is judged by the service's own clock", async () => {
    sandbox().skew("iam", 10 * 60_000)
    assert.match((await refusal(getRole({}))).message, /Signature expired/)
    await getRole({ clock: 10 * 60_000 })
    sandbox().skew("iam", 0)
  })
})
