/** The Kubernetes API as an assertion source: a service account token for whatever audience is asked for. */
import {
  Assertion,
  AssertionSource,
  configured,
  Misconfigured,
  Rejected,
  Unavailable
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import {
  endpoint,
  json,
  nodeFetch,
  overloaded,
  platformEnvironment,
  publicText,
  send,
  tlsFetch,
  unexpected
} from "@federate/http"
import type { Environment, Fetch, HttpAnswer, HttpRequest } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { audienceFor } from "./audience.ts"
import { ownToken } from "./kubernetes.ts"
import { readTokenFile } from "@federate/local"

export interface KubernetesTokenRequestOptions {
  /** Whose token is asked for. Default: who asks. */
  readonly serviceAccount?: string | undefined
  /** Where it is. Default: where who asks is. */
  readonly namespace?: string | undefined
  /** Whom the token is for where the relying party demands nobody. Without it, whom the relying party prefers. */
  readonly audience?: string | undefined
  /** Whole seconds, at least 10 minutes; the server may give another. Default: the server's own, an hour. */
  readonly expiration?: Duration.Input | undefined
  /** The API server: https, or http on loopback. Default: that of the cluster that this pod runs in. */
  readonly server?: string | undefined
  /** What it knows this workload by. Default: `tokenFile`. */
  readonly token?: Redacted.Redacted | undefined
  /** Where that is written. Default: where a pod has its own. */
  readonly tokenFile?: string | undefined
  /** The certificates that the server's is signed by, PEM. Default: where a pod has its cluster's; with `server`, whom the process trusts. */
  readonly caFile?: string | undefined
  /** Where no other certificates are trusted than the process's. Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "kubernetes-token-request"

/**
 * `TokenRequest` (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/), asked
 * with the pod's own token, or outside of a cluster with one that is named. Who asks needs the right to create
 * `serviceaccounts/token`. A pod's own API server is never asked through a proxy. Outside of a pod, and without a
 * `server`, it is `Unavailable`.
 */
export const kubernetesTokenRequest = Effect.fnUntraced(function* (
  options: KubernetesTokenRequestOptions = {}
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const settings = yield* configured(name, checked(options))
  return AssertionSource.make({
    name,
    offers: { audience: "any" },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const { caFile, seconds, server, tokenFile } = settings
      if (server === undefined) return yield* Effect.fail(nowhere)
      const audience = yield* Effect.fromResult(audienceFor(request, options.audience))
      const own =
        options.token ??
        (yield* readTokenFile({
          setting: "tokenFile",
          path: tokenFile,
          absent: absent(options, "token")
        }))
      const account = yield* Effect.fromResult(accountOf(options, own))
      const answer = yield* asking(options, caFile, {
        url: `${server}/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`,
        method: "POST",
        headers: {
          authorization: `Bearer ${Redacted.value(own)}`,
          "content-type": "application/json",
          accept: "application/json"
        },
        body: JSON.stringify({
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: {
            audiences: [audience],
            ...(seconds !== undefined && { expirationSeconds: seconds })
          }
        })
      })
      const status = json(answer)?.["status"]
      const token =
        typeof status === "object" && status !== null && "token" in status
          ? status.token
          : undefined
      if (answer.status !== 201 || typeof token !== "string")
        return yield* Effect.fail(refused(answer, account))
      // It signs when it is asked.
      return yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(token), { obtainedAt: answer.sentAt, issuerTime: "iat" })
      )
    })
  })
})

interface Settings {
  readonly server: string | undefined
  readonly tokenFile: string
  readonly caFile: string | undefined
  readonly seconds: number | undefined
}

const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** What can be told to be wrong before any call. */
const checked = ({
  environment = platformEnvironment,
  ...options
}: KubernetesTokenRequestOptions): Result.Result<Settings, Misconfigured> =>
  Result.gen(function* () {
    for (const setting of ["serviceAccount", "namespace"] as const) {
      const value = options[setting]
      if (value !== undefined && !/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value)) {
        return yield* misconfigured(
          setting,
          `"${value}" is no name of Kubernetes's`,
          "Write the name alone, in lower case."
        )
      }
    }
    const { caFile, expiration, server, token, tokenFile } = options
    const seconds =
      expiration === undefined
        ? undefined
        : Duration.toSeconds(Duration.fromInputUnsafe(expiration))
    if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 600)) {
      return yield* misconfigured(
        "expiration",
        `is ${seconds} s`,
        "Whole seconds, at least 10 minutes: the API server takes no less."
      )
    }
    if (token !== undefined && tokenFile !== undefined) {
      return yield* misconfigured(
        "tokenFile",
        "stands beside `token`",
        "Leave one of them: which is meant cannot be told."
      )
    }
    if (server === undefined) {
      return {
        server: inCluster(environment),
        tokenFile: tokenFile ?? ownToken,
        caFile: caFile ?? ownCertificates,
        seconds
      }
    }
    if (token === undefined && tokenFile === undefined) {
      return yield* misconfigured(
        "tokenFile",
        "is absent beside `server`",
        "Name the file, or the token: a pod's own is for its own cluster."
      )
    }
    const { href } = yield* endpoint("server", server)
    return { server: href.replace(/\/+$/, ""), tokenFile: tokenFile ?? ownToken, caFile, seconds }
  })

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const inCluster = (environment: Environment): string | undefined => {
  const host = environment("KUBERNETES_SERVICE_HOST")
  return (
    host &&
    `https://${host.includes(":") ? `[${host}]` : host}:${environment("KUBERNETES_SERVICE_PORT") ?? 443}`
  )
}

const ownCertificates = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

const nowhere = new Unavailable({
  detail: "KUBERNETES_SERVICE_HOST is not set",
  hint: "Run in a pod; or name an API server, and a token for it."
})

/** What would make a file be there. */
const absent = ({ server }: KubernetesTokenRequestOptions, what: string) =>
  server === undefined
    ? "Let the pod have its own token: its `automountServiceAccountToken`, or its service account's, is false."
    : `Name the file that holds the ${what}.`

interface Account {
  readonly namespace: string
  readonly name: string
}

/** The account that is named; where none is, the token's own. */
const accountOf = (
  { namespace, serviceAccount }: KubernetesTokenRequestOptions,
  own: Redacted.Redacted
): Result.Result<Account, Misconfigured> => {
  if (namespace !== undefined && serviceAccount !== undefined)
    return Result.succeed({ namespace, name: serviceAccount })
  const { subject = "" } = Result.getOrElse(
    Assertion.fromJwt(own, { obtainedAt: 0 }),
    (): { readonly subject?: string } => ({})
  )
  const [, ownNamespace, ownName] =
    /^system:serviceaccount:([a-z0-9.-]+):([a-z0-9.-]+)$/.exec(subject) ?? []
  return ownNamespace === undefined || ownName === undefined
    ? misconfigured(
        serviceAccount === undefined ? "serviceAccount" : "namespace",
        "is absent, and the token that asks is no service account's",
        "Name the service account, and its namespace."
      )
    : Result.succeed({
        namespace: namespace ?? ownNamespace,
        name: serviceAccount ?? ownName
      })
}

/** Trusting the named certificates, read anew as they too are rotated; or whom the process trusts. */
const asking = Effect.fnUntraced(function* (
  options: KubernetesTokenRequestOptions,
  caFile: string | undefined,
  request: HttpRequest
): Effect.fn.Return<HttpAnswer, Reason> {
  const { fetch, server } = options
  if (caFile === undefined) return yield* send(request, { fetch })
  const ca = Redacted.value(
    yield* readTokenFile({
      setting: "caFile",
      path: caFile,
      absent: absent(options, "certificate of the cluster's authority")
    })
  )
  return yield* Effect.mapError(
    // No proxy knows the address of a pod's own.
    send(request, { fetch: server === undefined ? nodeFetch({ ca }) : tlsFetch({ ca }) }),
    (reason) =>
      reason._tag === "Misconfigured" && reason.setting === "NODE_EXTRA_CA_CERTS"
        ? new Misconfigured({
            setting: "caFile",
            problem: reason.problem,
            hint: `Have ${caFile} hold the certificates of this cluster's authority.`
          })
        : reason
  )
})

/** By `reason` (https://kubernetes.io/docs/reference/using-api/api-concepts/#operations): what it means, and the one fix. */
const hints: Readonly<Record<string, (account: Account) => string>> = {
  Forbidden: ({ name: account, namespace }) =>
    `Grant it: \`kubectl create role federate-token -n ${namespace} --verb=create --resource=serviceaccounts/token --resource-name=${account}\`, and \`kubectl create rolebinding federate-token -n ${namespace} --role=federate-token --serviceaccount=NAMESPACE:NAME\` for the account that asks.`,
  Unauthorized: () =>
    "The API server does not take the token that asks: it has ended, or it is another cluster's, or for another audience than the API server.",
  NotFound: ({ name: account, namespace }) =>
    `There is no service account ${account} in ${namespace}: \`kubectl get serviceaccounts -n ${namespace}\`.`,
  Invalid: () => "Compare `audience` and `expiration` with what the server says."
}

const refused = (answer: HttpAnswer, account: Account): Reason => {
  const busy = overloaded(answer)
  const { message, reason } = json(answer) ?? {}
  if (busy !== undefined || answer.status < 400 || typeof reason !== "string" || reason === "")
    return busy ?? unexpected(answer)
  return new Rejected({
    code: publicText(reason),
    status: answer.status,
    description:
      (typeof message === "string" && publicText(message)) || "The API server gave no message",
    hint:
      (Object.hasOwn(hints, reason) ? hints[reason]!(account) : undefined) ??
      "Ask for the same with `kubectl create token`, which shows what the cluster says to it.",
    remedy: "none"
  })
}
