/** Who may ask for credentials: whoever knows the broker's secret. */
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import { bearer } from "../bearer.ts"
import type { Secret } from "../Secret.ts"
import { Asked, refuse } from "./Asked.ts"

export class Authorization extends HttpApiMiddleware.Service<Authorization>()(
  "@federate/broker/api/Authorization",
  {
    security: {
      bearer: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotate(
          OpenApi.Description,
          "The broker's secret, the value of $FEDERATE_BROKER_TOKEN. On a unix socket none is needed."
        )
      )
    }
  }
) {}

export const authorization = (secret: Secret): Layer.Layer<Authorization> =>
  Layer.succeed(
    Authorization,
    Authorization.of({
      bearer: (answer) =>
        Effect.flatMap(Asked, ({ headers }) => {
          const refused = bearer(secret)(headers)
          return refused === undefined ? answer : refuse(refused)
        })
    })
  )
