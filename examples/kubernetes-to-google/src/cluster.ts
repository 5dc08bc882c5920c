/** Who stands around the program, played with a sandbox: the cluster that reads pod.yaml, and Google's administrator. */
import { readFile, writeFile } from "node:fs/promises"
import type { Sandbox } from "@federate/sandbox"
import { Yaml } from "effect/encoding"

/** As much of pod.yaml as a kubelet looks at here. */
interface Pod {
  readonly kind: "Pod"
  readonly metadata: { readonly namespace: string }
  readonly spec: {
    readonly serviceAccountName: string
    readonly containers: ReadonlyArray<{
      readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>
      readonly volumeMounts: ReadonlyArray<{ readonly mountPath: string }>
    }>
    readonly volumes: ReadonlyArray<{
      readonly projected: {
        readonly sources: ReadonlyArray<{
          readonly serviceAccountToken: { readonly path: string; readonly audience: string }
        }>
      }
    }>
  }
}

/** What pod.yaml makes of its pod, in a project whose number and id are the sandbox's. */
export const readPod = async ({ google }: Sandbox.Sandbox) => {
  const manifest = (await readFile(new URL("../pod.yaml", import.meta.url), "utf8"))
    .replaceAll("123456789012", google.projectNumber)
    .replaceAll("my-project", google.projectId)
  const documents = manifest.split(/^---$/m).map((document) => Yaml.parse(document))
  // The file is ours: there is one pod in it, with one container and one volume.
  const { metadata, spec } = documents.at(-1) as Pod
  const [container] = spec.containers
  const [volume] = spec.volumes
  const projected = volume!.projected.sources[0]!.serviceAccountToken
  return {
    env: Object.fromEntries(container!.env.map(({ name, value }) => [name, value])),
    file: `${container!.volumeMounts[0]!.mountPath}/${projected.path}`,
    audience: projected.audience,
    account: { namespace: metadata.namespace, name: spec.serviceAccountName }
  }
}

/** The kubelet leaves a token in the pod's volume; by default of the account that the pod runs as. */
export const leaveToken = async (sandbox: Sandbox.Sandbox, file: string, name?: string) => {
  const { account, audience } = await readPod(sandbox)
  const whose = { ...account, ...(name !== undefined && { name }) }
  await writeFile(file, await sandbox.serviceAccountToken(whose, audience), { mode: 0o600 })
}

/** The administrator has a pool believe the cluster, and one of its accounts read the project. */
export const trust = async (sandbox: Sandbox.Sandbox) => {
  const { adminToken, projectNumber } = sandbox.google
  const project = `projects/${projectNumber}`
  const pool = `${project}/locations/global/workloadIdentityPools/clusters`
  const { account } = await readPod(sandbox)
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`
  const post = async (path: string, body: object) => {
    const response = await fetch(`${sandbox.http}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    if (!response.ok) throw new Error(`Google answered ${response.status}`)
    // Google's objects.
    return (await response.json()) as { readonly bindings?: ReadonlyArray<object> }
  }
  await post(`${pool.replace(/\/clusters$/, "")}?workloadIdentityPoolId=clusters`, {})
  await post(`${pool}/providers?workloadIdentityPoolProviderId=my-cluster`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: sandbox.issuerUrl("kubernetes") }
  })
  const policy = await post(`${project}:getIamPolicy`, {})
  const reading = {
    role: "roles/browser",
    members: [`principal://iam.googleapis.com/${pool}/subject/${subject}`]
  }
  await post(`${project}:setIamPolicy`, {
    policy: { ...policy, bindings: [...(policy.bindings ?? []), reading] }
  })
}

/** The pod's variables, and where the sandbox stands in for Google. */
export const environment = async (sandbox: Sandbox.Sandbox, file: string) => ({
  ...(await readPod(sandbox)).env,
  TOKEN_FILE: file,
  GOOGLE_STS_ENDPOINT: `${sandbox.http}/v1/token`,
  GOOGLE_RESOURCE_MANAGER: sandbox.http
})
