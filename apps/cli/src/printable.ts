/** Foreign text, made fit for a terminal. */

/**
 * What another side wrote, without what a terminal would obey: control characters, and those that turn the direction
 * of writing.
 */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "�")

/** Longer words are no names: a token that stands where a name belongs is not told on. */
const longestWord = 40

/** What the caller wrote, to know it again: whole when it is short. */
export const shortened = (text: string): string =>
  text.replaceAll(/[\w.~+=-]+/g, (word) =>
    word.length > longestWord ? `${word.slice(0, 8)}…` : word
  )
