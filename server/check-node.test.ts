import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { projectDir } from "./env.ts"

let parent: string
/** The project, in a folder that may have packages of its own, as in a workspace. */
let folder: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "throughline-check-node-"))
  folder = join(parent, "project")
  put("project/node_modules/next/index.js", "")
  put("node_modules/@scope/hoisted/index.js", "")
})
afterEach(() => rmSync(parent, { recursive: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(parent, path)), { recursive: true })
  writeFileSync(join(parent, path), text)
}

/** What a program says that wants this Node.js and begins so. */
function start(node: string, program: string) {
  const project = {
    type: "module",
    dependencies: { next: "1", node, react: "1", typescript: "1" },
    devDependencies: { "pino-pretty": "1" },
  }
  put("project/package.json", JSON.stringify(project))
  put("project/program.js", `${program}\nconsole.log("started")`)
  mkdirSync(join(folder, "server"), { recursive: true })
  copyFileSync(join(import.meta.dirname, "check-node.js"), join(folder, "server/check-node.js"))
  const parameters = ["--import", "./server/check-node.js", "program.js"]
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: folder,
    encoding: "utf8",
  })
  return [status, stdout, stderr]
}

it.each([
  ["what it needs is there, or above", 'import "next"\nimport "@scope/hoisted"', ""],
  [
    "a package isn't",
    'import "next"\nimport "react/jsx-runtime"',
    "Not installed: react. Run `npm ci` first.\n",
  ],
  [
    "a package that it loads later isn't",
    'await import("react")',
    "Not installed: react. Run `npm ci` first.\n",
  ],
  [
    "one of development's isn't",
    'await import("pino-pretty")',
    "Not installed: pino-pretty, which only development needs. Run `npm ci --include=dev` first.\n",
  ],
])("where %s, a program starts or says in one line why not", (_, program, said) => {
  expect(start("^20.0.0", program)).toEqual(said ? [1, "", said] : [0, "started\n", ""])
})

it("leaves every other failure as it is", () => {
  const [status, , said] = start("^20.0.0", 'import "./nowhere.js"')
  expect(status).toBe(1)
  expect(said).toMatch(/Cannot find module .*nowhere\.js/)
  expect(said).not.toContain("npm ci")
})

it("says in one line that this Node.js is too old, and where a newer one is", () => {
  const saying = (where: RegExp) => [
    ...[1, ""],
    expect.stringMatching(
      new RegExp(`^This is Node\\.js [\\d.]+, and the servers need 99: ${where.source}\\n$`),
    ),
  ]
  expect(start("^99.1.0", 'import "react"')).toEqual(saying(/`npm ci` puts .*/))
  put("node_modules/.bin/node", "")
  expect(start("^99.1.0", "")).toEqual(saying(/use npm start, or \/.*\/node_modules\/\.bin\/node\./))
})

it("is asked before each of the programs that people start", () => {
  const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8"))
  const programs = Object.values<string>(scripts).filter((line) => line.includes(" server/"))
  expect(programs.length).toBeGreaterThan(5)
  for (const file of ["deploy/systemd/throughline@.service", "Dockerfile"])
    programs.push(/^(?:ExecStart=|CMD ).*/m.exec(readFileSync(join(projectDir, file), "utf8"))?.[0] ?? file)
  for (const line of programs)
    expect(line.replaceAll(/[[\]",]/g, "")).toContain("node --import ./server/check-node.js server/")
})
