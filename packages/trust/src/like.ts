/**
 * A text with IAM's wildcards (`*` any run, `?` one character), held against the whole of a value. Runs of `*` are one: what
 * is pasted, or read, may not make a match take for ever.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards
 *
 * @param flags `i` where case says nothing
 */
export const like = (pattern: string, flags: "" | "i" = ""): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/\*+/g, "*")
      .replace(/[\\^$+.()|[\]{}]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    `su${flags}`
  )
