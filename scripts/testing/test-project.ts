import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SuiteResult } from "../report.ts"
import { projectDir } from "../run.ts"

/** A project of its own with these files, whose tests are run as ours are; it goes with its test. */
export function makeTestProject(files: Record<string, string>): { cwd: string } & Disposable {
  const cwd = mkdtempSync(join(tmpdir(), "throughline-test-run-"))
  symlinkSync(join(projectDir, "node_modules"), join(cwd, "node_modules"))
  mkdirSync(join(cwd, "scripts"))
  const all = { "package.json": '{ "type": "module" }', ...files }
  for (const [name, body] of Object.entries(all)) writeFileSync(join(cwd, name), body)
  return { cwd, [Symbol.dispose]: () => rmSync(cwd, { recursive: true, force: true }) }
}

export const namesOf = (results: readonly SuiteResult[], kind: "failures" | "flaky"): string[] =>
  results.flatMap((result) => result[kind].map(({ test }) => test)).toSorted()
