import { Refusal } from "../refusal.ts"

/** The parts of a package.json that `init` reads and adds to. */
export interface PackageJson {
  name?: string
  type?: string
  workspaces?: unknown
  engines?: { node?: string }
  browserslist?: unknown
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const parts = ["scripts", "dependencies", "devDependencies"] as const

/** What is added to a package.json. */
export type Additions = { [Part in (typeof parts)[number]]?: Readonly<Record<string, string>> } & {
  /** For an app that has none. */
  browserslist?: readonly string[]
}

/** Throws a `Refusal` for what isn't a JSON object. */
export function parsePackageJson(text: string): PackageJson {
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, "")) as unknown
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as PackageJson
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Refusal(
    "package.json can't be read as JSON",
    "Correct it first; `npm pkg get name` says where it fails.",
  )
}

/**
 * With what it hasn't yet; as it was, to the byte, when it has everything. What
 * is there already keeps its value.
 */
export function addToPackageJson(text: string, additions: Additions): string {
  const original = parsePackageJson(text)
  const changed = structuredClone(original)
  for (const part of parts) {
    const missing = Object.entries(additions[part] ?? {}).filter(
      ([name]) => !(name in (original[part] ?? {})),
    )
    if (missing.length === 0) continue
    const entries = [...Object.entries(original[part] ?? {}), ...missing]
    // As package managers sort them, which do so at the next install anyway.
    if (part !== "scripts") entries.sort(([a], [b]) => (a < b ? -1 : 1))
    changed[part] = Object.fromEntries(entries)
  }
  if (additions.browserslist) changed.browserslist ??= additions.browserslist
  return JSON.stringify(changed) === JSON.stringify(original) ? text : writtenAs(text, changed)
}

/** Without what was added between `before` and `after`, where it still has the value that it was given. */
export function takeFromPackageJson(text: string, before: string, after: string): string {
  const [current, old, added] = [text, before, after].map(parsePackageJson) as [
    PackageJson,
    PackageJson,
    PackageJson,
  ]
  for (const part of parts) {
    for (const [name, value] of Object.entries(added[part] ?? {}))
      if (!(name in (old[part] ?? {})) && current[part]?.[name] === value) delete current[part][name]
    if (!(part in old) && Object.keys(current[part] ?? {}).length === 0) delete current[part]
  }
  if (old.browserslist === undefined && isSame(current.browserslist, added.browserslist))
    delete current.browserslist
  return writtenAs(text, current)
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Indented, and ended, as the text before. */
function writtenAs(text: string, value: PackageJson): string {
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  "
  const json = JSON.stringify(value, null, indent) + (/\n\s*$/.test(text) ? "\n" : "")
  return (
    (text.startsWith("\uFEFF") ? "\uFEFF" : "") +
    (text.includes("\r\n") ? json.replaceAll("\n", "\r\n") : json)
  )
}
