import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"
import { type Door, type PackedPackage, packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"

/** A file of declarations: what it declares, where its other names come from, and what it exports under which name. */
interface Declarations {
  declared: Map<string, string>
  imported: Map<string, { from: string; name: string }>
  exported: Map<string, { from: string | null; name: string }>
}

const printer = ts.createPrinter({ removeComments: true })

/** Where a relative import of a built file leads; null: to another package. */
const resolveImport = (file: string, specifier: string) =>
  specifier.startsWith(".") ? join(dirname(file), specifier.replace(/\.tsx?$|\.js$/, ".d.ts")) : null

function readDeclarations(file: string): Declarations {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const found: Declarations = { declared: new Map(), imported: new Map(), exported: new Map() }
  const declare = (name: string, statement: ts.Statement) => {
    const text = printer.printNode(ts.EmitHint.Unspecified, statement, source)
    // One below the other, as overloads are.
    found.declared.set(name, [found.declared.get(name), text].filter(Boolean).join("\n"))
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

/**
 * What a package lets others use, as text: of each door the names, and below them each declaration once, with all that it refers to.
 * Without comments, so that only a change of the surface changes it.
 */
export function apiReport({ folder, manifest }: PackedPackage): string {
  const files = new Map<string, Declarations>()
  const read = (file: string) => {
    const declarations = files.get(file) ?? readDeclarations(file)
    files.set(file, declarations)
    return declarations
  }
  const texts = new Map<string, string>()

  /** Follows a name to where it is declared, and takes that in with what it refers to. */
  function take(file: string, name: string): void {
    if (!existsSync(file)) return
    const { declared, imported, exported } = read(file)
    const text = declared.get(name)
    if (text === undefined) {
      const origin = imported.get(name) ?? exported.get(name)
      if (origin && (origin.from !== null || origin.name !== name)) take(origin.from ?? file, origin.name)
      return
    }
    const key = `${file.slice(folder.length + 1).replace(/\.d\.ts$/, "")}: ${name}`
    if (texts.has(key)) return
    texts.set(key, text)
    for (const [word] of text.matchAll(/\b[A-Za-z_$][\w$]*/g)) {
      if (word !== name && (declared.has(word) || imported.has(word))) take(file, word)
    }
  }

  const doors = Object.entries(manifest.exports).map(([door, conditions]) => {
    const file = join(folder, typesOf(conditions))
    const names = [...read(file).exported.keys()].filter((name) => name !== "default").toSorted()
    for (const name of names) take(file, name)
    return `${manifest.name}${door.slice(1)}\n${names.map((name) => `  ${name}`).join("\n")}\n`
  })
  const declarations = [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const body = declarations.map(([key, text]) => `// ${key}\n${text}\n`)
  return `${doors.join("\n")}\n${body.join("\n")}`
}

const typesOf = (door: Door): string => {
  const types = typeof door === "string" ? null : door.types
  if (!types) throw new TypeError("unable to report on a door; it names no types")
  return types
}

export const reportPath = ({ manifest }: PackedPackage): string =>
  join(projectDir, "docs/api", `${manifest.name}.txt`)

/** Writes the reports: `node scripts/api-report.ts`, once a change of the surface is meant. */
if (import.meta.main) {
  for (const packed of Object.values(await packOnce())) writeFileSync(reportPath(packed), apiReport(packed))
}
