import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { makeDataDir } from "./data-dir.ts"

it("a folder of data that is made stays out of git; one that is there is left as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "throughline-data-dir-"))
  const [made, kept] = [join(folder, "deep", ".data"), join(folder, "kept")]
  mkdirSync(kept)
  for (const path of [made, kept, made]) makeDataDir(path)
  expect(readFileSync(join(made, ".gitignore"), "utf8")).toBe("*\n")
  expect(
    [join(kept, ".gitignore"), join(folder, "deep", ".gitignore")].map((path) => existsSync(path)),
  ).toEqual([false, false])
  rmSync(folder, { recursive: true })
})
