/** What every adapter promises that a config file names: the value that its package's `./adapter` entry exports. */
import { AssertionSource } from "@federate/core"
import type { Adapter, TokenRequest } from "@federate/core"
import type { Platform } from "@federate/http"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { assertionFor } from "./assertionFor.ts"
import { answering, counting } from "./calls.ts"
import { register } from "./checks.ts"
import type { Check } from "./checks.ts"
import type { Answer } from "./faults.ts"
import { visible } from "./visible.ts"

/** The schema of an adapter's settings: a struct, so that its keys can be told. */
interface Settings<Config> extends Schema.Decoder<Config> {
  readonly fields: Schema.Struct.Fields
}

export interface AdapterContract<Config> {
  readonly adapter:
    | Adapter.SourceAdapter<Settings<Config>, Config, Platform>
    | Adapter.LayerAdapter<Settings<Config>, Config, Platform>
    | Adapter.ExchangerAdapter<Settings<Config>, Config, Platform>
  /** The least that a config file must say besides `type`. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What it is made with, where the least does not make it: of two settings either, say. Default: the least. */
  readonly usual?: Readonly<Record<string, unknown>>
  /** The secrets among the least. */
  readonly secrets?: ReadonlyArray<string>
  /** What an exchanger is asked, where its least settings do not say; by default nothing in particular. */
  readonly request?: TokenRequest.TokenRequest
  /** What an exchanger's assertion says besides `assertionFor`'s usual claims. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** The other side's good answer. With it what the adapter makes is asked once, over the `fetch` that an app lends. */
  readonly well?: Answer
}

/** Registers the contract as tests (vitest), under the adapter's name. */
export const adapterContract = <Config>(name: string, contract: AdapterContract<Config>): void =>
  register(name, "an adapter", adapterChecks(contract))

/** Something that stands in no message. */
const marker = "THE-VALUE-OF-A-SETTING"

export const adapterChecks = <Config>({
  adapter,
  claims,
  request = {},
  secrets = [],
  settings,
  usual = settings,
  well
}: AdapterContract<Config>): ReadonlyArray<Check> => {
  const { config } = adapter
  const decode = Schema.decodeUnknownEffect(config, { errors: "all", onExcessProperty: "error" })
  const refusal = (described: unknown) =>
    Effect.map(Effect.flip(decode(described)), ({ message }) => message)

  return [
    {
      name: "has a type that can be written, and describes itself and each setting",
      holds: Effect.sync(() => {
        assert.match(adapter.type, /^[a-z][a-z0-9-]*$/)
        assert.isNotEmpty(adapter.description)
        assert.deepStrictEqual(undescribed(Schema.toJsonSchemaDocument(config)), [])
      })
    },
    {
      name: "takes the least that it must be told",
      holds: Effect.asVoid(decode(settings))
    },
    {
      name: "refuses a setting that it does not know, by its name",
      holds: Effect.gen(function* () {
        assert.include(yield* refusal({ ...settings, notASetting: true }), "notASetting")
      })
    },
    {
      name: "does without none of the least, and names what is missing",
      holds: Effect.gen(function* () {
        for (const key of Object.keys(settings)) {
          const { [key]: _, ...rest } = settings
          assert.include(yield* refusal(rest), key)
        }
      })
    },
    {
      name: "refuses a setting of the wrong kind, by its name",
      holds: Effect.gen(function* () {
        for (const key of Object.keys(config.fields)) {
          const outcomes = yield* Effect.forEach([[[marker]], true, -1.5], (value) =>
            Effect.result(decode({ ...settings, [key]: value }))
          )
          const refusals = outcomes.filter(Result.isFailure)
          assert.isNotEmpty(refusals, `${key} takes anything`)
          for (const { failure } of refusals) assert.include(failure.message, key)
        }
      })
    },
    {
      name: "quotes no value of a setting that it refuses",
      holds: Effect.gen(function* () {
        for (const key of Object.keys(config.fields)) {
          for (const value of [marker, [marker], { [key]: marker }, [[marker]]]) {
            const outcome = yield* Effect.result(decode({ ...settings, [key]: value }))
            if (Result.isFailure(outcome)) assert.notInclude(outcome.failure.message, marker)
          }
        }
      })
    },
    {
      name: "hides its secrets once they are decoded",
      holds: Effect.gen(function* () {
        const shown = visible(yield* decode(settings))
        for (const secret of secrets) assert.notInclude(shown, secret, "a secret shows")
      })
    },
    ...(well === undefined
      ? []
      : [
          {
            name: "makes what asks over the app's fetch, and issues what it says",
            holds: Effect.gen(function* () {
              const { asked, fetch } = counting(answering(well))
              const decoded = yield* decode(usual)
              if ("issues" in adapter) {
                const exchanger = yield* adapter.make(decoded, { fetch })
                const credential = yield* exchanger.exchange(
                  assertionFor("workload", 0, claims),
                  request
                )
                assert.propertyVal(
                  credential,
                  "_tag",
                  // An assertion is handed out in the form of an access token.
                  adapter.issues === "Assertion" ? "AccessToken" : adapter.issues
                )
              } else {
                const below = AssertionSource.fixed(assertionFor("workload"))
                const source = yield* adapter.make(decoded, { fetch }, below)
                yield* source.assertion({})
              }
              assert.isAbove(asked(), 0, "the app's fetch is asked")
            })
          }
        ])
  ]
}

/** A part of a JSON Schema document, or any other JSON. */
type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null

/** The properties, at any depth of a JSON Schema, that an editor could say nothing about. */
const undescribed = ({
  definitions,
  schema
}: {
  readonly definitions: Json
  readonly schema: unknown
}): ReadonlyArray<string> => {
  const isDescribed = (property: unknown): boolean => {
    if (!isJson(property)) return false
    const { $ref, description } = property
    return (
      (typeof description === "string" && description !== "") ||
      (typeof $ref === "string" && isDescribed(definitions[$ref.replace("#/$defs/", "")]))
    )
  }
  const within = (part: unknown): ReadonlyArray<string> => {
    if (!isJson(part)) return []
    const { properties } = part
    const bare = isJson(properties)
      ? Object.keys(properties).filter((key) => !isDescribed(properties[key]))
      : []
    return [...bare, ...Object.values(part).flatMap(within)]
  }
  return [...within(schema), ...within(definitions)]
}
