import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { readSurface, type Surface } from "./api-surface.ts"
import { type PackedPackage, packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"

/**
 * What a package lets others use, as text: of each door the names, and below them each declaration once, with all that it refers to.
 * Without comments, so that only a change of the surface changes it.
 */
export function apiReport({ doors, declarations }: Surface): string {
  const listed = doors.map(
    ({ name, names }) => `${name}\n${[...names.keys()].map((exported) => `  ${exported}`).join("\n")}\n`,
  )
  const body = [...declarations.values()]
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, text }) => `// ${key}\n${text}\n`)
  return `${listed.join("\n")}\n${body.join("\n")}`
}

export const reportPath = ({ manifest }: PackedPackage): string =>
  join(projectDir, "docs/api", `${manifest.name}.txt`)

/** Writes the reports: `node scripts/api-report.ts`, once a change of the surface is meant. */
if (import.meta.main) {
  for (const packed of Object.values(await packOnce()))
    writeFileSync(reportPath(packed), apiReport(readSurface(packed)))
}
