/** `pnpm bench NAME`: measures beside something bare, in the same run, and says whether the aims are met. */
const benchmarks: Readonly<Record<string, () => Promise<unknown>>> = {
  broker: () => import("../apps/server/bench/broker.ts"),
  import: () => import("../packages/promise/bench/import.ts")
}

const [name = ""] = process.argv.slice(2)
const benchmark = benchmarks[name]
if (benchmark === undefined) {
  console.error(
    `✗ There is no benchmark called "${name}"; there are: ${Object.keys(benchmarks).join(", ")}`
  )
  process.exit(2)
}
await benchmark()
