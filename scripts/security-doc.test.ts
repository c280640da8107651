import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { projectDir } from "./run.ts"

const claims = [
  ...readFileSync(join(projectDir, "docs/security.md"), "utf8").matchAll(/\| `([^`]+)` › (.+) \|$/gm),
].map(([, file = "", name = ""]) => [file, name] as const)

it("names a test for each threat", () => {
  expect(claims.length).toBeGreaterThan(20)
})

it.each(claims)("%s has the test: %s", (file, name) => {
  expect(existsSync(join(projectDir, file))).toBe(true)
  expect(readFileSync(join(projectDir, file), "utf8")).toContain(name)
})
