import { defineConfig } from "vitest/config"

// The private export condition that makes every package resolve to its TypeScript source: no build before a test.
const conditions = ["@federate/source"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Most of them wait for processes and for each other: one core is not kept for the reporter.
    maxWorkers: "100%",
    // What is slow is the machine: no test is timed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["{packages,apps,examples}/*/test/**/*.test.ts"] }
      }
    ],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      reporter: ["text", "lcov"]
    }
  }
})
