/** What a sandbox can be told when it is made. */
import type * as Duration from "effect/Duration"

/** Whose assertions a role of AWS's is for. */
export interface AwsTrust {
  /** A plain issuer's name, or any issuer's https URL. */
  readonly issuer: string
  /** `*` stands for any text. */
  readonly subject: string
  /** Default `sts.amazonaws.com`. */
  readonly audience?: string
}

export interface Options {
  /**
   * What is there from the start.
   *
   * - `first-journey` (default): a Cognito identity pool with the developer provider `my.dev.provider`, a role that may
   *   mint its tokens for `my_user_id`, and an Entra application that trusts exactly these and may read applications:
   *   AWS → Entra → Microsoft Graph works at once
   * - `empty`: an AWS account with an administrator's role and a workload's role without any policy, and an Entra tenant
   */
  readonly setup?: "first-journey" | "empty"
  /** `127.0.0.1` (default), `::1` or `localhost`. */
  readonly host?: string
  /** 0, the default, is any that is free. */
  readonly httpPort?: number
  readonly httpsPort?: number
  /** Where to write the CA's certificate, as `ca.pem`. Made when it is not there. */
  readonly directory?: string
  /**
   * Hosts that the certificate is for besides `localhost`, such as `login.microsoftonline.com`: for clients that a proxy
   * leads here. Default: none.
   */
  readonly certificateNames?: ReadonlyArray<string>
  /** The AWS region that is stood in for. Default `us-east-1`. */
  readonly region?: string
  readonly aws?: {
    /**
     * A role `federated` that may be assumed with this assertion, by an OpenID provider of IAM: AWS's side of a trust,
     * in place at once.
     */
    readonly trust?: AwsTrust
  }
  readonly cognito?: {
    /**
     * What Cognito's tokens name as their issuer. Default: the sandbox's own https URL, so that anyone can verify them.
     * With `https://cognito-identity.amazonaws.com` the sandbox's Entra still finds the keys here.
     */
    readonly issuer?: string
    /** Publishes `n` in standard base64 with a leading zero octet, as Cognito once did. */
    readonly base64Defect?: boolean
  }
  readonly entra?: {
    /** How long access tokens live. Default 3599 seconds. */
    readonly tokenLifetime?: Duration.Input
    /** How far an assertion's clock may be off. Default 5 minutes, which is also the most. */
    readonly clockTolerance?: Duration.Input
    /** How long an application, credential or grant stays unseen by the token endpoint. Default 0. */
    readonly propagation?: Duration.Input
  }
  /**
   * Where issuers are really fetched from, by issuer: base URLs that Entra asks in their place. For issuers that are
   * stood in for elsewhere, on this machine.
   */
  readonly issuers?: Readonly<Record<string, string>>
}
