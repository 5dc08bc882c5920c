import { RefreshPolicy } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const hour = 3_600_000
const points = (life: number, refreshIn?: number, random = 0) =>
  RefreshPolicy.points(
    RefreshPolicy.standard,
    {
      obtainedAt: 500,
      expiresAt: 500 + life,
      ...(refreshIn !== undefined && { refreshAt: 500 + refreshIn })
    },
    random
  )

describe("RefreshPolicy.points", () => {
  it("is fresh for three quarters of its life", () => {
    assert.deepStrictEqual(points(hour), { soft: 0.75 * hour, hard: hour - 60_000, life: hour })
  })

  it("is fresh for half of it when it lives over two hours", () => {
    assert.strictEqual(points(2 * hour).soft, 1.5 * hour)
    assert.strictEqual(points(24 * hour).soft, 12 * hour)
  })

  it("has its hard point a tenth of its life before the end when that is less than a minute", () => {
    assert.strictEqual(points(100_000).hard, 90_000)
    assert.strictEqual(points(24 * hour).hard, 24 * hour - 60_000)
  })

  it("heeds the server's advice when it lies between a tenth of the life and the hard point", () => {
    assert.strictEqual(points(hour, 0.1 * hour).soft, 0.1 * hour)
    assert.strictEqual(points(hour, hour / 2).soft, hour / 2)
    assert.strictEqual(points(hour, 0.05 * hour).soft, 0.75 * hour)
    assert.strictEqual(points(hour, hour - 60_000).soft, 0.75 * hour)
    assert.strictEqual(points(hour, 2 * hour).soft, 0.75 * hour)
    assert.strictEqual(points(hour, -5).soft, 0.75 * hour)
  })

  it("comes up to a tenth of the life earlier, at random", () => {
    assert.strictEqual(points(hour, undefined, 0.5).soft, 0.7 * hour)
    assert.approximately(points(hour, undefined, 0.999999).soft, 0.65 * hour, 1)
  })

  const lives = Schema.Number.check(Schema.isBetween({ minimum: 1, maximum: 30 * 24 * hour }))
  const part = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 0.999_999 }))
  it.prop(
    "puts the soft point before the hard point, and that before the end",
    [lives, Schema.UndefinedOr(Schema.Number), part],
    ([length, refreshIn, random]) => {
      const { hard, life, soft } = points(length, refreshIn, random)
      assert.isTrue(soft >= 0 && soft < hard && hard < life, JSON.stringify({ soft, hard, life }))
    }
  )

  it.prop(
    "keeps that order for any policy",
    [lives, part, part, part, Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: hour }))],
    ([length, random, freshPart, jitter, margin]) => {
      const policy = RefreshPolicy.make({ freshPart, freshPartOfLong: freshPart, jitter, margin })
      const { hard, life, soft } = RefreshPolicy.points(
        policy,
        { obtainedAt: 0, expiresAt: length },
        random
      )
      assert.isTrue(soft >= 0 && soft <= hard && hard <= life, JSON.stringify({ soft, hard, life }))
    }
  )
})
