/** What is published: declarations that know neither Effect nor what is bundled, and a manifest that says the same. */
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"
import { beforeAll } from "vitest"
import { declarations } from "../declarations.ts"
import manifest from "../package.json" with { type: "json" }

/** As it is installed: nothing of the repository's is near. */
const folder = "/somewhere/node_modules/@federate/promise"

/** The compiler's own declarations, read once. */
const libraries = new Map<string, ts.SourceFile | undefined>()

/** What the compiler says of a program of who has installed the package, under strict settings: lines, and what is wrong. */
const compile = (program: string): ReadonlyArray<readonly [number, string]> => {
  const files = new Map([["/somewhere/main.mts", program]])
  for (const [name, text] of declarations) files.set(`${folder}/dist/${name}`, text)
  const { publishConfig, ...rest } = manifest
  files.set(`${folder}/package.json`, JSON.stringify({ ...rest, ...publishConfig }))
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // The declarations themselves are looked at.
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    noEmit: true
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (name) =>
    name.startsWith("/somewhere/") ? files.has(name) : fileExists.call(host, name)
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name)
  host.directoryExists = (name) => [...files.keys()].some((file) => file.startsWith(`${name}/`))
  host.getSourceFile = (name, version, ...more) => {
    const text = files.get(name)
    if (text !== undefined) return ts.createSourceFile(name, text, version)
    if (!libraries.has(name)) libraries.set(name, getSourceFile.call(host, name, version, ...more))
    return libraries.get(name)
  }
  const compiled = ts.createProgram(["/somewhere/main.mts"], options, host)
  return ts
    .getPreEmitDiagnostics(compiled)
    .map(({ file, messageText, start = 0 }) => [
      file?.getLineAndCharacterOfPosition(start).line ?? -1,
      ts.flattenDiagnosticMessageText(messageText, "\n")
    ])
}

// The libraries are large.
beforeAll(() => void compile("export {}"))

describe("the declarations", () => {
  it("are there for every entry", () => {
    const entries = Object.values(manifest.publishConfig.exports).flatMap((entry) =>
      typeof entry === "string" ? [] : [entry.types.replace("./dist/", "")]
    )
    assert.includeMembers([...declarations.keys()], entries)
  })

  it("import nothing but one another, and speak of nothing of Effect's", () => {
    assert.isAbove(declarations.size, 10)
    for (const [name, text] of declarations) {
      for (const [, imported = ""] of text.matchAll(/from "([^"]*)"/g)) {
        assert.match(imported, /^\.\//, name)
        assert.isTrue(declarations.has(imported.slice(2).replace(/\.ts$/, ".d.ts")), name)
      }
      assert.notMatch(
        text,
        /\bimport\(|\b(Effect|Redacted|Fiber|Scope|Exit|Option|Schedule)\b/,
        name
      )
      assert.notMatch(text.replaceAll(/\/\*\*.*?\*\//gs, ""), /\bany\b/, name)
    }
  })

  it("carry the comments along", () => {
    assert.include(
      declarations.get("cognito.d.ts"),
      "/** Pins the identity, which is the assertion's subject"
    )
    assert.include(declarations.get("index.d.ts"), "Federate for who awaits promises")
  })

  it("are all that a program needs to compile", () => {
    const errors = compile(`
      import { createFlow, firstAvailable, FederationError, toFetch, toTokenCredential } from "@federate/promise"
      import { kubernetes, vault } from "@federate/promise/ambient"
      import { aws, awsRole } from "@federate/promise/aws"
      import { cognito } from "@federate/promise/cognito"
      import { entra } from "@federate/promise/entra"
      import { google } from "@federate/promise/google"
      import { tokenExchange } from "@federate/promise/oidc"
      const source = firstAvailable(
        kubernetes(),
        vault({ address: "https://vault.example", role: "r", token: "t" }),
        aws({ region: "eu-west-1", duration: "2 minutes" }),
        cognito({ identityPoolId: "p", logins: { a: "b" }, tokenDuration: 120_000, fetch })
      )
      const flow = createFlow({ source, exchanger: entra({ tenantId: "t", clientId: "c" }) })
      const token: string = (await flow.getToken("s", { signal: new AbortController().signal })).token
      const keys: string = (await createFlow({
        source, exchanger: awsRole({ roleArn: "r", region: "x" })
      }).credential()).accessKeyId
      createFlow({ source, exchanger: google({ audience: "a" }) })
      createFlow({ source, exchanger: tokenExchange({ client: { id: "c", secret: "s" } }), retry: { attempts: 2 } })
      const { getToken } = toTokenCredential(flow)
      const response: Response = await toFetch(flow, { origins: ["https://a.example"] })("https://a.example")
      try { await flow.getToken() } catch (error) {
        if (error instanceof FederationError && error.reason.type === "Rejected") error.reason.remedy satisfies string
      }
      export { getToken, keys, response, token }
    `)
    assert.deepStrictEqual(errors, [])
  })

  it("refuse what cannot be", () => {
    const refused = [
      "toTokenCredential(createFlow({ source, exchanger: keys }))",
      "createFlow({ source: keys })",
      `createFlow({ source, retry: { deadline: "5" } })`,
      `awsRole({ roleArn: "r", region: "x", rolearn: "r" })`,
      `createFlow({ source }).current()!.token = "t"`
    ]
    const lines = [
      `import { createFlow, fromFunction, toTokenCredential } from "@federate/promise"`,
      `import { awsRole } from "@federate/promise/aws"`,
      `const source = fromFunction("mine", () => "jwt")`,
      `const keys = awsRole({ roleArn: "r", region: "x" })`
    ]
    const errors = compile([...lines, ...refused].join("\n"))
    assert.deepStrictEqual(
      errors.map(([line]) => line),
      refused.map((_, index) => lines.length + index)
    )
  })
})

describe("the manifest", () => {
  it("names no dependency but the AWS SDK, which is imported when it is first called", () => {
    for (const name of Object.keys(manifest.dependencies)) assert.match(name, /^@aws-sdk\//)
    assert.notProperty(manifest, "peerDependencies")
  })
})
