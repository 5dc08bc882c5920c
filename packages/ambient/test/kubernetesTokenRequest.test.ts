import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kubernetesTokenRequest } from "@federate/ambient"
import type { KubernetesTokenRequestOptions } from "@federate/ambient"
import type { Fetch } from "@federate/http"
import { ambientSourceContract, assertionFor, assertionSourceContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { makeCertificate } from "./certificate.ts"

const own = assertionFor("system:serviceaccount:apps:workload", 0, {
  aud: ["https://kubernetes.default.svc"]
}).token
const server = "https://kubernetes.example:6443"
const tokenOf = (audience: string) =>
  Redacted.value(assertionFor("system:serviceaccount:apps:workload", 0, { aud: [audience] }).token)
const jwt = tokenOf("party")

const made = (token: string) => ({
  kind: "TokenRequest",
  apiVersion: "authentication.k8s.io/v1",
  status: { token, expirationTimestamp: "1970-01-01T00:15:00Z" }
})
const issued = (token: string) => Response.json(made(token), { status: 201 })

const failed = (code: number, reason: string, message: string) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  message,
  reason,
  code
})
const saying =
  (...status: Parameters<typeof failed>) =>
  () =>
    Response.json(failed(...status), { status: status[0] })

const make = (options: KubernetesTokenRequestOptions = {}) =>
  kubernetesTokenRequest({
    audience: "party",
    server,
    token: own,
    environment: () => undefined,
    ...options
  })

assertionSourceContract("The Kubernetes API", {
  make: (fetch) => make({ fetch }),
  well: issued,
  assertion: jwt,
  life: 900,
  secrets: [Redacted.value(own)],
  refused: [
    {
      name: "an account that may not ask",
      answer: saying(
        403,
        "Forbidden",
        'serviceaccounts "workload" is forbidden: User "system:serviceaccount:apps:workload" cannot create resource "serviceaccounts/token"'
      ),
      becomes: "Rejected",
      code: "Forbidden",
      hint: /--verb=create --resource=serviceaccounts\/token --resource-name=workload/
    },
    {
      name: "a token that has ended",
      answer: saying(401, "Unauthorized", "Unauthorized"),
      becomes: "Rejected",
      code: "Unauthorized",
      hint: /another cluster's/
    },
    {
      name: "an account that is not there",
      answer: saying(404, "NotFound", 'serviceaccounts "workload" not found'),
      becomes: "Rejected",
      code: "NotFound",
      hint: /no service account workload in apps/
    },
    {
      name: "a request that it does not take",
      answer: saying(422, "Invalid", "may not specify a duration less than 10 minutes"),
      becomes: "Rejected",
      code: "Invalid",
      hint: /expiration/
    },
    {
      name: "a reason that nobody has heard of",
      answer: saying(409, "constructor", "conflict"),
      becomes: "Rejected",
      code: "constructor",
      hint: /kubectl create token/
    },
    {
      name: "a token that was not made",
      answer: () => Response.json(made(jwt)),
      becomes: "Malformed"
    },
    {
      name: "an API server that is busy",
      answer: saying(429, "TooManyRequests", "try again"),
      becomes: "Transient"
    }
  ]
})

/** An API server behind a certificate of its own, and a pod's files. */
const cluster = (listener: Parameters<typeof createServer>[1]) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const { certificate, key } = await makeCertificate()
      const api = createServer({ cert: certificate, key }, listener)
      let open = 0
      api.on("secureConnection", (socket) => {
        open++
        socket.on("close", () => open--)
      })
      api.listen(0, "127.0.0.1")
      await once(api, "listening")
      const directory = await mkdtemp(join(tmpdir(), "federate-"))
      const tokenFile = join(directory, "token")
      const caFile = join(directory, "ca.crt")
      await writeFile(tokenFile, Redacted.value(own))
      await writeFile(caFile, certificate)
      // It listens on an address, not on a path.
      const { port } = api.address() as AddressInfo
      const set: Record<string, string> = {
        KUBERNETES_SERVICE_HOST: "127.0.0.1",
        KUBERNETES_SERVICE_PORT: `${port}`
      }
      const pod: KubernetesTokenRequestOptions = {
        audience: "party",
        tokenFile,
        caFile,
        environment: (name) => set[name]
      }
      const close = async () => {
        api.closeAllConnections()
        api.close()
        await rm(directory, { recursive: true })
      }
      return { pod, origin: `https://127.0.0.1:${port}`, open: () => open, close }
    }),
    ({ close }) => Effect.promise(close)
  )

const answering = (status: number, body: unknown) =>
  cluster((_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  })

let connections = () => 0

ambientSourceContract("The Kubernetes API of a pod's cluster", {
  make: Effect.flatMap(answering(201, made(jwt)), ({ pod }) => kubernetesTokenRequest(pod)),
  assertion: jwt,
  life: 900,
  secrets: [Redacted.value(own)],
  refused: [
    {
      name: "no cluster",
      make: kubernetesTokenRequest({ environment: () => undefined }),
      becomes: "Unavailable",
      hint: /Run in a pod/
    },
    {
      name: "a pod without a token",
      make: Effect.flatMap(answering(201, made(jwt)), ({ pod }) =>
        kubernetesTokenRequest({ ...pod, tokenFile: "/nowhere/token" })
      ),
      becomes: "Unavailable",
      hint: /automountServiceAccountToken/
    },
    {
      name: "another cluster's authority",
      make: Effect.gen(function* () {
        const other = yield* answering(201, made(jwt))
        const { pod } = yield* answering(201, made(jwt))
        return yield* kubernetesTokenRequest({ ...pod, caFile: other.pod.caFile })
      }),
      becomes: "Misconfigured",
      hint: /ca\.crt hold the certificates/
    },
    {
      name: "a refusal",
      make: Effect.flatMap(answering(403, failed(403, "Forbidden", "no")), ({ pod }) =>
        kubernetesTokenRequest(pod)
      ),
      becomes: "Rejected",
      code: "Forbidden"
    }
  ],
  hanging: {
    make: Effect.gen(function* () {
      const { open, pod } = yield* cluster(() => {})
      connections = open
      return yield* kubernetesTokenRequest(pod)
    }),
    held: () => connections() > 0
  }
})

describe("the Kubernetes API", () => {
  /** What one call asks. */
  const asking = (options: KubernetesTokenRequestOptions, preferredAudience?: string) =>
    Effect.gen(function* () {
      const asked: Array<readonly [string, Headers, unknown]> = []
      const fetch: Fetch = async (url, { body, headers }) => {
        asked.push([url, new Headers(headers), JSON.parse(String(body))])
        return issued(jwt)
      }
      const source = yield* make({ ...options, fetch })
      yield* source.assertion({ ...(preferredAudience !== undefined && { preferredAudience }) })
      return asked[0]!
    })

  it.effect("is asked for the account that asks, for the audience that is wanted", () =>
    Effect.gen(function* () {
      const [url, headers, body] = yield* asking({ audience: undefined }, "preferred")
      assert.strictEqual(url, `${server}/api/v1/namespaces/apps/serviceaccounts/workload/token`)
      assert.strictEqual(headers.get("authorization"), `Bearer ${Redacted.value(own)}`)
      assert.deepStrictEqual(body, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { audiences: ["preferred"] }
      })
    })
  )

  it.effect("is asked for the account, the server and the time that are named", () =>
    Effect.gen(function* () {
      const [url, , body] = yield* asking({
        server: "https://rancher.example/k8s/clusters/c-1/",
        serviceAccount: "other",
        namespace: "elsewhere",
        token: Redacted.make("opaque"),
        expiration: "20 minutes"
      })
      assert.strictEqual(
        url,
        "https://rancher.example/k8s/clusters/c-1/api/v1/namespaces/elsewhere/serviceaccounts/other/token"
      )
      assert.deepInclude(body, { spec: { audiences: ["party"], expirationSeconds: 1200 } })
      const [inOwn] = yield* asking({ serviceAccount: "other" })
      assert.include(inOwn, "/namespaces/apps/serviceaccounts/other/token")
    })
  )

  it.effect("must be told whose token is wanted, where the token that asks does not tell", () =>
    Effect.gen(function* () {
      for (const token of ["opaque", Redacted.value(assertionFor("somebody").token)]) {
        for (const [options, setting] of [
          [{}, "serviceAccount"],
          [{ serviceAccount: "other" }, "namespace"]
        ] as const) {
          const source = yield* make({ ...options, token: Redacted.make(token) })
          const { message } = yield* Effect.flip(source.assertion({}))
          assert.include(message, `${setting}: is absent, and the token that asks`)
        }
      }
    })
  )

  it.live("is trusted by its own authority from outside, too", () =>
    Effect.gen(function* () {
      const { origin, pod } = yield* answering(201, made(jwt))
      const { caFile, tokenFile } = pod
      const source = yield* make({ server: origin, token: undefined, tokenFile, caFile })
      assert.deepStrictEqual((yield* source.assertion({})).audience, ["party"])
      const distrusting = yield* make({ server: origin, token: undefined, tokenFile })
      const { message } = yield* Effect.flip(distrusting.assertion({}))
      assert.match(message, /NODE_EXTRA_CA_CERTS: .* is not trusted/)
      for (const setting of ["tokenFile", "caFile"]) {
        const options = { server: origin, token: undefined, tokenFile, caFile }
        const lost = yield* make({ ...options, [setting]: "/nowhere/file" })
        const { message: told } = yield* Effect.flip(lost.assertion({}))
        assert.match(told, /no file \/nowhere\/file\. Name the file that holds the/)
      }
    })
  )

  it.live("is found by an address of either family", () =>
    Effect.gen(function* () {
      const { pod } = yield* answering(201, made(jwt))
      const source = yield* kubernetesTokenRequest({
        ...pod,
        environment: (name) => (name === "KUBERNETES_SERVICE_HOST" ? "::1" : "1")
      })
      const { message } = yield* Effect.flip(source.assertion({}))
      assert.match(message, /No answer from \[::1\]:1 /)
    })
  )

  it.effect("says before any call what cannot work", () =>
    Effect.gen(function* () {
      for (const [options, text] of [
        [{ server: "http://kubernetes.example" }, /server: is http/],
        [{ token: undefined }, /tokenFile: is absent beside `server`/],
        [{ tokenFile: "/x" }, /tokenFile: stands beside `token`/],
        [{ expiration: "5 minutes" }, /expiration: is 300 s.*10 minutes/],
        [{ serviceAccount: "../other" }, /serviceAccount: .* is no name/],
        [{ namespace: "Apps" }, /namespace: .* is no name/]
      ] as const) {
        const { message, stage } = yield* Effect.flip(make(options))
        assert.strictEqual(stage, "configuration")
        assert.match(message, text)
      }
    })
  )
})
