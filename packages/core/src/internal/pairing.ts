/** Whether a source's assertions can be what an exchanger takes, from what both say before any call. */
import type { Assertion } from "../Assertion.ts"
import type { AssertionRequest, AssertionSource } from "../AssertionSource.ts"
import type { Credential } from "../Credential.ts"
import { FederationError, Misconfigured } from "../FederationError.ts"
import type { TokenExchanger } from "../TokenExchanger.ts"

/** The refusal of an assertion that is not what was asked for: no source can be trusted to look. */
export const misfit = (
  { audience, notFrom }: AssertionRequest,
  assertion: Assertion
): Misconfigured | undefined => {
  if (audience !== undefined && !assertion.audience.includes(audience)) {
    return new Misconfigured({
      setting: "audience",
      problem: `"${audience}" is demanded, and the assertion is for ${assertion.audience.map((each) => `"${each}"`).join(", ") || "nobody"}`,
      hint: "Have the source ask for that audience, or demand the one that it gives, here and in the trust on the other side."
    })
  }
  const { issuer } = assertion
  return issuer !== undefined && isRefused(issuer, notFrom)
    ? new Misconfigured({
        setting: "source",
        problem: `the assertion is by ${issuer}, which the relying party does not take`,
        hint: otherIssuer
      })
    : undefined
}

const otherIssuer = "Take a source with another issuer."

/** Whether an issuer (a URL, or a domain) is in one of these domains. */
const isRefused = (issuer: string, domains: ReadonlyArray<string> = []): boolean => {
  const host = issuer.replace(/^https?:\/\//, "").replace(/[/:?#].*$/s, "")
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`))
}

/** The refusal of a pair that can never work. What is unknown is given the benefit of the doubt. */
export const refusal = (
  source: AssertionSource,
  exchanger: Pick<TokenExchanger<Credential>, "asks" | "name">
): FederationError | undefined => {
  const { asks } = exchanger
  const { offers } = source
  if (
    typeof offers.audience === "object" &&
    asks.audience !== undefined &&
    asks.audience !== offers.audience.only
  ) {
    return impossible(
      "audience",
      `${exchanger.name} demands the audience "${asks.audience}", and ${source.name} can only give "${offers.audience.only}"`,
      `Demand "${offers.audience.only}" here and in the trust on the other side, or take a source that can choose its audience.`
    )
  }
  if (
    asks.algorithms !== undefined &&
    offers.algorithms !== undefined &&
    !asks.algorithms.some((algorithm) => offers.algorithms!.includes(algorithm))
  ) {
    return impossible(
      "algorithms",
      `${exchanger.name} takes ${asks.algorithms.join(", ")}, and ${source.name} signs with ${offers.algorithms.join(", ")}`,
      `Have the source sign with ${asks.algorithms[0]}, or take another source.`
    )
  }
  const issuer = typeof offers.issuer === "object" ? offers.issuer.within : offers.issuer
  if (issuer !== undefined && isRefused(issuer, asks.notFrom)) {
    return impossible(
      "source",
      `${exchanger.name} does not take the assertions of ${source.name}, whose issuer is ${issuer === offers.issuer ? issuer : `in ${issuer}`}`,
      otherIssuer
    )
  }
  return undefined

  function impossible(setting: string, problem: string, hint: string): FederationError {
    return new FederationError({
      adapter: exchanger.name,
      stage: "configuration",
      reason: new Misconfigured({ setting, problem, hint })
    })
  }
}
