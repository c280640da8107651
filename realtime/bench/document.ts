import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { toChart } from "./chart.ts"
import { median, type Row, toTable } from "./report.ts"

const folder = join(import.meta.dirname, "../../docs")
const begin = "<!-- written by npm run bench -- --document -->"
const end = "<!-- until here -->"

export interface Conditions {
  scale: number
  rounds: number
  /** How busy the machine was, besides, as its load over a minute after each row. */
  loads: readonly number[]
}

/** Writes what was measured into `docs/performance.md` and draws its picture; the words around it stay. */
export function writeDocument(rows: readonly Row[], { scale, rounds, loads }: Conditions): void {
  const file = join(folder, "performance.md")
  const before = existsSync(file) ? readFileSync(file, "utf8") : `# Performance\n\n${begin}\n${end}\n`
  const [start, stop] = [before.indexOf(begin), before.indexOf(end)]
  if (start < 0 || stop < start) throw new Error(`${file} has no place for what was measured`)
  const [processor] = cpus()
  const text = [
    begin,
    "",
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${processor?.model ?? "an unknown processor"}; ` +
      `\`--scale ${scale} --rounds ${rounds}\`, 100 bytes of text, all over loopback, ` +
      `load generator and servers on the one machine, whose load was ${median(loads).toFixed(1)} meanwhile.`,
    "",
    "![Ratios of Throughline to its controls](performance.svg)",
    "",
    toTable(rows),
    "",
  ].join("\n")
  writeFileSync(file, `${before.slice(0, start)}${text}${before.slice(stop)}`)
  writeFileSync(join(folder, "performance.svg"), toChart(rows))
}
