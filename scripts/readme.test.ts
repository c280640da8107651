import { spawnSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { type Block, blocksOf } from "../realtime/testing/guide.ts"
import { linksOf, skeletonOf } from "./markdown.ts"
import { projectDir } from "./run.ts"

const read = (name: string) => readFileSync(join(projectDir, name), "utf8")
const [english, japanese] = [read("README.md"), read("README.ja.md")]

const figuresOf = (text: string) =>
  /<!-- figures -->([\s\S]*?)<!-- \/figures -->/.exec(text)?.[1]?.match(/\d[\d.,]*/g)

const documents = globSync(["README.md", "docs/guides/*.md", "examples/*/README.md"], {
  cwd: projectDir,
}).filter((path) => !path.endsWith(".ja.md"))

/** Where the links of a Japanese document lead to a document in English that there is in Japanese. */
const leavingJapanese = (path: string) =>
  linksOf(read(path)).filter((link, index) => {
    const [target = ""] = link.split("#")
    // The first one leads to the other language.
    if (index === 0 || !/(?<!\.ja)\.md$/.test(target) || /^\w+:/.test(target)) return false
    return existsSync(join(projectDir, dirname(path), target.replace(/\.md$/, ".ja.md")))
  })

describe("the README", () => {
  it("gives the same figures in both languages", () => {
    expect(figuresOf(japanese)).toEqual(figuresOf(english))
  })
})

describe("the documents in two languages", () => {
  it("are the README, every guide and every example's", () => {
    expect(documents).toEqual(expect.arrayContaining(["README.md", "docs/guides/adopting.md"]))
    const untranslated = documents.filter(
      (path) => !existsSync(join(projectDir, path.replace(/\.md$/, ".ja.md"))),
    )
    expect(untranslated).toEqual([])
  })

  it.each(documents)("%s holds the same in Japanese, and each leads to the other", (path) => {
    const translated = path.replace(/\.md$/, ".ja.md")
    expect(skeletonOf(read(translated))).toEqual(skeletonOf(read(path)))
    expect(read(path)).toMatch(`\n\n*[日本語](${basename(translated)})*\n\n`)
    expect(read(translated)).toMatch(`\n\n*[English](${basename(path)})*\n\n`)
    expect(leavingJapanese(translated)).toEqual([])
  })
})

describe("the documents", () => {
  const all = globSync(["*.md", "{docs,examples,realtime,emulators,deploy}/**/*.md"], {
    cwd: projectDir,
  }).filter((path) => !/\.ja\.md$|node_modules|\.next/.test(path))
  const blocksIn = (language: string) =>
    all.flatMap((path) =>
      Array.from(
        read(path).matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\``, "gm")),
        ([, , body = ""]) => ({ path, body }),
      ),
    )

  it("show commands that a shell reads", () => {
    const blocks = blocksIn("sh")
    expect(blocks.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["README.md", "docs/guides/cli.md"]),
    )
    const lines = blocks.map(({ body }, index) => `block_${index}() {\n${body}\n:\n}`).join("\n")
    const { stderr } = spawnSync("bash", ["-n"], { input: lines, encoding: "utf8" })
    expect(stderr).toBe("")
  })

  it("show JSON that is JSON", () => {
    for (const { path, body } of blocksIn("json")) expect(() => JSON.parse(body), path).not.toThrow()
  })

  it("name scripts that there are", () => {
    const scriptsOf = (folder: string) =>
      (JSON.parse(read(join(folder, "package.json"))) as { scripts: Record<string, string> }).scripts
    // An example is an app with scripts of its own.
    const folderOf = (path: string) => (path.startsWith("examples/") ? dirname(path) : ".")
    const named = all.flatMap((path) =>
      Array.from(read(path).matchAll(/npm run ([\w:-]+)/g), ([, script = ""]) => ({ path, script })),
    )
    expect(named.filter(({ path, script }) => !(script in scriptsOf(folderOf(path))))).toEqual([])
  })

  it("count the lines that connect an app", () => {
    const connecting = /^(realtime\/(channels|server|provider)|app\/api\/.*\/route|instrumentation)\./
    const linesOf = ({ body, path = "" }: Block) =>
      body.split("\n").filter((line) => {
        if (line.trim() === "" || line.trim().startsWith("// ")) return false
        return (
          connecting.test(path) ||
          (path === "app/layout.tsx" && /throughline|realtime|Suspense|Connected/i.test(line))
        )
      })
    const count = blocksOf().flatMap(linesOf).length
    expect(read("docs/guides/adopting.md")).toContain(`By hand it is ${count} lines`)
    expect(read("docs/guides/adopting.ja.md")).toContain(`${count} 行`)
  })
})
