/** The little XML that the Query protocol answers in. */

/** An element's content: text, or elements by name. */
export type Content = string | { readonly [name: string]: Content }

export const render = (content: Content): string =>
  typeof content === "string"
    ? escape(content)
    : Object.entries(content)
        .map(([name, value]) => `<${name}>${render(value)}</${name}>`)
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
