/** What tests need of Debian's packages, and what becomes of them where it is missing. */
import { existsSync } from "node:fs"

/**
 * Whether a program, or a library's folder, is there. Where it is not, the tests that need it are skipped and say why:
 * `describe.skipIf(!needs("/usr/bin/chromium", "chromium"))`. In CI it fails their file: there nothing is skipped.
 *
 * @param path where its package puts it
 * @throws in CI, when it is missing
 */
export const needs = (path: string, debianPackage: string): boolean => {
  if (existsSync(path)) return true
  const reason = `${path} is missing: apt-get install ${debianPackage}`
  if ((process.env["CI"] ?? "") !== "") throw new Error(reason)
  process.stderr.write(`Skipped: ${reason}\n`)
  return false
}
