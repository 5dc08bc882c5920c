/** As much of Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/) as messages of texts need. */

/** A message of texts, by their fields' numbers (1 to 15), in this order. */
export const encode = (
  fields: ReadonlyArray<readonly [number: number, text: string]>
): Uint8Array =>
  Buffer.concat(
    fields.flatMap(([number, text]) => {
      const bytes = Buffer.from(text)
      return [Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]
    })
  )

const varint = (value: number): ReadonlyArray<number> =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]

/**
 * What a message holds under one field's number, each the bytes of a text or of another message; its other fields are
 * skipped, as later versions may have more. Nothing when it is no message.
 */
export const decode = (
  message: Uint8Array,
  wanted: number
): ReadonlyArray<Uint8Array> | undefined => {
  const found: Array<Uint8Array> = []
  let at = 0
  const read = (): number => {
    let value = 0
    for (let place = 1; at < message.length; place *= 0x80) {
      const byte = message[at++]!
      value += (byte & 0x7f) * place
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = read()
    const type = tag % 8
    if (type === 0) {
      if (Number.isNaN(read())) return undefined
      continue
    }
    const length = type === 2 ? read() : type === 1 ? 8 : type === 5 ? 4 : Number.NaN
    const end = at + length
    // Not a number, when there was none.
    if (!(end <= message.length)) return undefined
    if (type === 2 && Math.floor(tag / 8) === wanted) found.push(message.subarray(at, end))
    at = end
  }
  return found
}
