import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"
import { type Block, blocksOfGuide } from "../realtime/testing/guide.ts"
import { skeletonOf } from "./markdown.ts"
import { projectDir } from "./run.ts"

const read = (name: string) => readFileSync(join(projectDir, name), "utf8")
const [english, japanese] = [read("README.md"), read("README.ja.md")]

const figuresOf = (text: string) =>
  /<!-- figures -->([\s\S]*?)<!-- \/figures -->/.exec(text)?.[1]?.match(/\d[\d.,]*/g)

const guides = globSync("docs/guides/*.ja.md", { cwd: projectDir })

describe("the README", () => {
  it("holds the same in both languages", () => {
    expect(skeletonOf(japanese)).toEqual(skeletonOf(english))
    expect(figuresOf(japanese)).toEqual(figuresOf(english))
  })

  it("names commands that there are", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }
    const named = [...english.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script ?? "")
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })
})

describe("the guides that an adopter needs first", () => {
  it("are there in Japanese", () => {
    const names = guides.map((path) => basename(path, ".ja.md"))
    expect(names).toEqual(expect.arrayContaining(["adopting", "providers", "authorizing", "deploying"]))
  })

  it("count the lines that connect an app", () => {
    const connecting = /^(realtime\/(channels|server|provider)|app\/api\/.*\/route|instrumentation)\./
    const linesOf = ({ body, path = "" }: Block) =>
      body.split("\n").filter((line) => {
        if (line.trim() === "" || line.startsWith("// ")) return false
        return connecting.test(path) || (path === "app/layout.tsx" && /throughline|realtime/i.test(line))
      })
    const count = blocksOfGuide().flatMap(linesOf).length
    expect(read("docs/guides/adopting.md")).toContain(`By hand it is ${count} lines`)
    expect(read("docs/guides/adopting.ja.md")).toContain(`${count} 行`)
  })

  it.each(guides)("%s holds the same as the English one", (path) => {
    expect(skeletonOf(read(path))).toEqual(skeletonOf(read(path.replace(".ja.md", ".md"))))
  })
})
