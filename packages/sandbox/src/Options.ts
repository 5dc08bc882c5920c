/** What a sandbox can be told when it is made. */
import type * as Duration from "effect/Duration"
import type { JWK } from "jose"

/** Whose assertions are taken. */
export interface Trust {
  /** A plain issuer's name, or any issuer's https URL. */
  readonly issuer: string
  readonly subject: string
  /** Default: what the relying party calls itself; AWS `sts.amazonaws.com`. */
  readonly audience?: string
}

/** Whom the plain authorization server knows, by a secret or by keys. */
export interface OAuthClient {
  readonly id: string
  readonly secret?: string
  /** Its public keys (RFC 7517): it signs its assertions. */
  readonly jwks?: { readonly keys: ReadonlyArray<JWK> }
  /** The grant types that it may use. Default: all that there are. */
  readonly grants?: ReadonlyArray<string>
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
     * in place at once. In its subject `*` stands for any text.
     */
    readonly trust?: Trust
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
    /** How long what is made stays unseen where it matters, here and in the other clouds. Default 0. */
    readonly propagation?: Duration.Input
  }
  /** The plain authorization server, and the services that take assertions. */
  readonly oauth?: {
    /** Default: the subject `workload` of the plain issuer `workload`. */
    readonly trust?: ReadonlyArray<Trust>
    /** Default: none; nobody is asked for a client then. */
    readonly clients?: ReadonlyArray<OAuthClient>
    /** What tokens can be for. Default: `https://api.example`. */
    readonly targets?: ReadonlyArray<string>
    /** Default: `read` and `write`. */
    readonly scopes?: ReadonlyArray<string>
    /** Whether the authorization server takes each assertion once. Default: no. */
    readonly singleUse?: boolean
  }
  /**
   * Where issuers are really fetched from, by issuer: base URLs that Entra asks in their place. For issuers that are
   * stood in for elsewhere, on this machine.
   */
  readonly issuers?: Readonly<Record<string, string>>
}
