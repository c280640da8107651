import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { projectDir } from "./run.ts"

const read = (name: string) => readFileSync(join(projectDir, name), "utf8")
const [english, japanese] = [read("README.md"), read("README.ja.md")]

/** What is the same in every language: how it is divided, its commands and code, where its links lead, its figures. */
function skeletonOf(text: string) {
  return {
    headings: (text.match(/^#+ /gm) ?? []).length,
    blocks: text.match(/```[\s\S]*?```/g),
    rows: (text.match(/^\|.*\|$/gm) ?? []).length,
    links: [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/README(\.ja)?\.md$/.test(target ?? "")),
    figures: /<!-- figures -->([\s\S]*?)<!-- \/figures -->/.exec(text)?.[1]?.match(/\d[\d.,]*/g),
  }
}

describe("the README", () => {
  it("holds the same in both languages", () => {
    expect(skeletonOf(japanese)).toEqual(skeletonOf(english))
  })

  it.each(["README.md", "README.ja.md"])("%s leads to files that are there", (name) => {
    const targets = [...read(name).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => target ?? "")
    const missing = targets.filter(
      (target) => !/^https?:/.test(target) && !existsSync(join(projectDir, target)),
    )
    expect(missing).toEqual([])
  })

  it("names commands that there are", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }
    const named = [...english.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script ?? "")
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })
})
