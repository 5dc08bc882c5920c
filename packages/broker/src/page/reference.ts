/** The page at `/docs`: the API's OpenAPI document, readable. */
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../api/Api.ts"
import * as Document from "./Document.ts"
import { escaped } from "./Document.ts"
import { style } from "./style.ts"

const { components, info, paths } = OpenApi.fromApi(Api)

/** As much of JSON Schema as the document speaks. */
interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly items?: JsonSchema
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
}

/** A text as a paragraph's content: what stands in backticks is code. */
const prose = (text = ""): string => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>")

/** A type in words, with a link to what is described below. */
const typeOf = ({ $ref, anyOf, enum: values, format, items, type }: JsonSchema): string => {
  if ($ref !== undefined) {
    const name = escaped($ref.slice($ref.lastIndexOf("/") + 1))
    return `<a href="#${name}">${name}</a>`
  }
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ")
  if (items !== undefined) return `list of ${typeOf(items)}`
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(" or ")
  return escaped(format ?? type ?? "anything")
}

const code = (text: string): string => `<code>${escaped(text)}</code>`

interface Row {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly description: string | undefined
}

const rows = (all: ReadonlyArray<Row>): string =>
  `<dl class="rows">${all
    .map(
      ({ description, name, required, type }) =>
        `<div><dt>${code(name)}</dt><dd><span class="label">${type}${required ? "" : ", optional"}</span>${prose(description)}</dd></div>`
    )
    .join("")}</dl>`

const operation = (path: string, { get }: OpenApi.OpenAPISpecPathItem): string => {
  if (get === undefined) return ""
  const parameters = get.parameters.map(({ description, in: where, name, required, schema }) => ({
    name,
    type: `${typeOf(schema)} in the ${where}`,
    required,
    description: description ?? ("description" in schema ? String(schema.description) : undefined)
  }))
  const responses = Object.entries(get.responses).map(([status, { content, description }]) => ({
    name: status,
    type: Object.entries(content ?? {})
      .map(([mediaType, { schema }]) => `${typeOf(schema)} as ${escaped(mediaType)}`)
      .join(" or "),
    required: true,
    description
  }))
  return `<article class="flow">
<h2>${code(`GET ${path}`)}</h2>
<p>${prose(get.summary)}. ${prose(get.description)}</p>
${get.security.length === 0 ? "" : `<p>${prose(components.securitySchemes["bearer"]?.description)} <code>Authorization: Bearer …</code></p>`}
${parameters.length === 0 ? "" : `<h3>Parameters</h3>${rows(parameters)}`}
<h3>Answers</h3>
${rows(responses)}
</article>`
}

const definition = (name: string, schema: JsonSchema): string => `<article class="flow">
<h2 id="${escaped(name)}">${escaped(name)}</h2>
<p>${prose(schema.description)}</p>
${
  schema.properties === undefined
    ? `<p>${typeOf(schema)}</p>`
    : rows(
        Object.entries(schema.properties).map(([property, its]) => ({
          name: property,
          type: typeOf(its),
          required: schema.required?.includes(property) === true,
          description: its.description
        }))
      )
}
</article>`

export const reference: Document.Document = Document.make({
  title: `${escaped(info.title)}: API`,
  style,
  body: `<header>
<h1><b>${escaped(info.title)}</b> API</h1>
<nav aria-label="More"><a href="/">Status</a> <a href="/openapi.json">OpenAPI document</a></nav>
</header>
<main>
<p class="lead">${prose(info.description)}</p>
<div class="flows">
${Object.entries(paths)
  .map(([path, item]) => operation(path, item))
  .join("\n")}
${Object.entries(components.schemas)
  .map(([name, schema]) => definition(name, schema))
  .join("\n")}
</div>
</main>`
})
