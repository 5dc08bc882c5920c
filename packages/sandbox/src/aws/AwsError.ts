/** AWS's errors, and how its two protocols write them. */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import { json } from "../kernel/Http.ts"
import type { Response } from "../kernel/Http.ts"
import type { Failure } from "../kernel/Service.ts"
import * as Xml from "./Xml.ts"

/** An error as AWS names it. */
export class AwsError extends Data.TaggedError("AwsError")<{
  /** As the JSON protocol says it; {@link queryNames} has the Query protocol's names for what all services share. */
  readonly code: string
  readonly message: string
  /** HTTP status, where it is not 400. The JSON protocol says 400 for everything that is the client's fault. */
  readonly status?: number
  /** The Query protocol says it as it is: it is the operation's own, and only named like one of those. */
  readonly modelled?: true
}> {}

/** What the Query protocol calls the errors that all services share, and their status there. */
const queryNames: Readonly<Record<string, readonly [code: string, status: number]>> = {
  AccessDeniedException: ["AccessDenied", 403],
  ExpiredTokenException: ["ExpiredToken", 403],
  IncompleteSignatureException: ["IncompleteSignature", 400],
  InternalErrorException: ["ServiceFailure", 500],
  InvalidSignatureException: ["SignatureDoesNotMatch", 403],
  MissingAuthenticationTokenException: ["MissingAuthenticationToken", 403],
  SerializationException: ["MalformedInput", 400],
  TooManyRequestsException: ["Throttling", 400],
  UnknownOperationException: ["InvalidAction", 400],
  UnrecognizedClientException: ["InvalidClientTokenId", 403],
  ValidationException: ["ValidationError", 400]
}

/** The header in which each answer carries its id. */
const requestId = (): { readonly "x-amzn-requestid": string } => ({
  "x-amzn-requestid": randomUUID()
})

/** AWS JSON 1.1: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export const jsonProtocol = {
  success: (output: unknown): Response =>
    json(200, output, { "content-type": "application/x-amz-json-1.1", ...requestId() }),
  failure: ({ code, message, status }: AwsError): Response =>
    json(
      status !== undefined && status >= 500 ? status : 400,
      { __type: code, message },
      {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-errortype": `${code}:`,
        ...requestId()
      }
    )
}

/** AWS Query: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export const queryProtocol = {
  success: (namespace: string, action: string, result: Xml.Content | undefined): Response => {
    const id = requestId()
    return xml(200, id, `${action}Response`, namespace, {
      ...(result !== undefined && { [`${action}Result`]: result }),
      ResponseMetadata: { RequestId: id["x-amzn-requestid"] }
    })
  },
  failure: (namespace: string, { code, message, modelled, status }: AwsError): Response => {
    const id = requestId()
    const shared = modelled === undefined ? queryNames[code] : undefined
    const [queryCode, queryStatus] = shared ?? [code, 400]
    return xml(status ?? queryStatus, id, "ErrorResponse", namespace, {
      Error: {
        Type: (status ?? queryStatus) < 500 ? "Sender" : "Receiver",
        Code: queryCode,
        Message: message
      },
      RequestId: id["x-amzn-requestid"]
    })
  }
}

const xml = (
  status: number,
  headers: Readonly<Record<string, string>>,
  root: string,
  namespace: string,
  content: Xml.Content
): Response => ({
  status,
  headers: { "content-type": "text/xml", ...headers },
  body: `<${root} xmlns="${namespace}">${Xml.render(content)}</${root}>`
})

/** An error that a fault imposes. */
export const imposed = (failure: Failure): AwsError =>
  failure === "throttled"
    ? new AwsError({ code: "TooManyRequestsException", message: "Rate exceeded" })
    : failure >= 500
      ? new AwsError({
          code: "InternalErrorException",
          message: "An internal error occurred.",
          status: failure
        })
      : new AwsError({
          code: "TooManyRequestsException",
          message: "Rate exceeded",
          status: failure
        })
