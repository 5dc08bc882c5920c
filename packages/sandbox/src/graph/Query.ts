/**
 * The query options that the sandbox knows: `$filter` with `eq`, `any(x:x eq …)` and `and`, `$select`, `$top`, `$skiptoken`. Any other
 * is refused, never ignored.
 *
 * https://learn.microsoft.com/graph/query-parameters
 */
import * as Effect from "effect/Effect"
import { GraphError } from "./GraphError.ts"

/** An object as it stands in a collection. */
export interface Item {
  readonly id: string
}

interface Query {
  readonly matches: (item: Item) => boolean
  readonly select: (item: Item) => Readonly<Record<string, unknown>>
  readonly top: number
  readonly skip: number
}

/** Graph's page sizes for directory objects. */
const page = { usual: 100, most: 999 }

const known: ReadonlySet<string> = new Set(["$filter", "$select", "$top", "$skiptoken"])

export const parse = Effect.fnUntraced(function* (query: URLSearchParams) {
  for (const name of query.keys()) {
    if (name.startsWith("$") && !known.has(name)) {
      return yield* badQuery(`The query parameter '${name}' is not supported.`)
    }
  }
  const top = Number(query.get("$top") ?? page.usual)
  if (!Number.isInteger(top) || top < 1 || top > page.most) {
    return yield* badQuery(
      `Invalid page size specified: '${query.get("$top")}'. Must be between 1 and 999 inclusive.`
    )
  }
  const skip = Number(query.get("$skiptoken") ?? 0)
  if (!Number.isInteger(skip) || skip < 0) return yield* badQuery("Invalid skip token.")
  const matches = yield* parseFilter(query.get("$filter"))
  const selected = query.get("$select")?.split(",")
  const parsed: Query = {
    top,
    skip,
    matches,
    select: (item) =>
      Object.fromEntries(
        Object.entries(item).filter(
          ([name]) => selected === undefined || selected.includes(name.trim())
        )
      )
  }
  return parsed
})

const parseFilter = Effect.fnUntraced(function* (filter: string | null) {
  if (filter === null) return () => true
  const literal = /('(?:[^']|'')*'|true|false|null)/.source
  const clause = new RegExp(
    `\\s*(\\w+)(?:\\s+eq\\s+${literal}|/any\\((\\w+):\\s*\\3\\s+eq\\s+${literal}\\))\\s*(and\\b|$)`,
    "y"
  )
  const clauses: Array<readonly [name: string, value: unknown, isAny: boolean]> = []
  let end = 0
  while (end < filter.length || clauses.length === 0) {
    clause.lastIndex = end
    const found = clause.exec(filter)
    if (found === null) {
      return yield* badQuery(
        `Invalid filter clause: the sandbox knows "property eq 'value'", and several of them with "and".`
      )
    }
    const [, name = "", plain, variable, any] = found
    const value = plain ?? any ?? "null"
    clauses.push([
      name,
      value.startsWith("'") ? value.slice(1, -1).replaceAll("''", "'") : JSON.parse(value),
      variable !== undefined
    ])
    end = clause.lastIndex
  }
  return (item: Item) => {
    const properties = new Map<string, unknown>(Object.entries(item))
    return clauses.every(([name, value, isAny]) => {
      const held = properties.get(name)
      return isAny ? Array.isArray(held) && held.includes(value) : held === value
    })
  }
})

const badQuery = (message: string) =>
  new GraphError({ status: 400, code: "Request_UnsupportedQuery", message })
