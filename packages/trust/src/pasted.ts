/** What a person pastes, in whichever order: tokens, documents, an error's words. */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Yaml from "effect/encoding/Yaml"

export interface Pasted {
  /** Whatever has a JWT's form, signed or encrypted (RFC 7516). */
  readonly tokens: ReadonlyArray<string>
  /** Objects and lists: each that stands there as JSON, or all that is there, as YAML. */
  readonly documents: ReadonlyArray<unknown>
  /** The rest. */
  readonly text: string
}

/** Brackets that begin no document, until the rest is taken for text: each costs a look at all that follows. */
const mostMisses = 100

/** Takes a text apart. What it cannot read as anything else is `text`. Each token and document is left out of it. */
export const pasted = (whole: string): Pasted => {
  const tokens: Array<string> = []
  const rest = whole.replace(
    /(?<![\w-])eyJ[\w-]*\.(?:[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+|[\w-]+\.[\w-]*)(?![\w-])/g,
    (token) => {
      tokens.push(token)
      return ""
    }
  )
  const documents: Array<unknown> = []
  let text = ""
  let from = 0
  let misses = 0
  for (const opening of rest.matchAll(/[[{]/g)) {
    if (opening.index < from || misses > mostMisses) continue
    const found = documentAt(rest, opening.index)
    if (found === undefined) {
      misses++
      continue
    }
    documents.push(found.document)
    text += rest.slice(from, opening.index)
    from = found.end
  }
  text = (text + rest.slice(from)).trim()
  const document = documents.length === 0 ? yaml(text) : undefined
  return { tokens, documents: document === undefined ? documents : [document], text }
}

/** gcloud prints it. A line of words is YAML too, and no document. */
const yaml = (text: string): unknown => {
  const read = Result.try((): unknown => Yaml.parse(text))
  return Result.isSuccess(read) && (Predicate.isObject(read.success) || Array.isArray(read.success))
    ? read.success
    : undefined
}

/** The JSON that begins there: up to the bracket that closes it. */
const documentAt = (
  text: string,
  start: number
): { readonly document: unknown; readonly end: number } | undefined => {
  let depth = 0
  let isQuoted = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]!
    if (isQuoted) {
      if (character === "\\") at++
      else if (character === '"') isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === "{" || character === "[") depth++
    else if (character === "}" || character === "]") depth--
    if (depth === 0 && !isQuoted) {
      const document = parsed(text.slice(start, at + 1))
      return document === undefined ? undefined : { document, end: at + 1 }
    }
  }
  return undefined
}

const parsed = (text: string): unknown =>
  Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
