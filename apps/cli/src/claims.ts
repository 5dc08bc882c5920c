/** What the members of a JWT mean, for people who look at one. */

/** The JOSE header (RFC 7515 §4.1). */
export const headerMeanings: Readonly<Record<string, string>> = {
  alg: "signature algorithm",
  kid: "which of the issuer's keys signed it",
  typ: "kind of token",
  x5t: "the signing certificate's thumbprint",
  cty: "kind of what is inside"
}

/** JWT claims (RFC 7519 §4.1), and those that platforms add. */
export const claimMeanings: Readonly<Record<string, string>> = {
  iss: "who issued it",
  sub: "whom it is about: the workload",
  aud: "for whom it is meant",
  iat: "issued",
  nbf: "not before",
  exp: "ends",
  jti: "its own id",
  azp: "the client it was issued to",
  amr: "how the workload was authenticated",
  scp: "permissions on behalf of a user",
  scope: "what was granted",
  client_id: "the client it was issued to",
  act: "who acts for the subject (RFC 8693)",
  // Microsoft Entra
  tid: "tenant",
  appid: "the application's client id",
  app_displayname: "the application's name",
  oid: "the service principal's object id",
  idtyp: "app: no user is behind it",
  roles: "granted application permissions",
  ver: "the token's version",
  uti: "its own id",
  xms_ficinfo: "obtained through a federated credential",
  // Amazon Cognito, AWS STS
  "https://cognito-identity.amazonaws.com/identity-pool-arn": "the identity pool",
  "https://aws.amazon.com/tags": "principal tags",
  "https://sts.amazonaws.com/": "the AWS session",
  // GitHub Actions
  repository: "repository",
  repository_owner: "its owner",
  ref: "branch or tag",
  environment: "deployment environment",
  job_workflow_ref: "the workflow that ran",
  workflow_ref: "the workflow that ran",
  // Kubernetes
  "kubernetes.io": "namespace, pod and service account"
}

/** Claims that are times (RFC 7519 NumericDate). */
export const timeClaims: ReadonlySet<string> = new Set(["iat", "nbf", "exp", "auth_time"])
