/** `type: spiffe` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { audience, optionalText } from "./settings.ts"
import { spiffe } from "./spiffe.ts"

const config = Schema.Struct({
  socket: optionalText(
    "Where the agent listens, unix:///PATH, or tcp://IP:PORT on loopback; SPIFFE_ENDPOINT_SOCKET without it"
  ),
  audience,
  spiffeId: optionalText("Which identity, spiffe://DOMAIN/PATH; the agent's first without it")
})

export const spiffeAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "spiffe",
  description: "SPIFFE Workload API: a JWT-SVID of the agent on this machine",
  // The agent itself keeps its tokens.
  metered: false,
  config,
  make: (settings, { environment }) => spiffe({ ...settings, environment })
}
