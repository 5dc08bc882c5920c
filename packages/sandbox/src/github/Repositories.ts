/** GitHub's repositories, as far as tokens about their jobs tell of them. */

/** How the subject of a repository's tokens is written. */
interface SubjectTemplate {
  /** Whether owner and name go with their ids: so they do since 2026-07-15, unless the repository is older. */
  immutable: boolean
  /** The claims that it is made of, in place of the default: `repo` and `context`. */
  claimKeys: ReadonlyArray<string> | undefined
}

export interface Repository {
  readonly owner: string
  readonly name: string
  readonly ownerId: number
  readonly id: number
  readonly subject: SubjectTemplate
}

export interface Repositories {
  /** The repository `OWNER/NAME`, whose case does not matter; it is there from the first time it is asked for. */
  readonly of: (fullName: string) => Repository
  readonly find: (fullName: string) => Repository | undefined
}

/** The first that are handed out; the next ones follow, for owners and repositories alike. */
const firstOwnerId = 583_231
const firstId = 1_296_269

export const make = (): Repositories => {
  const repositories = new Map<string, Repository>()
  const owners = new Map<string, number>()

  const ownerIdOf = (owner: string): number => {
    const key = owner.toLowerCase()
    const id = owners.get(key) ?? firstOwnerId + owners.size
    owners.set(key, id)
    return id
  }

  const find = (fullName: string) => repositories.get(fullName.toLowerCase())

  return {
    find,
    of: (fullName) => {
      const [owner = "", name = ""] = fullName.split("/")
      const repository = find(fullName) ?? {
        owner,
        name,
        ownerId: ownerIdOf(owner),
        id: firstId + repositories.size,
        subject: { immutable: true, claimKeys: undefined }
      }
      repositories.set(fullName.toLowerCase(), repository)
      return repository
    }
  }
}

/** What a subject begins with, unless the repository has chosen others of its claims. */
export const subjectPrefix = ({ id, name, owner, ownerId, subject }: Repository): string =>
  subject.immutable ? `repo:${owner}@${ownerId}/${name}@${id}` : `repo:${owner}/${name}`
