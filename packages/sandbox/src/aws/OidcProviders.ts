/** OpenID providers: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html */
import * as Effect from "effect/Effect"
import * as History from "../kernel/History.ts"
import * as Account from "./Account.ts"
import {
  alreadyExists,
  arn,
  date,
  invalidInput,
  limitExceeded,
  noSuchEntity,
  operation,
  page,
  paging,
  putTags,
  readTags,
  tagKeys,
  tagsIn,
  takeTags
} from "./IamOperation.ts"
import type { Operation } from "./IamOperation.ts"
import * as Shape from "./Shape.ts"

const clientId = { min: 1, max: 255 }

/** Of one provider, and of providers in one account. */
const most = { clientIds: 100, providers: 100 }

const named = { OpenIDConnectProviderArn: arn }

export const oidcProviders = (account: Account.Account): ReadonlyArray<Operation> => {
  /** The provider, if the caller may do this to it. */
  const find = Effect.fnUntraced(function* (
    call: Account.Caller,
    action: string,
    { OpenIDConnectProviderArn: wanted }: { readonly OpenIDConnectProviderArn: string }
  ) {
    yield* Account.authorize(account, call, `iam:${action}`, wanted)
    const provider = account.oidcProviders.get(wanted)
    return provider ?? (yield* noSuchEntity(`OpenIDConnect Provider not found for arn ${wanted}`))
  })

  return [
    operation(
      "CreateOpenIDConnectProvider",
      {
        Url: Shape.string({ min: 1, max: 255 }),
        ClientIDList: Shape.optional(Shape.strings({ min: 0, max: most.clientIds }, clientId)),
        ThumbprintList: Shape.optional(Shape.strings({ min: 0, max: 5 }, { min: 40, max: 40 })),
        Tags: Shape.optional(Shape.list)
      },
      Effect.fnUntraced(function* (input, call) {
        const issuer = URL.parse(input.Url)
        if (issuer === null || issuer.protocol !== "https:" || issuer.search !== "") {
          return yield* invalidInput("Invalid Open ID Connect Provider URL")
        }
        // As it was written: a slash at its end counts.
        const url = input.Url.slice("https://".length)
        const wanted = Account.oidcProviderArn(account, url)
        const { Tags: list = [] } = input
        yield* Account.authorize(account, call, "iam:CreateOpenIDConnectProvider", wanted)
        if (list.length > 0) {
          yield* Account.authorize(account, call, "iam:TagOpenIDConnectProvider", wanted)
        }
        if (account.oidcProviders.has(wanted)) {
          return yield* alreadyExists(`Provider with url ${input.Url} already exists.`)
        }
        if (account.oidcProviders.size >= most.providers) {
          return yield* limitExceeded(
            `Cannot exceed quota for OpenIdConnectProvidersPerAccount: ${most.providers}`
          )
        }
        const tags = yield* readTags(list)
        Account.addOidcProvider(account, {
          url,
          clientIds: input.ClientIDList ?? [],
          thumbprints: input.ThumbprintList ?? [],
          createdAt: call.now,
          setAt: call.now,
          tags
        })
        return { OpenIDConnectProviderArn: wanted, ...tagsIn(tags) }
      })
    ),
    operation(
      "ListOpenIDConnectProviders",
      {},
      Effect.fnUntraced(function* (_, call) {
        yield* Account.authorize(account, call, "iam:ListOpenIDConnectProviders", "*")
        return {
          OpenIDConnectProviderList: {
            member: [...account.oidcProviders.keys()].map((Arn) => ({ Arn }))
          }
        }
      })
    ),
    operation(
      "GetOpenIDConnectProvider",
      named,
      Effect.fnUntraced(function* (input, call) {
        const provider = yield* find(call, "GetOpenIDConnectProvider", input)
        return {
          Url: provider.url,
          ClientIDList: { member: [...History.current(provider.clientIds)] },
          ThumbprintList: { member: provider.thumbprints },
          CreateDate: date(provider.createdAt),
          ...tagsIn(provider.tags)
        }
      })
    ),
    operation(
      "AddClientIDToOpenIDConnectProvider",
      { ...named, ClientID: Shape.string(clientId) },
      Effect.fnUntraced(function* (input, call) {
        const { clientIds } = yield* find(call, "AddClientIDToOpenIDConnectProvider", input)
        const ids = new Set(History.current(clientIds)).add(input.ClientID)
        if (ids.size > most.clientIds) {
          return yield* limitExceeded(
            `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${most.clientIds}`
          )
        }
        History.set(clientIds, ids, call.now)
        return undefined
      })
    ),
    operation(
      "RemoveClientIDFromOpenIDConnectProvider",
      { ...named, ClientID: Shape.string(clientId) },
      Effect.fnUntraced(function* (input, call) {
        const { clientIds } = yield* find(call, "RemoveClientIDFromOpenIDConnectProvider", input)
        // One that is not there is no error, so IAM says.
        const ids = new Set(History.current(clientIds))
        ids.delete(input.ClientID)
        History.set(clientIds, ids, call.now)
        return undefined
      })
    ),
    operation(
      "DeleteOpenIDConnectProvider",
      named,
      Effect.fnUntraced(function* (input, call) {
        const provider = yield* find(call, "DeleteOpenIDConnectProvider", input)
        account.oidcProviders.delete(provider.arn)
        return undefined
      })
    ),
    operation(
      "TagOpenIDConnectProvider",
      { ...named, Tags: Shape.list },
      Effect.fnUntraced(function* (input, call) {
        yield* putTags((yield* find(call, "TagOpenIDConnectProvider", input)).tags, input.Tags)
        return undefined
      })
    ),
    operation(
      "UntagOpenIDConnectProvider",
      { ...named, TagKeys: tagKeys },
      Effect.fnUntraced(function* (input, call) {
        takeTags((yield* find(call, "UntagOpenIDConnectProvider", input)).tags, input.TagKeys)
        return undefined
      })
    ),
    operation(
      "ListOpenIDConnectProviderTags",
      { ...named, ...paging },
      Effect.fnUntraced(function* (input, call) {
        const { tags } = yield* find(call, "ListOpenIDConnectProviderTags", input)
        const { items, more } = yield* page([...tags], input)
        return { ...tagsIn(new Map(items)), ...more }
      })
    )
  ]
}
