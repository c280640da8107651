import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { writeGuide } from "../realtime/testing/guide.ts"
import { projectDir } from "./run.ts"
import { type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"

const guideDir = join(projectDir, "docs/guides")
const guide = readFileSync(join(guideDir, "adopting.md"), "utf8")

/** As `create-next-app` makes it, and `next-env.d.ts` below. */
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

let app: ForeignApp
afterAll(() => app[Symbol.dispose]())

let files: string[]

/** An app after the guide's steps, with the packed package. */
beforeAll(async () => {
  app = await makeForeignApp()
  app.write("package.json", { name: "app", private: true })
  app.write("tsconfig.json", freshTsconfig)
  // By it the app has the types of Node.js, which the compiler no longer takes by itself.
  app.write(
    "next-env.d.ts",
    '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n',
  )
  files = writeGuide(app.folder)
}, 600_000)

/** The packages that these doors need as they are opened, and their types. */
function packagesOf(...doors: string[]): Set<string> {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    // Code needs code, and declarations need declarations.
    const extension = file.endsWith(".d.ts") ? ".d.ts" : ".js"
    for (const [, from = ""] of readFileSync(file, "utf8").matchAll(
      /^(?:import|export) [^;]*?from "([^"]+)"/gm,
    )) {
      if (from.startsWith(".")) visit(join(dirname(file), from.replace(/\.js$/, extension)))
      else if (!from.startsWith("node:")) packages.add(/^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from)
    }
  }
  for (const door of doors) {
    const file = join(app.folder, "node_modules/throughline", door)
    visit(file)
    visit(file.replace(/\.js$/, ".d.ts"))
  }
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
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", app.folder], { encoding: "utf8" })
    expect(stdout).toBe("")
    expect(status).toBe(0)
    expect(files).toContain("realtime/server.ts")
  })

  it.each([
    [
      "Socket.IO, the bundled gateway",
      ["providers/socketio/client.js", "providers/socketio/attach-gateway.js"],
    ],
    ["Pusher", ["providers/pusher/client.js", "providers/pusher/server.js"]],
    ["Ably", ["providers/ably/client.js", "providers/ably/server.js"]],
    ["messages in PostgreSQL", ["log/postgres.js"]],
  ])("names the packages that %s needs beside those that come along", (name, entries) => {
    const row = guide.split("\n").find((line) => line.startsWith(`| ${name} |`))
    const { dependencies } = JSON.parse(
      readFileSync(join(app.folder, "node_modules/throughline/package.json"), "utf8"),
    )
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
