import type { AccessToken, Adapter, AssertionSource } from "@federate/core"
import type { Platform } from "@federate/http"
import { adapterContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { adapterChecks } from "../src/adapterContract.ts"
import { exchangerWith, granted, issued, sourceWith } from "./adapters.ts"
import type { Check } from "../src/checks.ts"
import { failing } from "./failing.ts"

const text = (description: string) => Schema.String.annotate({ description })

const fields = {
  clientId: text("The app's id"),
  password: Schema.RedactedFromValue(text("What the platform knows it by")),
  region: Schema.optionalKey(text("Where it is"))
}
const config = Schema.Struct(fields)

const adapter: Adapter.ExchangerAdapter<typeof config, typeof config.Type, Platform, AccessToken> =
  {
    type: "party",
    description: "A small party",
    issues: "AccessToken",
    config,
    make: (_, { fetch }) => exchangerWith()(fetch ?? globalThis.fetch)
  }

const contract = {
  settings: { clientId: "app", password: "THE-PASSWORD" },
  secrets: ["THE-PASSWORD"],
  well: granted
} as const

adapterContract("A small exchanger", { adapter, ...contract })

adapterContract("A small source", {
  adapter: {
    type: "platform",
    description: "A small platform",
    metered: false,
    config: Schema.Struct({ region: fields.region }),
    make: (_: unknown, { fetch }: Platform) => sourceWith()(fetch ?? globalThis.fetch)
  },
  settings: {},
  well: () => issued(Redacted.value(assertionFor("workload").token))
})

adapterContract("A small source over another", {
  adapter: {
    type: "platform-login",
    description: "A small platform, for who has logged in elsewhere",
    metered: false,
    layer: true,
    config: Schema.Struct({ region: fields.region }),
    make: Effect.fnUntraced(function* (
      _: unknown,
      { fetch }: Platform,
      login: AssertionSource.AssertionSource
    ) {
      yield* login.assertion({})
      return yield* sourceWith()(fetch ?? globalThis.fetch)
    })
  },
  settings: {},
  well: () => issued(Redacted.value(assertionFor("workload").token))
})

/** What differs from the one that is right, and the fields that differ. */
const checksOf = ({
  fields: changed = {},
  ...rest
}: Partial<Omit<typeof adapter, "config">> & { readonly fields?: Schema.Struct.Fields }) =>
  adapterChecks({
    adapter: { ...adapter, ...rest, config: Schema.Struct({ ...fields, ...changed }) },
    ...contract
  })

/** It takes whatever else there is. */
const open = Object.assign(
  Schema.StructWithRest(config, [Schema.Record(Schema.String, Schema.Unknown)]),
  { fields }
)

const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<Check>]> = [
  [
    ["refuses a setting that it does not know, by its name"],
    adapterChecks({ adapter: { ...adapter, config: open }, ...contract })
  ],
  [
    // And all that needs it decoded.
    [
      "takes the least that it must be told",
      "hides its secrets once they are decoded",
      "makes what asks over the app's fetch, and issues what it says"
    ],
    checksOf({ fields: { clientId: fields.clientId.check(Schema.isMinLength(10)) } })
  ],
  [
    ["has a type that can be written, and describes itself and each setting"],
    checksOf({ fields: { region: Schema.optionalKey(Schema.String) } })
  ],
  [
    ["has a type that can be written, and describes itself and each setting"],
    checksOf({ type: "Party!" })
  ],
  [
    ["has a type that can be written, and describes itself and each setting"],
    checksOf({ description: "" })
  ],
  [
    ["has a type that can be written, and describes itself and each setting"],
    checksOf({
      fields: {
        region: Schema.optionalKey(
          Schema.Struct({ name: Schema.String }).annotate({ description: "Where it is" })
        )
      }
    })
  ],
  [
    ["does without none of the least, and names what is missing"],
    checksOf({ fields: { clientId: Schema.optionalKey(fields.clientId) } })
  ],
  [
    ["refuses a setting of the wrong kind, by its name"],
    checksOf({
      fields: { region: Schema.optionalKey(Schema.Any.annotate({ description: "Where it is" })) }
    })
  ],
  [
    ["quotes no value of a setting that it refuses"],
    checksOf({
      fields: {
        region: Schema.optionalKey(
          fields.clientId.check(
            Schema.makeFilter((value) => (value === "here" ? undefined : `${value} is nowhere`))
          )
        )
      }
    })
  ],
  [
    ["hides its secrets once they are decoded"],
    checksOf({ fields: { password: text("What the platform knows it by") } })
  ],
  [
    ["makes what asks over the app's fetch, and issues what it says"],
    checksOf({ issues: "AwsCredentials" })
  ],
  [
    ["makes what asks over the app's fetch, and issues what it says"],
    checksOf({ make: () => exchangerWith()(async () => granted()) })
  ]
]

describe("an adapter that is wrong", () => {
  for (const [names, checks] of wrong) {
    it.effect(`fails ${names.map((name) => `“${name}”`).join(", ")}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* failing(checks), names)
      })
    )
  }

  it("is thought of for each check", () => {
    assert.sameMembers(
      checksOf({}).map(({ name }) => name),
      [...new Set(wrong.flatMap(([names]) => names))]
    )
  })
})
