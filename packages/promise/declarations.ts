/**
 * Writes the declarations of the build: those of the plain modules as the compiler has them, and of each adapter's entry
 * the functions with their settings spelled out, so that no type of what is bundled is left. Comments come along.
 */
import { writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import ts from "typescript"

const root = import.meta.dirname
const config = ts.getParsedCommandLineOfConfigFile(
  join(root, "tsconfig.json"),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"))
    }
  }
)!
const program = ts.createProgram(config.fileNames, {
  ...config.options,
  noEmit: false,
  declaration: true,
  emitDeclarationOnly: true
})
const checker = program.getTypeChecker()
const adapters = ["ambient", "aws", "cognito", "entra", "google", "oidc"]

const sourceFile = (path: string): ts.SourceFile => {
  const file = program.getSourceFile(path)
  if (file === undefined) throw new Error(`${path} is not there`)
  return file
}

const texts = new Map<string, string>()

const add = (name: string, text: string): void => {
  const foreign = /(?:from |import\()"(?!\.\/)([^"]*)"/.exec(text)
  if (foreign !== null) throw new Error(`${name} would import ${foreign[1]}`)
  texts.set(name, text)
}

/** A plain module and all that its declarations import. */
const emitted = new Set<string>()
const emit = (path: string): void => {
  if (emitted.has(path)) return
  emitted.add(path)
  program.emit(
    sourceFile(path),
    (_, text) => {
      add(basename(path).replace(/\.ts$/, ".d.ts"), text)
      for (const [, imported] of text.matchAll(/from "(\.[^"]*)"/g))
        emit(resolve(dirname(path), imported!))
    },
    undefined,
    true
  )
}

/** What settings speak of by name: the index exports it. */
const named = [
  "AccessToken",
  "AssertionSource",
  "AwsCredentials",
  "AwsIdentityProvider",
  "Duration",
  "Environment",
  "Fetch",
  "TokenExchanger"
]

const comment = (symbol: ts.Symbol, indent: string): string => {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  if (text === "") return ""
  const lines = text.split("\n")
  return lines.length === 1
    ? `${indent}/** ${text} */\n`
    : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`
}

const told = (type: ts.Type): string =>
  checker.typeToString(
    type,
    undefined,
    ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
  )

/** Settings within settings are spelled out, with their comments. */
const spelled = (type: ts.Type, indent: string): string => {
  if (type.isUnion() && type.types.some(isSettings))
    return type.types.map((each) => spelled(each, indent)).join(" | ")
  return isSettings(type) ? `{\n${fieldsOf(type, `${indent}  `)}${indent}}` : told(type)
}

const isSettings = (type: ts.Type): boolean =>
  type.symbol?.name === "__type" &&
  type.getCallSignatures().length === 0 &&
  type.getProperties().length > 0

const fieldsOf = (type: ts.Type, indent: string): string =>
  type
    .getProperties()
    .map((property) => {
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0
      const written = spelled(checker.getTypeOfSymbol(property), indent)
      return `${comment(property, indent)}${indent}readonly ${property.name}${optional ? "?" : ""}: ${written}\n`
    })
    .join("")

const entry = (name: string): string => {
  const file = sourceFile(join(root, "src", `${name}.ts`))
  const module = checker.getSymbolAtLocation(file)!
  const declarations = checker.getExportsOfModule(module).map((symbol) => {
    const [signature] = checker.getTypeOfSymbol(symbol).getCallSignatures()
    if (signature === undefined) throw new Error(`${name}: ${symbol.name} is no function`)
    // One, or none: `PlainArguments`.
    const tuple = checker.getTypeOfSymbol(signature.getParameters()[0]!) as ts.TupleTypeReference
    const [options] = checker.getTypeArguments(tuple)
    const optional = tuple.target.minLength === 0 ? "?" : ""
    const settings = `${symbol.name[0]!.toUpperCase()}${symbol.name.slice(1)}Options`
    return (
      `export interface ${settings} {\n${fieldsOf(checker.getNonNullableType(options!), "  ")}}\n` +
      `${comment(symbol, "")}export declare const ${symbol.name}: (options${optional}: ${settings}) => ` +
      `${told(signature.getReturnType())}\n`
    )
  })
  const text = declarations.join("")
  const used = named.filter((each) => new RegExp(`\\b${each}\\b`).test(text))
  const [, first] = /^(\/\*\*.*?\*\/)/s.exec(file.text) ?? []
  return `${first}\nimport type { ${used.join(", ")} } from "./index.ts"\n${text}`
}

emit(join(root, "src/index.ts"))
for (const name of adapters) add(`${name}.d.ts`, entry(name))

/** Each declaration's text, by its name in the build. */
export const declarations: ReadonlyMap<string, string> = texts

if (import.meta.main)
  for (const [name, text] of declarations) writeFileSync(join(root, "dist", name), text)
