/** Names in texts, for what is written before they are known. */
import type { Reference } from "../Resource.ts"

/** Private use characters (Unicode §23.5): no name and no id has them. */
const [open, close] = ["\ue000", "\ue001"]

/** Stands for a name until it is written in its language. */
export const reference: Reference = (name) => `${open}${name}${close}`

/** A part of a text: itself, or the name that stands there. */
export type Piece = string | { readonly name: string }

/** A text with its names. */
export const pieces = (text: string): ReadonlyArray<Piece> =>
  text
    .split(new RegExp(`(${open}[^${close}]*${close})`, "u"))
    .filter((piece) => piece !== "")
    .map((piece) => (piece.startsWith(open) ? { name: piece.slice(1, -1) } : piece))

/** Every name in a document, its keys among it. */
export const namesIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") {
    return pieces(value).flatMap((piece) => (typeof piece === "string" ? [] : [piece.name]))
  }
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap((member) => member.flatMap(namesIn))
    : []
}

/** Names in keys alone, at any depth. */
export const namesInKeys = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, each]) => [...namesIn(key), ...namesInKeys(each)])
    : []
