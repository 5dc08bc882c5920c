/** Whose parts of a trust can be written as code: the one list. */
import { writers as aws } from "@federate/aws/trust"
import { writers as cognito } from "@federate/cognito/trust"
import { writers as entra } from "@federate/entra/trust"
import { writers as google } from "@federate/google/trust"
import type { Writer } from "@federate/trust"

export const writers: ReadonlyArray<Writer> = [...aws, ...cognito, ...entra, ...google]
