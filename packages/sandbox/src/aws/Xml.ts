/** The little XML that the Query protocol answers in. */

/** An element's content: text, or elements by name, those that come several times as a list. */
export type Content = string | { readonly [name: string]: Content | ReadonlyArray<Content> }

export const render = (content: Content): string =>
  typeof content === "string"
    ? escape(content)
    : Object.entries(content)
        .flatMap(([name, value]) =>
          // A list is the one array that a content can hold.
          (Array.isArray(value) ? (value as ReadonlyArray<Content>) : [value as Content]).map(
            (each) => `<${name}>${render(each)}</${name}>`
          )
        )
        .join("")

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character]!)
