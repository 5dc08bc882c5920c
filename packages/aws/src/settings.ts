/** Checks that both of STS's adapters make before any call. */
import { Misconfigured } from "@federate/core"
import { endpoint, platformEnvironment } from "@federate/http"
import type { Environment } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"

export const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** A region's name, not its description (`Frankfurt`), not the global pseudo region. */
export const checkedRegion = (region: string) =>
  /^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/.test(region)
    ? Result.succeed(region)
    : misconfigured(
        "region",
        `"${region}" is not a region's name`,
        "Write it as eu-central-1; the global endpoint of STS does not serve."
      )

/** An endpoint in the place of AWS's own, which may not be the global one. */
export const checkedEndpoint = (url: string) =>
  Result.flatMap(endpoint("endpoint", url), (checked) =>
    checked.hostname === "sts.amazonaws.com"
      ? misconfigured(
          "endpoint",
          "is the global endpoint of STS",
          "Leave it out, and name the `region`: its own endpoint serves."
        )
      : Result.succeed(checked)
  )

/** The endpoint that is set, or that the AWS SDKs' variables name; nothing where it is AWS's own. */
export const endpointOf = (options: {
  readonly endpoint?: string | undefined
  readonly environment?: Environment | undefined
}): string | undefined => {
  const { environment = platformEnvironment } = options
  return options.endpoint ?? environment("AWS_ENDPOINT_URL_STS") ?? environment("AWS_ENDPOINT_URL")
}

/** Whole seconds within bounds, or nothing where nothing is set. */
export const secondsOf = (
  duration: Duration.Input | undefined,
  bounds: { readonly least: number; readonly most: number; readonly hint: string }
) => {
  if (duration === undefined) return Result.succeed(undefined)
  const seconds = Duration.toSeconds(Duration.fromInputUnsafe(duration))
  return Number.isInteger(seconds) && seconds >= bounds.least && seconds <= bounds.most
    ? Result.succeed(seconds)
    : misconfigured("duration", `is ${seconds} s`, bounds.hint)
}
