import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"
import type { Door, PackedPackage } from "./pack.ts"

/** A file of declarations: what it declares, where its other names come from, and what it exports under which name. */
interface Declarations {
  declared: Map<string, ts.Statement[]>
  imported: Map<string, { from: string; name: string }>
  exported: Map<string, { from: string | null; name: string }>
}

/** What a name of the surface stands for, once, wherever it is exported. */
export interface Declaration {
  /** As in `client/types: Channel`. */
  key: string
  name: string
  /** One below the other, as overloads are. */
  statements: readonly ts.Statement[]
  /** Without comments, so that only a change of the surface changes it. */
  text: string
  /** The keys of what it names. */
  refersTo: Set<string>
}

export interface SurfaceDoor {
  /** As it is imported: `throughline/client`. */
  name: string
  /** What it exports, and the key of each. */
  names: ReadonlyMap<string, string>
}

/** What a package lets others use: its doors, and each declaration that they lead to, by its key. */
export interface Surface {
  doors: readonly SurfaceDoor[]
  declarations: ReadonlyMap<string, Declaration>
}

const printer = ts.createPrinter({ removeComments: true })

/** A node as the compiler prints it, without its comments. */
export const printNode = (node: ts.Node): string =>
  printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())

/** Where a relative import of a built file leads; null: to another package. */
const resolveImport = (file: string, specifier: string) =>
  specifier.startsWith(".") ? join(dirname(file), specifier.replace(/\.tsx?$|\.js$/, ".d.ts")) : null

function readDeclarations(file: string): Declarations {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const found: Declarations = { declared: new Map(), imported: new Map(), exported: new Map() }
  const declare = (name: string, statement: ts.Statement) => {
    found.declared.set(name, [...(found.declared.get(name) ?? []), statement])
    found.exported.set(name, { from: null, name })
  }
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const from = resolveImport(file, (statement.moduleSpecifier as ts.StringLiteral).text)
      const { namedBindings } = statement.importClause ?? {}
      if (from && namedBindings && ts.isNamedImports(namedBindings))
        for (const { name, propertyName } of namedBindings.elements)
          found.imported.set(name.text, { from, name: (propertyName ?? name).text })
    } else if (ts.isExportDeclaration(statement)) {
      const specifier = statement.moduleSpecifier as ts.StringLiteral | undefined
      const from = specifier ? resolveImport(file, specifier.text) : null
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        for (const { name, propertyName } of statement.exportClause.elements)
          found.exported.set(name.text, { from, name: (propertyName ?? name).text })
    } else if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) declare(name.getText(source), statement)
    } else if ("name" in statement && statement.name) {
      declare((statement.name as ts.Identifier).text, statement)
    }
  }
  return found
}

/** Reads the surface of a package from its built declarations. */
export function readSurface({ folder, manifest }: PackedPackage): Surface {
  const files = new Map<string, Declarations>()
  const read = (file: string) => {
    const declarations = files.get(file) ?? readDeclarations(file)
    files.set(file, declarations)
    return declarations
  }
  const declarations = new Map<string, Declaration>()

  /** Follows a name to where it is declared, and takes that in with what it refers to. Answers with its key. */
  function take(file: string, name: string): string | undefined {
    if (!existsSync(file)) return undefined
    const { declared, imported, exported } = read(file)
    const statements = declared.get(name)
    if (statements === undefined) {
      const origin = imported.get(name) ?? exported.get(name)
      if (!origin || (origin.from === null && origin.name === name)) return undefined
      return take(origin.from ?? file, origin.name)
    }
    const key = `${file.slice(folder.length + 1).replace(/\.d\.ts$/, "")}: ${name}`
    if (declarations.has(key)) return key
    const text = statements.map(printNode).join("\n")
    const refersTo = new Set<string>()
    declarations.set(key, { key, name, statements, text, refersTo })
    for (const [word] of text.matchAll(/\b[A-Za-z_$][\w$]*/g)) {
      if (word === name || !(declared.has(word) || imported.has(word))) continue
      const other = take(file, word)
      if (other !== undefined) refersTo.add(other)
    }
    return key
  }

  const doors = Object.entries(manifest.exports).map(([door, conditions]) => {
    const file = join(folder, typesOf(conditions))
    const names = [...read(file).exported.keys()].filter((name) => name !== "default").toSorted()
    const keys = names.map((name) => [name, take(file, name)] as const)
    const known = keys.filter((entry): entry is [string, string] => entry[1] !== undefined)
    return { name: `${manifest.name}${door.slice(1)}`, names: new Map(known) }
  })
  return { doors, declarations }
}

const typesOf = (door: Door): string => {
  const types = typeof door === "string" ? null : door.types
  if (!types) throw new TypeError("unable to report on a door; it names no types")
  return types
}
