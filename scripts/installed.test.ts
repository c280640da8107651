import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { findStale } from "./installed.ts"
import { projectDir } from "./run.ts"

const locked = {
  "": { name: "project" },
  own: { name: "own", version: "0.1.0" },
  "node_modules/own": { resolved: "own", link: true },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/a/node_modules/b": { version: "2.0.0", integrity: "sha512-b" },
  "node_modules/only-on-a-mac": { version: "1.0.0", integrity: "sha512-m", optional: true },
}
const { "node_modules/only-on-a-mac": _, "": root, ...installed } = locked

let folder: string
const write = (file: string, packages: object) =>
  writeFileSync(join(folder, file), JSON.stringify({ packages }))
const note = (packages: object) => write("node_modules/.package-lock.json", packages)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "throughline-installed-"))
  for (const path of ["own", "other", "node_modules/a/node_modules/b"])
    mkdirSync(join(folder, path), { recursive: true })
  symlinkSync("../own", join(folder, "node_modules/own"))
  write("package-lock.json", locked)
  note(installed)
})
afterEach(() => rmSync(folder, { recursive: true }))

describe("what is installed", () => {
  it("is as locked, also where a package for other machines is left out", () => {
    expect(findStale(folder)).toBeNull()
  })

  it("is as locked where there is more, as what a package's own program has put there", () => {
    note({ ...installed, "node_modules/a/node_modules/more": { version: "1.0.0" } })
    expect(findStale(folder)).toBeNull()
  })

  it("of this project is as locked", () => {
    expect(findStale(projectDir)).toBeNull()
  })

  it("is nothing in a new checkout", () => {
    unlinkSync(join(folder, "node_modules/.package-lock.json"))
    expect(findStale(folder)).toBe("Nothing is installed. Run npm ci.")
  })

  const { "node_modules/a": a, ...withoutA } = installed
  it.each([
    ["a package is missing", withoutA, "a"],
    ["one is of another version", { ...installed, "node_modules/a": { ...a, version: "1.0.1" } }, "a"],
    ["one is of other contents", { ...installed, "node_modules/a": { ...a, integrity: "sha512-x" } }, "a"],
  ])("is stale where %s", (_, packages, name) => {
    note(packages)
    expect(findStale(folder)).toBe(
      `What is installed isn't what package-lock.json names: ${name}. Run npm ci.`,
    )
  })

  it("is stale where a folder was removed by hand", () => {
    rmSync(join(folder, "node_modules/a/node_modules/b"), { recursive: true })
    expect(findStale(folder)).toContain("names: a/node_modules/b.")
  })

  it("is stale where a package of the repository leads to another folder", () => {
    unlinkSync(join(folder, "node_modules/own"))
    symlinkSync("../other", join(folder, "node_modules/own"))
    expect(findStale(folder)).toContain("names: own.")
  })

  it("names a few of many", () => {
    note({})
    expect(findStale(folder)).toContain("own, a, a/node_modules/b. Run")
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`node_modules/x${index}`, a]))
    write("package-lock.json", { ...locked, ...many })
    expect(findStale(folder)).toContain("own, a, a/node_modules/b and 9 more. Run")
  })
})
