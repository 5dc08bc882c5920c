/** AWS's answers in XML (AWS Query protocol): https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Xml from "effect/encoding/Xml"

/** STS's own are five deep. */
const maxDepth = 16

/**
 * A document's root element; nothing when it is not well-formed, not UTF-8, or brings a document type or a processing
 * instruction: no answer of AWS's has them, and entities are declared nowhere else.
 */
export const parse = (document: Uint8Array): Effect.Effect<Xml.Element | undefined> =>
  Stream.make(document).pipe(
    Stream.pipeThroughChannel(Xml.decode({ maxDepth })),
    Stream.mapEffect((event) =>
      event._tag === "Doctype" || event._tag === "ProcessingInstruction"
        ? Effect.fail(undefined)
        : Effect.succeed(event)
    ),
    Stream.pipeThroughChannel(Xml.elements(["*"])),
    Stream.runLast,
    Effect.match({ onFailure: () => undefined, onSuccess: Option.getOrUndefined })
  )

/** The text of the one element at a path below the root; nothing when it is not there, empty, or not the only one. */
export const textAt = (
  root: Xml.Element | undefined,
  path: ReadonlyArray<string>
): string | undefined => {
  let element = root
  for (const name of path) {
    const found = element?.children.filter(
      (child) => typeof child !== "string" && child.name === name
    )
    const [only] = found ?? []
    if (found?.length !== 1 || only === undefined || typeof only === "string") return undefined
    element = only
  }
  const [text, ...more] = element?.children ?? []
  return typeof text === "string" && more.length === 0 ? text : undefined
}
