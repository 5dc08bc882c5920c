/** A connection on which a test says what it likes, byte by byte. */
import { connect } from "node:net"
import { Effect } from "effect"

/** All that came back until the connection was closed, and whether the other side closed it well. */
export interface Heard {
  readonly text: string
  /** The status of each answer, in turn. */
  readonly statuses: ReadonlyArray<number>
}

/** Sends all of it at once, and listens until the other side hangs up. */
export const say = (origin: string, bytes: string): Effect.Effect<Heard> =>
  talk(origin, (send) => send(bytes))

/** @param speak what is sent and when; ends what it began when it is told that the connection is closed */
export const talk = (
  origin: string,
  speak: (send: (bytes: string) => void) => (() => void) | void
): Effect.Effect<Heard> =>
  Effect.callback((resume) => {
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname.replace(/[[\]]/g, ""))
    const chunks: Array<Buffer> = []
    const stop = speak((bytes) => void socket.write(bytes, "latin1"))
    // What was sent after the other side had hung up may reset the connection: what was heard counts.
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {})
    socket.once("close", () => {
      stop?.()
      const text = Buffer.concat(chunks).toString("latin1")
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) =>
        Number(status)
      )
      resume(Effect.succeed({ text, statuses }))
    })
    return Effect.sync(() => socket.destroy())
  })
