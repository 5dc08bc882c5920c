/** Colour, where it is wanted: on a terminal, and not under NO_COLOR (https://no-color.org). */
import { styleText } from "node:util"

type Format = Parameters<typeof styleText>[0]

const on = (stream: NodeJS.WriteStream) => {
  const style =
    (format: Format) =>
    (text: string): string =>
      styleText(format, text, { stream, validateStream: true })
  /** Whether there is colour. */
  const colours = (): boolean => style("bold")("x") !== "x"
  return Object.assign(style, { colours })
}

/** For what goes to standard output, and to standard error. */
export const out = on(process.stdout)
export const err = on(process.stderr)
