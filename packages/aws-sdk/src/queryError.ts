/** An error in the AWS Query protocol: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization */
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import type { AwsError } from "./classify.ts"

/** The error of an answer; nothing when it does not tell one. */
export const queryError = Effect.fnUntraced(function* ({
  body
}: HttpAnswer): Effect.fn.Return<AwsError | undefined> {
  const { parse, textAt } = yield* Effect.promise(() => import("./xml.ts"))
  const root = yield* parse(body)
  const code = root?.name === "ErrorResponse" ? textAt(root, ["Error", "Code"]) : undefined
  if (code === undefined || !/^[\w.]{1,100}$/.test(code)) return undefined
  return {
    code,
    message: textAt(root, ["Error", "Message"]),
    requestId: textAt(root, ["RequestId"])
  }
})
