/** The patterns of trust policies: texts with wildcards, always held against the whole of a value. */

const wildcards = new Set(["*", "**"])

/** What `*` stops at: the ends of segments. */
const separators = new Set([":", "/"])

/**
 * A pattern as a predicate: `*` is any run of characters within one segment (segments end at `:` and `/`), `**` any run
 * at all, the empty one too; everything else is itself, in its own case. Looks at each character of a value once for each
 * of the pattern's, and never goes back.
 */
export const pattern = (text: string): ((value: string) => boolean) => {
  const parts = text.match(/\*\*|./gsu) ?? []
  /** Marks a place in the pattern as reached, and what lies behind wildcards that take nothing. */
  const reach = (reached: Uint8Array, place: number): void => {
    for (let at = place; reached[at] === 0; at++) {
      reached[at] = 1
      if (!wildcards.has(parts[at]!)) return
    }
  }
  return (value) => {
    let reached = new Uint8Array(parts.length + 1)
    reach(reached, 0)
    for (const character of value) {
      const next = new Uint8Array(parts.length + 1)
      for (const [at, part] of parts.entries()) {
        if (reached[at] === 0) continue
        if (part === "**" || (part === "*" && !separators.has(character))) reach(next, at)
        else if (part === character) reach(next, at + 1)
      }
      reached = next
    }
    return reached[parts.length] === 1
  }
}

/** Whether a pattern says nothing: wildcards alone, with or without the ends of segments between them. */
export const isBlank = (text: string): boolean => /^[*:/]*$/.test(text)
