/** What people paste that tells nothing to who reads it, known by how it begins. */

const kinds: ReadonlyArray<readonly [form: RegExp, name: string]> = [
  [/(?<![\w-])ya29\./, "an access token of Google's"],
  [/(?<!\w)(?:gh[pousr]_|github_pat_)\w{20}/, "a token of GitHub's API"],
  [/(?<!\w)(?:AKIA|ASIA)[A-Z2-7]{16}(?!\w)/, "an AWS access key's id"],
  // Base64 of what each of them begins with.
  [/(?<!\w)(?:IQoJb3JpZ2luX2Vj|FwoGZXIvYXdz)/, "an AWS session token"]
]

/** What it is called; nothing when no such thing is in it. */
export const opaque = (text: string): string | undefined =>
  kinds.find(([form]) => form.test(text))?.[1]
