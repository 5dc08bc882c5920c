/** What an assertion says, as a person would read it. */
import type { Assertion } from "@federate/core"
import type { Finding } from "./Finding.ts"
import { knownIssuer } from "./issuers.ts"

/** A token that ends sooner has no time to be traded, in milliseconds. */
export const shortest = 30_000

/** By whom, about whom, for whom, signed with what, and for how long. */
export const told = ({
  algorithm = "nothing",
  audience,
  claims,
  header,
  issuer,
  lifetime,
  subject
}: Assertion.Assertion): Finding => {
  const known = issuer === undefined ? undefined : knownIssuer(issuer)
  const { iat } = claims
  return {
    verdict: "note",
    subject: "assertion",
    what: [
      `By ${known === undefined ? "" : `${known.name}, `}${quoted(issuer)}`,
      `about ${quoted(subject)}${known === undefined ? "" : ` (${known.subject})`}`,
      `for ${audience.length === 0 ? "nobody" : audience.map(quoted).join(", ")}`,
      `signed with ${algorithm}${typeof header["kid"] === "string" ? ` by the key ${quoted(header["kid"])}` : ""}`,
      ...(typeof iat === "number" ? [`issued at ${time(iat * 1000)}`] : []),
      ...(lifetime === undefined ? [] : [`good for ${span(lifetime)}`])
    ].join("; ")
  }
}

const quoted = (text: string | undefined): string =>
  text === undefined ? "nobody" : JSON.stringify(text)

/** What is wrong with its times by this machine's clock, as an assertion that is to be traded now; nothing when all is well. */
export const untimely = (
  { claims, expiresAt }: Assertion.Assertion,
  now: number,
  tolerance: number
): Finding | undefined => {
  const { iat, nbf } = claims
  const from = typeof nbf === "number" ? nbf : iat
  const wrong = (subject: string, what: string, fix: string): Finding => ({
    verdict: "wrong",
    subject,
    what,
    why: "Nobody takes an assertion outside its time.",
    fix
  })
  if (expiresAt === undefined) {
    return wrong(
      "exp",
      "The assertion does not say when it ends.",
      "Have the issuer write `exp`: nobody takes a token that is good for ever."
    )
  }
  const left = expiresAt - now
  if (left < shortest) {
    return wrong(
      "exp",
      left <= 0
        ? `The assertion ended ${span(-left)} ago, at ${time(expiresAt)}.`
        : `The assertion has ${span(left)} left: too few to be traded.`,
      "Have the source give a fresh one each time, or longer ones; if it is fresh, a clock is wrong: this machine's (`timedatectl set-ntp true`), or the issuer's."
    )
  }
  return typeof from === "number" && from * 1000 - tolerance > now
    ? wrong(
        "nbf",
        `The assertion is not valid before ${time(from * 1000)}, and it is ${time(now)} here.`,
        "A clock is wrong: this machine's (`timedatectl set-ntp true`), or the issuer's."
      )
    : undefined
}

const time = (millis: number): string => {
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? `${millis / 1000} s` : date.toISOString().slice(0, 19) + "Z"
}

/** Whole seconds up to two minutes, then whole minutes, up to two hours. */
export const span = (millis: number): string => {
  const seconds = Math.round(millis / 1000)
  if (Math.abs(seconds) < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return Math.abs(minutes) < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
