import { defineConfig } from "tsup"

// Everything is inside but the AWS SDK, which is imported when it is first called. Names are kept for stack traces.
export default defineConfig({
  entry: ["index", "ambient", "aws", "cognito", "entra", "google", "oidc"].map(
    (name) => `src/${name}.ts`
  ),
  format: ["esm"],
  target: "node22",
  clean: true,
  // For `licenses.ts`.
  metafile: true,
  splitting: true,
  noExternal: [/^(?!@aws-sdk\/)/],
  external: [/^@aws-sdk\//],
  minifySyntax: true,
  minifyWhitespace: true,
  esbuildOptions: (options) => {
    options.conditions = ["@federate/source", "module"]
  }
})
