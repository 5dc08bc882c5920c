/** OData's paths: `/v1.0/applications(appId='…')/federatedIdentityCredentials/name`. */
import { decodeSegment } from "../kernel/Http.ts"

/** How one object of a collection is named. */
export interface Key {
  /** `id` when the path says nothing else. */
  readonly property: string
  readonly value: string
}

/** A collection, and perhaps one object of it. */
export interface Segment {
  readonly collection: string
  readonly key?: Key
}

/** The path's segments after the version; nothing when it is not of this version. */
export const parse = (path: string): ReadonlyArray<Segment> | undefined => {
  const [, version, ...parts] = path.split("/").map(decodeSegment)
  if (version !== "v1.0") return undefined
  const segments: Array<Segment> = []
  for (const part of parts) {
    const last = segments.at(-1)
    if (last !== undefined && last.key === undefined) {
      segments[segments.length - 1] = { ...last, key: { property: "id", value: part } }
      continue
    }
    const [, collection = part, property = "id", value] =
      /^(\w+)\((?:(\w+)=)?'(.*)'\)$/.exec(part) ?? []
    segments.push({
      collection,
      ...(value !== undefined && { key: { property, value: value.replaceAll("''", "'") } })
    })
  }
  return segments
}
