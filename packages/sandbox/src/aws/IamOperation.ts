/** What IAM's operations do alike: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Endpoint } from "../kernel/Endpoint.ts"
import * as Account from "./Account.ts"
import type * as Condition from "./Condition.ts"
import type { Tags } from "./Account.ts"
import { AwsError } from "./AwsError.ts"
import type { Result as Answer, Signed, SignedOperation } from "./Query.ts"
import * as Shape from "./Shape.ts"

type NameOf<E> = E extends `iam.${infer Name}` ? Name : never

export interface Operation extends SignedOperation {
  readonly name: NameOf<Endpoint>
}

export const operation = <M extends Shape.Members>(
  name: NameOf<Endpoint>,
  members: M,
  run: (input: Shape.Structure<M>, call: Signed) => Answer
): Operation => ({
  name,
  endpoint: `iam.${name}`,
  run: (call) => Effect.flatMap(Shape.decode(members, call.parameters), (input) => run(input, call))
})

export const roleName = Shape.string({ min: 1, max: 64, pattern: "[\\w+=,.@-]+" })
export const policyName = Shape.string({ min: 1, max: 128, pattern: "[\\w+=,.@-]+" })
export const policyDocument = Shape.string({ min: 1, max: 131_072 })
export const path = Shape.optional(Shape.string({ min: 1, max: 512, pattern: "/|/[!-~]+/" }))
export const arn = Shape.string({ min: 20, max: 2048 })

/** Of every operation that lists. */
export const paging = {
  Marker: Shape.optional(Shape.string({ min: 1 })),
  MaxItems: Shape.optional(Shape.numeral({ min: 1, max: 1000 }))
}

/** A page, and what leads to the next one. */
export const page = Effect.fnUntraced(function* <A>(
  all: ReadonlyArray<A>,
  { Marker = "0", MaxItems = 100 }: { readonly Marker?: string; readonly MaxItems?: number }
) {
  const start = /^\d{1,9}$/.test(Marker) ? Number(Marker) : Number.NaN
  if (!(start <= all.length)) return yield* invalidInput("Invalid Marker.")
  const end = start + MaxItems
  return {
    items: all.slice(start, end),
    more:
      end < all.length
        ? { IsTruncated: "true", Marker: `${end}` }
        : ({ IsTruncated: "false" } as const)
  }
})

const mostTags = 50
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** What a request would tag, checked: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
export const readTags = Effect.fnUntraced(function* (list: ReadonlyArray<unknown> = []) {
  const tags: Tags = new Map()
  for (const each of list) {
    if (!Predicate.isObject(each) || !("Key" in each) || !("Value" in each)) {
      return yield* invalidInput("A tag has a Key and a Value.")
    }
    const [key, value] = [String(each.Key), String(each.Value)]
    if (!tagText.test(key) || !tagText.test(value) || key === "" || key.length > 128) {
      return yield* invalidInput(
        `The tag ${key} has characters or a length that IAM does not take.`
      )
    }
    if (value.length > 256 || key.toLowerCase().startsWith("aws:")) {
      return yield* invalidInput(`The tag ${key} is reserved, or its value too long.`)
    }
    if ([...tags.keys()].some((other) => other.toLowerCase() === key.toLowerCase())) {
      return yield* invalidInput(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive."
      )
    }
    tags.set(key, value)
  }
  return tags
})

/** Puts tags on what may already have some; a key's case does not matter. */
export const putTags = Effect.fnUntraced(function* (onto: Tags, list: ReadonlyArray<unknown>) {
  for (const [key, value] of yield* readTags(list)) {
    takeTags(onto, [key])
    onto.set(key, value)
  }
  if (onto.size > mostTags) {
    return yield* limitExceeded(`The number of tags has reached the maximum limit.`)
  }
})

export const takeTags = (from: Tags, keys: ReadonlyArray<string>): void => {
  for (const key of from.keys()) {
    if (keys.some((each) => each.toLowerCase() === key.toLowerCase())) from.delete(key)
  }
}

export const tagKeys = Shape.strings({ min: 0, max: mostTags }, { min: 1, max: 128 })

export const tagsIn = (tags: Tags) => ({
  Tags: { member: [...tags].map(([Key, Value]) => ({ Key, Value })) }
})

export const date = (millis: number): string =>
  new Date(millis).toISOString().replace(/\.\d{3}/, "")

/** A document with what it says, or the complaint that it says nothing. */
export const read = <A>(
  document: string,
  parse: (document: string) => Result.Result<ReadonlyArray<A>, string>
) =>
  Result.match(parse(document), {
    onSuccess: (statements) => Effect.succeed({ document, statements }),
    onFailure: (message) => Effect.fail(new AwsError({ code: "MalformedPolicyDocument", message }))
  })

/** White space does not count. */
export const sizeOf = (document: string): number => document.replace(/\s/g, "").length

export const noSuchEntity = (message: string) =>
  new AwsError({ code: "NoSuchEntity", message, status: 404 })

export const alreadyExists = (message: string) =>
  new AwsError({ code: "EntityAlreadyExists", message, status: 409 })

export const limitExceeded = (message: string) =>
  new AwsError({ code: "LimitExceeded", message, status: 409 })

export const deleteConflict = (message: string) =>
  new AwsError({ code: "DeleteConflict", message, status: 409 })

export const invalidInput = (message: string) => new AwsError({ code: "InvalidInput", message })

/** The role, if the caller may do this to it. */
export const roleFor = Effect.fnUntraced(function* (
  account: Account.Account,
  call: Account.Caller,
  action: string,
  name: string,
  context: Condition.Context = {}
) {
  const role = account.roles.get(name)
  yield* Account.authorize(
    account,
    call,
    `iam:${action}`,
    role?.arn ?? Account.roleArn(account, name),
    { told: `role ${name}`, context }
  )
  return role ?? (yield* noSuchEntity(`The role with name ${name} cannot be found.`))
})
