/** A process of its own that opens connections to a port of this machine, says so, and keeps them until it is ended. */
import { connect } from "node:net"

const [port, count] = process.argv.slice(2).map(Number)
let open = 0
let closed = 0

/** A few at a time, so that the other side's queue holds them. */
const more = (): void => {
  const socket = connect(port!, "127.0.0.1")
  socket.once("connect", () => {
    open++
    if (open + closed + 100 <= count!) more()
    if (open === count!) process.stdout.write("open\n")
  })
  socket.on("close", () => closed++).on("error", () => {})
}
for (let at = 0; at < 100; at++) more()
