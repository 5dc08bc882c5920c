/** The adapters that the command knows: the one list. */
import * as cognito from "@federate/cognito/adapter"
import type { Adapters } from "@federate/config"
import * as entra from "@federate/entra/adapter"
import type { Platform } from "@federate/http"

export const adapters: Adapters<Platform> = {
  sources: [cognito.source],
  exchangers: [cognito.exchanger, entra.exchanger]
}
