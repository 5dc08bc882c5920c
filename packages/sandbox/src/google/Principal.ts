/** Who a token is about, and the names that policies have for it. */

/** Somebody of a workload identity pool, as a provider's mapping describes it. */
export interface Federated {
  readonly _tag: "Federated"
  /** The pool's full name: `projects/N/locations/global/workloadIdentityPools/P`. */
  readonly pool: string
  readonly subject: string
  readonly groups: ReadonlyArray<string>
  /** Custom attributes, without `attribute.` in front. */
  readonly attributes: Readonly<Record<string, string>>
}

export type Principal =
  | Federated
  | { readonly _tag: "ServiceAccount"; readonly email: string }
  | { readonly _tag: "User"; readonly email: string }

/** Every member of a policy's binding that stands for the principal: https://cloud.google.com/iam/docs/principal-identifiers */
export const members = (principal: Principal): ReadonlyArray<string> => {
  if (principal._tag === "User") return [`user:${principal.email}`]
  if (principal._tag === "ServiceAccount") return [`serviceAccount:${principal.email}`]
  const { attributes, groups, pool, subject } = principal
  const name = `iam.googleapis.com/${pool}`
  return [
    `principal://${name}/subject/${subject}`,
    `principalSet://${name}/*`,
    ...groups.map((group) => `principalSet://${name}/group/${group}`),
    ...Object.entries(attributes).map(
      ([key, value]) => `principalSet://${name}/attribute.${key}/${value}`
    )
  ]
}

const member =
  /^(user|serviceAccount|group):[^\s@]+@[^\s@]+$|^principal:\/\/iam\.googleapis\.com\/projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/subject\/.+$|^principalSet:\/\/iam\.googleapis\.com\/projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/(\*|group\/.+|attribute\.[a-z0-9_]+\/.+)$/s

/** Whether a policy may name it. */
export const isMember = (text: unknown): text is string =>
  typeof text === "string" && member.test(text)
