import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { projectDir } from "./run.ts"

const guideDir = join(projectDir, "docs/guides")
const guide = readFileSync(join(guideDir, "adopting.md"), "utf8")

const blocks = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = "", body = ""]) => ({
  language,
  body,
}))
const files = blocks.flatMap(({ body }) => {
  const path = /^\/\/ (\S+)\n/.exec(body)?.[1]
  return path ? [{ path, body }] : []
})
const settings = blocks.filter(({ language }) => language === "json").map(({ body }) => JSON.parse(body))
const copyCommand = blocks.find(({ body }) => body.startsWith("tar "))?.body ?? ""

/** As `create-next-app` makes it. */
const freshTsconfig = {
  compilerOptions: {
    target: "ES2017",
    lib: ["dom", "dom.iterable", "esnext"],
    allowJs: true,
    skipLibCheck: true,
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    module: "esnext",
    moduleResolution: "bundler",
    resolveJsonModule: true,
    isolatedModules: true,
    jsx: "react-jsx",
  },
  include: ["**/*.ts", "**/*.tsx"],
}

const root = mkdtempSync(join(tmpdir(), "throughline-adopting-"))
const app = join(root, "app")
afterAll(() => rmSync(root, { recursive: true }))

/** An app beside a checkout, after the guide's steps. */
beforeAll(() => {
  const [{ compilerOptions, exclude }, scripts] = settings
  mkdirSync(join(app, "node_modules"), { recursive: true })
  symlinkSync(projectDir, join(root, "throughline"))
  execFileSync("sh", ["-ec", copyCommand], { cwd: app })
  const { devDependencies, exports } = JSON.parse(readFileSync(join(app, "realtime/package.json"), "utf8"))
  expect([devDependencies, exports["./testing"]]).toEqual([undefined, undefined])
  // As `npm install` of a folder leaves it; what it and the app need besides is found above them.
  symlinkSync("../realtime", join(app, "node_modules/throughline"))
  symlinkSync(join(projectDir, "node_modules"), join(root, "node_modules"))
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", ...scripts }))
  const tsconfig = {
    ...freshTsconfig,
    compilerOptions: { ...freshTsconfig.compilerOptions, ...compilerOptions },
    exclude,
  }
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const { path, body } of files) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), body)
  }
})

/** The packages that are imported from these files of the copy and from all that they import of it. */
function packagesOf(...entries: string[]): Set<string> {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, from, lazy] of readFileSync(file, "utf8").matchAll(/from "([^"]+)"|import\("([^"]+)"\)/g)) {
      const name = from ?? lazy ?? ""
      if (name.startsWith(".")) visit(join(dirname(file), name))
      // Doors are named in comments alone.
      else if (!/^(node:|throughline)/.test(name)) packages.add(/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
    }
  }
  for (const entry of entries) visit(join(app, "realtime", entry))
  return packages
}

/** What a line of the guide installs, without what is for development only. */
const installedBy = (line: string | undefined) =>
  new Set(/npm install ((?!--)[^`\n]+)/.exec(line ?? "")?.[1]?.split(" "))

describe("the guide to adopting", () => {
  it("has snippets that pass the compiler in an app as create-next-app makes it", {
    timeout: 180_000,
  }, () => {
    const tsc = join(projectDir, "node_modules/typescript/bin/tsc")
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" })
    expect(stdout).toBe("")
    expect(status).toBe(0)
    expect(files.map(({ path }) => path)).toContain("lib/realtime.ts")
  })

  it.each([
    ["Ably", ["providers/ably/client.ts", "providers/ably/server.ts"]],
    ["Pusher", ["providers/pusher/client.ts", "providers/pusher/server.ts"]],
    [
      "Socket.IO",
      ["providers/socketio/client.ts", "providers/socketio/server.ts", "providers/socketio/gateway.ts"],
    ],
    ["messages in PostgreSQL", ["log/postgres.ts"]],
  ])("names the packages that %s needs beside those that come along", (name, entries) => {
    const row = guide.split("\n").find((line) => line.startsWith(`| ${name} |`))
    const { dependencies } = JSON.parse(readFileSync(join(app, "realtime/package.json"), "utf8"))
    const brought = new Set(Object.keys(dependencies))
    expect(installedBy(row)).toEqual(packagesOf(...entries).difference(brought))
  })

  it("leads to files that are there", () => {
    const targets = [...guide.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = ""]) => target)
    const missing = targets.filter(
      (target) => !/^https?:/.test(target) && !existsSync(join(guideDir, target)),
    )
    expect(missing).toEqual([])
  })
})
