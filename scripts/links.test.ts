import { globSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { anchorsOf, linksOf } from "./markdown.ts"
import { projectDir } from "./run.ts"

const filesBy = (pattern: string) =>
  globSync(pattern, {
    cwd: projectDir,
    exclude: (path) => /(^|\/)(node_modules|dist|\.next|\.data|test-results)(\/|$)/.test(path),
  })
const documents = filesBy("**/*.md")
const read = (path: string) => readFileSync(join(projectDir, path), "utf8")
const anchors = new Map<string, ReadonlySet<string>>()

function hasAnchor(path: string, anchor: string): boolean {
  const known = anchors.get(path) ?? anchorsOf(read(path))
  anchors.set(path, known)
  return known.has(anchor)
}

/** Why a link leads nowhere; null for one that leads somewhere, or to another site. */
function deadBecause(document: string, link: string): string | null {
  if (/^[a-z]+:/i.test(link)) return null
  if (link.startsWith("[")) return `${link} is defined nowhere`
  const [target = "", anchor] = link.split("#")
  const path =
    target === "" ? document : relative(projectDir, join(projectDir, dirname(document), decodeURI(target)))
  if (path.startsWith("..")) return `${link} leads out of the repository`
  if (!statSync(join(projectDir, path), { throwIfNoEntry: false })) return `${link}: there is no such file`
  if (anchor && path.endsWith(".md") && !hasAnchor(path, decodeURIComponent(anchor)))
    return `${link}: there is no such heading`
  return null
}

describe("the documents", () => {
  it("are found", () => {
    expect(documents).toEqual(
      expect.arrayContaining(["README.md", "docs/guides/adopting.md", "realtime/README.md"]),
    )
  })

  it("lead to files and headings that are there", () => {
    const dead = documents.flatMap((document) =>
      linksOf(read(document)).flatMap((link) => {
        const reason = deadBecause(document, link)
        return reason === null ? [] : [`${document}: ${reason}`]
      }),
    )
    expect(dead).toEqual([])
  })

  it("are there, where a comment in the code names one", () => {
    const isThere = (name: string) => documents.some((path) => `/${path}`.endsWith(`/${name}`))
    const dead = filesBy("**/*.{ts,tsx}").flatMap((path) =>
      [...read(path).matchAll(/^ *(?:\*|\/\/|\/\*\*) .*/gm)].flatMap(([comment]) =>
        [...comment.replace(/\bhttps?:\S+/g, "").matchAll(/[\w/-][\w./-]*\.md\b/g)]
          .filter(([name]) => !isThere(name))
          .map(([name]) => `${path}: ${name}`),
      ),
    )
    expect(dead).toEqual([])
  })
})
