import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { projectDir } from "./run.ts"

const maxLines = 300
const read = (path: string) => readFileSync(join(projectDir, path), "utf8")
const parse = (path: string) =>
  JSON.parse(read(path)) as Record<"dependencies" | "devDependencies", Record<string, string>>

/** What one would write, and Next.js doesn't. */
const sourcesOf = (name: string) =>
  globSync(`examples/${name}/**/*.{ts,tsx,css}`, {
    ...{ cwd: projectDir, exclude: ["**/node_modules", "**/.next", "**/next-env.d.ts"] },
  })

/** Of code: without blank lines and comments. */
const linesOf = (path: string) =>
  read(path)
    .replace(/^ *\/\*[\s\S]*?\*\/$/gm, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//"))

const names = globSync("examples/*/package.json", { cwd: projectDir }).map((path) => path.split("/")[1] ?? "")

it("examples are found", () => {
  expect(names).toContain("prices")
  expect(sourcesOf("prices")).toContain("examples/prices/app/page.tsx")
})

describe.each(names)("examples/%s", (name) => {
  it(`has ${maxLines} lines of code at most`, () => {
    const lines = sourcesOf(name).flatMap(linesOf)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.length).toBeLessThanOrEqual(maxLines)
  })

  it("asks for the packages that the repository has, in the same versions", () => {
    const [own, root] = [parse(`examples/${name}/package.json`), parse("package.json")]
    const installed = { ...root.devDependencies, ...root.dependencies }
    const wanted = { ...own.dependencies, ...own.devDependencies }
    expect(installed).toEqual(expect.objectContaining(wanted))
  })
})
