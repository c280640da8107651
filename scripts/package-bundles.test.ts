import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { type BuildOptions, build, type Metafile } from "esbuild"
import { beforeAll, describe, expect, it } from "vitest"
import { type PackedPackage, packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"
import { doorsOf, type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"

/** What may be downloaded, in bytes by gzip: the most that it may be today, and the most that it should become. */
const budgets = JSON.parse(readFileSync(join(projectDir, "scripts/package-budget.json"), "utf8")) as Record<
  string,
  { budget: number; aim: number }
>

/** The packages that carry a provider's bytes, none of which a page loads that doesn't use that provider. */
const sdks = { ably: ["ably"], pusher: ["pusher-js"], socketio: ["socket.io-client"] }

/** A page that uses each part that a page may use, with these providers at hand, of which the server names one. */
const pageWith = (...providers: string[]) => `
  import { defineChannel } from "throughline"
  import { createRealtimeClient } from "throughline/client"
  export { RealtimeProvider, useChannel, useConnection, useMessages, usePresence, useSignal } from "throughline/react"
  export { defineChannel }
  export const createClient = (options) => createRealtimeClient({ ...options, providers: {
    ${providers.map((name) => `${name}: () => import("throughline/${name}/client").then(Object.values),`).join("\n")}
  } })`
const page = pageWith(...Object.keys(sdks))

let app: ForeignApp
let throughline: PackedPackage
beforeAll(async () => {
  app = await makeForeignApp()
  throughline = (await packOnce()).throughline
  return () => app[Symbol.dispose]()
}, 600_000)

async function bundle(source: string, options: BuildOptions = {}) {
  const { metafile, outputFiles } = await build({
    ...{ stdin: { contents: source, resolveDir: app.folder }, outdir: join(app.folder, "out") },
    ...{ bundle: true, splitting: true, format: "esm", minify: true, platform: "browser" },
    ...{ absWorkingDir: app.folder, logLevel: "silent", target: "es2022" },
    ...{ define: { "process.env.NODE_ENV": '"production"' }, external: ["react"] },
    ...options,
    write: false,
    metafile: true,
  })
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]),
  )
  const sizeOf = (output: string) => sizes.get(join(app.folder, output)) ?? Number.NaN
  return { outputs: metafile.outputs, sizeOf }
}

type Outputs = Metafile["outputs"]

/** A file of the bundle, and all that it loads at once with it. */
function withImports(outputs: Outputs, path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const { path: imported, kind, external } of outputs[path]?.imports ?? [])
    if (kind === "import-statement" && !external) withImports(outputs, imported, found)
  return found
}

const inputsOf = (outputs: Outputs, paths: Iterable<string>): string[] =>
  [...paths].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}))

const packagesOf = (inputs: readonly string[]): Set<string> =>
  new Set(inputs.flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []))

/** What a page loads first, and what it loads besides for the provider that the server names. */
function partsOf(outputs: Outputs) {
  const first = withImports(outputs, Object.keys(outputs).find((path) => path.endsWith("stdin.js")) ?? "")
  const ofProvider = (name: string) => {
    const entry = `providers/${name}/client.js`
    const [path] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(entry)) ?? []
    return withImports(outputs, path ?? "").difference(first)
  }
  return { first, ofProvider }
}

describe("what a browser downloads", () => {
  it("is, without the SDKs and React, within its budget", async () => {
    const external = ["react", "yjs", "y-protocols", ...Object.values(sdks).flat()]
    const { outputs, sizeOf } = await bundle(page, { external })
    const { first: shared, ofProvider } = partsOf(outputs)
    const alone = await bundle(pageWith(), { external })
    const { first } = partsOf(alone.outputs)
    const later = new Set(Object.keys(alone.outputs)).difference(first)
    const sum = (paths: Set<string>, of = sizeOf) => [...paths].reduce((bytes, path) => bytes + of(path), 0)
    /** What a page downloads more that uses this as well. */
    async function costOf(exported: string): Promise<number> {
      const using = await bundle(`${pageWith()}\nexport ${exported}`, { external })
      return sum(partsOf(using.outputs).first, using.sizeOf) - sum(first, alone.sizeOf)
    }
    const sizes: Record<string, number> = {
      "client and React": sum(first, alone.sizeOf),
      "what the client needs later": sum(later, alone.sizeOf),
      "keyed state, where it is watched": await costOf('{ useChannelState } from "throughline/react"'),
      "a snapshot, where it is followed": await costOf('{ followSnapshot } from "throughline/client"'),
      "a document, where it is opened": await costOf('{ openDocument } from "throughline/yjs"'),
      "awareness, where it is shared": await costOf('{ shareAwareness } from "throughline/yjs"'),
    }
    // What a part of the bundle needs that others need too stands in none of the rows above: the whole does.
    for (const name of Object.keys(sdks)) {
      const own = sum(ofProvider(name))
      sizes[name] = own
      sizes[`a page with ${name}`] = sum(shared) + own
    }

    expect(Object.keys(sizes).toSorted()).toEqual(Object.keys(budgets).toSorted())
    const over = Object.entries(sizes).filter(([name, bytes]) => !(bytes <= (budgets[name]?.budget ?? 0)))
    expect(over, JSON.stringify(sizes)).toEqual([])
  })

  it("is one provider's SDK, no schema library, and no code of the server's", async () => {
    const { outputs } = await bundle(page)
    const { first, ofProvider } = partsOf(outputs)
    const inputs = inputsOf(outputs, first)
    expect([...packagesOf(inputs)].toSorted()).toEqual(["throughline"])
    for (const [name, own] of Object.entries(sdks)) {
      const packages = packagesOf(inputsOf(outputs, ofProvider(name)))
      const others = Object.values(sdks)
        .flat()
        .filter((sdk) => !own.includes(sdk))
      expect(
        own.every((sdk) => packages.has(sdk)),
        name,
      ).toBe(true)
      expect(
        others.filter((sdk) => packages.has(sdk)),
        name,
      ).toEqual([])
    }
    const all = inputsOf(outputs, Object.keys(outputs)).filter((input) => input.includes("/throughline/"))
    expect(
      all.filter((input) => /throughline\/(server|log|testing)\/|\/(server|gateway)\.js$/.test(input)),
    ).toEqual([])
  })

  it("is no Yjs where a page only knows what a document's channel carries", async () => {
    const definition = `import { defineChannel } from "throughline"
      import { yjsAwareness, yjsUpdate } from "throughline/yjs"
      export const documents = defineChannel("document:{document}", {
        messages: { update: yjsUpdate() }, signals: { awareness: yjsAwareness() }, latest: ["awareness"] })`
    const { outputs } = await bundle(definition)
    const { first } = partsOf(outputs)
    expect([...packagesOf(inputsOf(outputs, first))]).toEqual(["throughline"])
    // It comes where something is decoded: on a server.
    expect([...packagesOf(inputsOf(outputs, Object.keys(outputs)))]).toContain("yjs")
  })

  it("is no door that belongs on a server: none of those can be found there", async () => {
    for (const [door, conditions] of Object.entries(throughline.manifest.exports)) {
      const isBrowsers = typeof conditions === "object" && conditions.browser !== null
      const name = `throughline${door.slice(1)}`
      const bundling = bundle(`import * as door from "${name}"; console.log(door)`)
      if (isBrowsers) await bundling
      else await expect(bundling, name).rejects.toThrow(`Could not resolve "${name}"`)
    }
  })
})

describe("other bundles", () => {
  it("for an edge runtime hold the browser's doors without a module of Node.js", async () => {
    const { outputs } = await bundle(page, {
      platform: "neutral",
      conditions: ["edge-light", "worker"],
      mainFields: ["module", "main"],
      external: ["react", ...Object.values(sdks).flat()],
    })
    const outside = Object.values(outputs).flatMap(({ imports }) =>
      imports.flatMap(({ path, external }) => (external ? path : [])),
    )
    expect(new Set(outside.map((path) => path.split("/")[0]))).toEqual(
      new Set(["react", "ably", "pusher-js", "socket.io-client"]),
    )
  })

  it("for React's server components hold the server's doors without the browser's half", async () => {
    const server = doorsOf(throughline).filter((door) => /(server|next|log\/\w+|gateway)$/.test(door))
    const source = `${server.map((door, index) => `export * as door${index} from "${door}"`).join("\n")}
      export { defineChannel } from "throughline"`
    const { outputs } = await bundle(source, {
      platform: "node",
      conditions: ["react-server"],
      packages: "bundle",
      external: ["ably", "next", "pg", "pusher", "redis", "@socket.io/*", "socket.io"],
    })
    const inputs = inputsOf(outputs, Object.keys(outputs)).filter((input) => input.includes("/throughline/"))
    expect(inputs.filter((input) => /throughline\/(client|react)\/|\/client\.js$/.test(input))).toEqual([])
  })
})
