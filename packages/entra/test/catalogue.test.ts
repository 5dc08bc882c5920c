import { catalogue, exchanger } from "@federate/entra"
import { assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const tenantId = "11111111-2222-3333-4444-555555555555"
const clientId = "66666666-7777-8888-9999-aaaaaaaaaaaa"

/** Every code that Microsoft documents, or that the field has seen, for this grant. */
const known = [
  70021, 700211, 700212, 700213, 7002138, 7002137, 7002131, 7002132, 7002133, 7002134, 7002135,
  7002136, 700214, 7002142, 70025, 700222, 700226, 700229, 700231, 700236, 700223, 700238, 7002381,
  700263, 7000272, 50166, 501661, 90061, 700024, 700027, 50027, 50013, 500131, 500133, 700016,
  7000229, 7000112, 70001, 700011, 700025, 7000215, 7000222, 7000218, 900144, 90014, 70003, 900561,
  9002313, 90002, 900023, 9001023, 5000224, 50049, 900382, 900432, 900439, 90038, 500011, 50001,
  70011, 1002012, 28002, 700022, 501051, 65001, 650057, 53003, 530032, 50131, 50076, 50079, 50158,
  50196, 90033, 90006, 50033, 90024, 90012, 50000, 90055, 40010, 7002371, 5002738, 901002, 50194,
  70052, 65005, 240002, 7000114
]

const refused = (codes: ReadonlyArray<unknown>, description = "AADSTS1: Words.") =>
  Effect.gen(function* () {
    const body = {
      error: "invalid_client",
      error_description: description,
      error_codes: codes,
      trace_id: "the-trace",
      correlation_id: "the-correlation",
      timestamp: "2026-11-23 10:00:00Z"
    }
    const entra = yield* exchanger({
      tenantId,
      clientId,
      scopes: ["https://graph.microsoft.com/.default"],
      fetch: async () => Response.json(body, { status: 400, headers: { "retry-after": "3" } })
    })
    return (yield* Effect.flip(entra.exchange(assertionFor("the-subject"), {}))).reason
  })

describe("the catalogue", () => {
  for (const code of known) {
    it.effect(`knows AADSTS${code}`, () =>
      Effect.gen(function* () {
        assert.property(catalogue, String(code))
        const reason = yield* refused([code])
        if (catalogue[code]!.remedy === "passing") {
          assert.isTrue(reason._tag === "Transient" && reason.retryAt === 3000)
          return
        }
        assert.strictEqual(reason._tag, "Rejected")
        if (reason._tag !== "Rejected") return
        assert.strictEqual(reason.code, `AADSTS${code}`)
        assert.strictEqual(reason.remedy, catalogue[code]!.remedy)
        assert.isAbove(reason.hint.length, 20)
        assert.notMatch(reason.hint, /[{}]|undefined/)
      })
    )
  }

  it.effect("names the values that were really sent", () =>
    Effect.gen(function* () {
      const hint = (code: number) =>
        Effect.map(refused([code]), (reason) => (reason._tag === "Rejected" ? reason.hint : ""))
      assert.match(
        yield* hint(700211),
        /^The token's issuer is "https:\/\/issuer.example"; no federated credential of the app "6666/
      )
      assert.match(
        yield* hint(700212),
        /^The token's audience is "party"; the federated credential must list exactly "party"\./
      )
      assert.match(yield* hint(700213), /^The token's subject is "the-subject";/)
      assert.include(
        yield* hint(700016),
        `There is no app "${clientId}" in the tenant "${tenantId}"`
      )
      assert.include(
        yield* hint(90002),
        `no tenant "${tenantId}" at "https://login.microsoftonline.com"`
      )
      assert.include(yield* hint(500011), '"https://graph.microsoft.com/.default"')
      assert.include(yield* hint(7000272), 'the key "1"')
      assert.include(yield* hint(5002738), 'signed with "RS256"')
    })
  )

  it.effect("takes the words without the ids, in the old form and in the new", () =>
    Effect.gen(function* () {
      for (const description of [
        "AADSTS700213: No match for 'x'. Trace ID: t Correlation ID: c Timestamp: 2026-11-23 10:00:00Z",
        "AADSTS700213: No match for 'x'.\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: 2022-11-23 10:00:00Z",
        "No match for 'x'."
      ]) {
        const reason = yield* refused([700213], description)
        assert.isTrue(
          reason._tag === "Rejected" && reason.description === "No match for 'x'.",
          description
        )
      }
      const silent = yield* refused([700213], "")
      assert.isTrue(
        silent._tag === "Rejected" && silent.description === "Entra gave no description"
      )
    })
  )

  it.effect("keeps the ids that support asks for", () =>
    Effect.gen(function* () {
      const reason = yield* refused([700213])
      assert.deepStrictEqual(reason._tag === "Rejected" && reason.reference, {
        traceId: "the-trace",
        correlationId: "the-correlation",
        timestamp: "2026-11-23 10:00:00Z"
      })
    })
  )

  it.effect("goes by the codes, never by the text", () =>
    Effect.gen(function* () {
      const reason = yield* refused([700024], "AADSTS700213: this text lies")
      assert.isTrue(
        reason._tag === "Rejected" &&
          reason.code === "AADSTS700024" &&
          reason.remedy === "freshAssertion"
      )
      const first = yield* refused([1, 700024, "x", null])
      assert.isTrue(first._tag === "Rejected" && first.code === "AADSTS700024")
      const none = yield* refused([])
      assert.isTrue(none._tag === "Rejected" && none.code === "invalid_client")
    })
  )
})
