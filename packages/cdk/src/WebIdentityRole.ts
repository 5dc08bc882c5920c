/** A role for workloads outside of AWS, which trusts one subject of one issuer. */
import * as iam from "aws-cdk-lib/aws-iam"
import { Token } from "aws-cdk-lib"
import type { Construct } from "constructs"
import { outputs } from "./outputs.ts"

export interface WebIdentityRoleProps extends Omit<iam.RoleProps, "assumedBy" | "externalIds"> {
  /** The assertions' `iss`, to the letter: https, at most 255 characters. */
  readonly issuer: string
  /** The assertions' `sub`, whole: nothing in it is a wildcard. */
  readonly subject: string
  /** The assertions' `aud` (or `azp`, where there is one). Default: `sts.amazonaws.com`. */
  readonly audience?: string
  /**
   * The account's OIDC provider for the issuer, which lists the audience. Default: one is made; an account can have one for
   * each issuer, so a second role takes the first one's.
   */
  readonly provider?: iam.IOidcProvider
}

/**
 * Assumed with an assertion by `AssumeRoleWithWebIdentity`
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html), by the subject and for the audience
 * that are named, and nobody else.
 *
 * @example
 * ```ts
 * const role = new WebIdentityRole(this, "Deployer", {
 *   issuer: "https://token.actions.githubusercontent.com",
 *   subject: "repo:octo@583231/app@1296269:ref:refs/heads/main"
 * })
 * bucket.grantRead(role)
 * ```
 */
export class WebIdentityRole extends iam.Role {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly provider: iam.IOidcProvider

  /** @throws Error when the issuer is no https URL, or the subject has a wildcard, which would never match */
  constructor(scope: Construct, id: string, props: WebIdentityRoleProps) {
    const { audience = "sts.amazonaws.com", issuer, provider: given, subject, ...role } = props
    const host = hostOf(issuer)
    if (!Token.isUnresolved(subject) && /^$|[*?]/.test(subject)) {
      throw new Error(
        `subject: ${JSON.stringify(subject)} must be the whole subject of an assertion, as \`federate inspect\` shows it; nothing in it is a wildcard`
      )
    }
    // What a role trusts is made before it, and so not within it.
    const provider =
      given ??
      new iam.OidcProviderNative(scope, `${id}Provider`, { url: issuer, clientIds: [audience] })
    super(scope, id, {
      ...role,
      assumedBy: new iam.WebIdentityPrincipal(provider.oidcProviderArn, {
        StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: subject }
      })
    })
    this.issuer = issuer
    this.subject = subject
    this.audience = audience
    this.provider = provider
    outputs(this, this)
  }
}

/** The keys of conditions begin with the issuer, and a template cannot make up keys. */
const hostOf = (issuer: string): string => {
  if (Token.isUnresolved(issuer) || !/^https:\/\/[^\s?#@]{1,247}$/.test(issuer)) {
    throw new Error(
      `issuer: ${Token.isUnresolved(issuer) ? "what is known only when it is deployed" : JSON.stringify(issuer)} will not do; write the assertions' iss, an https URL of at most 255 characters`
    )
  }
  return issuer.slice("https://".length)
}
