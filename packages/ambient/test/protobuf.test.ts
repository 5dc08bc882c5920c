import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decode, encode } from "../src/protobuf.ts"

const number = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 15 }))
const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))

const texts = (message: Uint8Array, wanted: number) =>
  decode(message, wanted)?.map((bytes) => Buffer.from(bytes).toString())

describe("a message", () => {
  it.prop(
    "holds the texts that were put into it, by number and in order",
    [Schema.Array(Schema.Tuple([number, Schema.String.check(Schema.isMaxLength(1000))]))],
    ([fields]) => {
      const message = encode(fields)
      for (const wanted of [1, 2, 15]) {
        assert.deepStrictEqual(
          texts(message, wanted),
          fields.flatMap(([at, text]) => (at === wanted ? [Buffer.from(text).toString()] : []))
        )
      }
    }
  )

  it.prop("is read or refused, whatever it is", [Schema.Array(byte)], ([bytes]) => {
    for (const found of decode(Uint8Array.from(bytes), 1) ?? [])
      assert.isAtMost(found.length, bytes.length)
  })

  it("may hold fields of every other kind, which are skipped", () => {
    const others = [
      [0x10, 0x96, 0x01], // 2: a number
      [0x19, 1, 2, 3, 4, 5, 6, 7, 8], // 3: eight bytes
      [0x25, 1, 2, 3, 4], // 4: four bytes
      [0xa2, 0x06, 0x01, 0x41] // 100: a text
    ].flat()
    const message = Buffer.concat([Buffer.from(others), encode([[1, "found"]])])
    assert.deepStrictEqual(texts(message, 1), ["found"])
    assert.deepStrictEqual(texts(message, 100), ["A"])
  })

  it("is none when it is cut, or of a kind that there is not", () => {
    for (const bytes of [
      [0x0a],
      [0x0a, 0x02, 0x41],
      [0x0a, 0x80],
      [0x08],
      [0x09, 1],
      [0x0b],
      [0x0f]
    ])
      assert.isUndefined(decode(Uint8Array.from(bytes), 1))
  })
})
