import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { projectDir } from "./env.ts"

/** What is said before a program starts in a folder with these packages, which wants this Node.js. */
function check(node: string, installed: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "throughline-check-node-"))
  mkdirSync(join(folder, "server"))
  copyFileSync(join(import.meta.dirname, "check-node.js"), join(folder, "server/check-node.js"))
  const dependencies = { next: "1", node, react: "1" }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }))
  writeFileSync(join(folder, "program.js"), 'console.log("started")')
  for (const name of installed) mkdirSync(join(folder, "node_modules", name), { recursive: true })
  const parameters = ["--import", "./server/check-node.js", "program.js"]
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: folder,
    encoding: "utf8",
  })
  rmSync(folder, { recursive: true })
  return [status, stdout, stderr]
}

const all = ["next", "node", "react"]

it("says in one line what keeps a program from starting", () => {
  expect(check("^20.0.0", all)).toEqual([0, "started\n", ""])
  expect(check("^20.0.0", ["node", "react"])).toEqual([1, "", "Not installed: next. Run `npm ci` first.\n"])
  expect(check("^99.1.0", all)).toEqual([
    ...[1, ""],
    expect.stringMatching(/^This is Node\.js [\d.]+, and the servers need 99\..*npm start.*\n$/),
  ])
})

it("is asked before each of the programs that people start", () => {
  const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8"))
  const programs = Object.values<string>(scripts).filter((line) => line.includes(" server/"))
  expect(programs.length).toBeGreaterThan(5)
  for (const line of programs) expect(line).toContain("node --import ./server/check-node.js server/")
})
