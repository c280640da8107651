import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { projects } from "../e2e/tiers.ts"
import { projectDir } from "./run.ts"

const specs = readdirSync(join(projectDir, "e2e")).flatMap((name) => /^(.+)\.spec\.ts$/.exec(name)?.[1] ?? [])
/** Those that need no layout of the chat: projects of their own. */
const apart = [
  ...["dev-start", "development", "documents", "emulators", "examples", "hot-reload", "neighbour"],
  ...["releases", "strangers", "strangers-life", "strangers-next-15"],
]

describe("the browser tests", () => {
  it("all run somewhere, and what is named is there", () => {
    const named = projects.flatMap(({ test = [], system = [] }) => [...test, ...system])
    expect(new Set([...named, ...apart])).toEqual(new Set(specs))
  })

  it.each(projects)("run once on $name", ({ test = [], system = [] }) => {
    const all = [...test, ...system]
    expect(all.length).toBe(new Set(all).size)
  })
})
