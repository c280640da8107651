import { tsPlugin } from "@sveltejs/acorn-typescript"
import { Parser } from "acorn"

/** A node of the syntax tree, as far as it is looked at. */
export interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const parser = Parser.extend(tsPlugin({ jsx: {} }) as never)

/** The module's statements, of JavaScript or TypeScript, with JSX or without. Throws a `SyntaxError`. */
export function parseModule(text: string): Node[] {
  const program = parser.parse(text, { sourceType: "module", ecmaVersion: "latest", locations: true })
  return program.body as unknown as Node[]
}

/**
 * What a module exports by name; null where that can't be known, since it hands on
 * another's exports or can't be read.
 */
export function exportsOf(text: string): ReadonlySet<string> | null {
  let statements: Node[]
  try {
    statements = parseModule(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  const names = new Set<string>()
  for (const statement of statements) {
    if (statement.type === "ExportAllDeclaration") return null
    if (statement.type !== "ExportNamedDeclaration") continue
    for (const { exported } of statement.specifiers as { exported: { name?: string } }[])
      if (exported.name) names.add(exported.name)
    const declaration = statement.declaration as (Node & { id?: Node; declarations?: { id: Node }[] }) | null
    for (const id of declaration?.declarations?.map(({ id }) => id) ??
      (declaration?.id ? [declaration.id] : []))
      for (const name of namesIn(id)) names.add(name)
  }
  return names
}

/** Of `name`, and of `{ a, b: c }`. */
export function namesIn(pattern: Node): string[] {
  if (pattern.type === "Identifier") return [pattern.name as string]
  if (pattern.type !== "ObjectPattern") return []
  return (pattern.properties as { value?: Node }[]).flatMap(({ value }) => (value ? namesIn(value) : []))
}

/** TypeScript as JavaScript, where all that it has besides are types of parameters, and imports of types. */
export function withoutTypes(text: string): string {
  const ranges: Node[] = []
  const look = (node: Node) => {
    const isType =
      node.type === "TSTypeAnnotation" || (node.type === "ImportDeclaration" && node.importKind === "type")
    if (isType) ranges.push(node)
    else for (const child of childrenOf(node)) look(child)
  }
  for (const statement of parseModule(text)) look(statement)
  return ranges
    .toSorted((a, b) => b.start - a.start)
    .reduce((rest, { type, start, end }) => {
      // With its line, where it has one of its own.
      const last = type === "ImportDeclaration" && rest[end] === "\n" ? end + 1 : end
      return rest.slice(0, start) + rest.slice(last)
    }, text)
}

/** The nodes right below one. */
export function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((child): child is Node => typeof child === "object" && child !== null && "type" in child)
}

/** Without comments, as far as that goes without reading it as code; lines and strings stay. */
export const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
