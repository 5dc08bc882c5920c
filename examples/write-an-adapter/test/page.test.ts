import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"

const text = (path: string) => readFile(new URL(path, import.meta.url), "utf8")

it("is told by its page as it is, in under sixty lines", async () => {
  const page = await text("../../../docs/writing-an-adapter.md")
  const source = await text("../src/source.ts")
  expect(source.split("\n").length).toBeLessThan(60)
  expect(page).toContain(source)
  expect(page).toContain(await text("../src/adapter.ts"))
})
