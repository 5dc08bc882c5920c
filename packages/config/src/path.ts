/** Where in a document something stands. */

export type Path = ReadonlyArray<PropertyKey>

/** As people write it: `flows.graph.exchanger.scopes[0]`; a key that is no word is quoted. */
export const printPath = (path: Path): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`
    const name = String(key)
    if (!/^[\w-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === "" ? name : `${text}.${name}`
  }, "")
