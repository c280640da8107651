import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { transform } from "esbuild"
import { hashFiles } from "./hash-files.ts"
import { lock } from "./lock.ts"
import { projectDir, run } from "./run.ts"

/** The fields of a `package.json` that building a package looks at. */
export interface Manifest {
  name: string
  version: string
  exports: Record<string, Door>
  bin?: Record<string, string>
  files?: string[]
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  /** What the published manifest says instead of, or beside, what the workspace needs. */
  publishConfig?: object
  [field: string]: unknown
}

/** Where a door leads, or where it leads under which condition; null: nowhere. */
export type Door = string | { [condition: string]: string | null }

export interface PackedPackage {
  manifest: Manifest
  /** What is in the tarball, unpacked. */
  folder: string
  tarball: string
}

const folders = ["realtime", "emulators"] as const
const distDir = join(projectDir, "dist")
const markPath = join(distDir, "packed-from")

const readManifest = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest

/** `./client/index.ts` as it is called once it is built. */
const builtAs = (path: string, extension: string) => path.replace(/\.tsx?$/, extension)

function mapDoor(door: Door): Door {
  const conditions = typeof door === "string" ? { default: door } : door
  const source = conditions.default
  if (!source) throw new TypeError("unable to build a door; it has no default")
  const built = Object.entries(conditions).map(([condition, path]) => [
    condition,
    path && builtAs(path, ".js"),
  ])
  // TypeScript takes the first condition that it knows, so its own comes first.
  return { types: builtAs(source, ".d.ts"), ...Object.fromEntries(built) }
}

const mapValues = <From, To>(record: Record<string, From>, map: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))

/** The manifest that is published, of the one that the workspace uses. */
function publishedManifest(source: Manifest): Manifest {
  const { private: _, devDependencies: __, publishConfig, ...fields } = source
  const { bin, exports, files = [] } = fields
  return {
    ...fields,
    exports: mapValues(exports, mapDoor),
    ...(bin && { bin: mapValues(bin, (path) => builtAs(path, ".js")) }),
    files: ["**/*.js", "**/*.d.ts", ...files, "CHANGELOG.md"],
    ...publishConfig,
  }
}

/** What isn't published can't be reached from a tarball: of such a link its words are left. */
function leaveDeadLinks(file: string): void {
  const isThere = (target: string) => /^(\w+:|#)/.test(target) || existsSync(join(dirname(file), target))
  const linked = readFileSync(file, "utf8").replace(
    /\[([^\]]*)\]\(([^)#\s]*)[^)\s]*\)/g,
    (link: string, words: string, target: string) => (isThere(target) ? link : words),
  )
  writeFileSync(file, linked)
}

function doorPathsOf({ exports }: Manifest): string[] {
  const paths = Object.values(exports).map((door) => (typeof door === "string" ? door : door.default))
  return paths.filter((path) => path != null)
}

/** The TypeScript that a package consists of, as seen from outside: its doors, and its commands. */
const entriesOf = (manifest: Manifest): string[] => [
  ...doorPathsOf(manifest),
  ...Object.values(manifest.bin ?? {}),
]

/**
 * The compiler follows the doors, so what no door needs isn't built. File by file, so that `"use client"` stays where it stands and a stack
 * trace names a file that a reader finds. Types are checked by `npm run check`.
 */
async function compile(): Promise<void> {
  const files = folders.flatMap((folder) =>
    entriesOf(readManifest(join(projectDir, folder))).map((path) => join(projectDir, folder, path)),
  )
  const config = join(distDir, "tsconfig.json")
  const compilerOptions = {
    ...{ rootDir: projectDir, outDir: distDir, noEmit: false, noCheck: true, incremental: false },
    ...{ declaration: true, rewriteRelativeImportExtensions: true, plugins: [], tsBuildInfoFile: null },
    typeRoots: [join(projectDir, "node_modules/@types")],
  }
  writeFileSync(config, JSON.stringify({ extends: "../tsconfig.json", compilerOptions, include: [], files }))
  // Not by the compiler in Go: of ten builds one lacked a declaration.
  const exitCode = await run("node", ["node_modules/typescript/bin/tsc", "-p", config])
  rmSync(config)
  if (exitCode !== 0) throw new Error("unable to build the packages; what the compiler said is above")
  for (const path of globSync("**/*.d.ts", { cwd: distDir })) {
    const file = join(distDir, path)
    writeFileSync(file, withBuiltImports(readFileSync(file, "utf8")))
  }
  for (const folder of folders) removeUnreachedDeclarations(folder)
  for (const path of globSync("**/*.js", { cwd: distDir })) {
    const file = join(distDir, path)
    // What a caller has to know is in the declarations; the rest is the repository's, and would be a sixth of the tarball.
    const { code } = await transform(readFileSync(file, "utf8"), { target: "esnext", legalComments: "none" })
    writeFileSync(file, code)
  }
}

/** The compiler rewrites imports in code alone; declarations go on naming sources, which aren't there. */
const withBuiltImports = (declarations: string) =>
  declarations.replace(/((?:from |import\()"\.[^"]*)\.tsx?"/g, '$1.js"')

/** Of the declarations those stay that a door leads to: the compiler writes them for every file, and nobody can import the others. */
function removeUnreachedDeclarations(folder: string): void {
  const reached = new Set<string>()
  const visit = (file: string) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g))
      visit(join(dirname(file), `${path}.d.ts`))
  }
  const built = join(distDir, folder)
  for (const door of doorPathsOf(readManifest(join(projectDir, folder))))
    visit(join(built, builtAs(door, ".d.ts")))
  for (const path of globSync("**/*.d.ts", { cwd: built }))
    if (!reached.has(join(built, path))) rmSync(join(built, path))
}

function stage(folder: string): void {
  const [source, staged] = [join(projectDir, folder), join(distDir, folder)]
  const manifest = readManifest(source)
  const documents = globSync(["README.md", "CHANGELOG.md", ...(manifest.files ?? [])], { cwd: source })
  for (const path of documents) {
    mkdirSync(dirname(join(staged, path)), { recursive: true })
    copyFileSync(join(source, path), join(staged, path))
  }
  for (const path of documents.filter((name) => name.endsWith(".md"))) leaveDeadLinks(join(staged, path))
  copyFileSync(join(projectDir, "LICENSE"), join(staged, "LICENSE"))
  const published = publishedManifest(manifest)
  for (const path of Object.values(published.bin ?? {})) chmodSync(join(staged, path), 0o755)
  writeFileSync(join(staged, "package.json"), `${JSON.stringify(published, null, 2)}\n`)
}

const packed = (folder: string): PackedPackage => {
  const manifest = readManifest(join(distDir, folder))
  const tarball = join(distDir, `${manifest.name}-${manifest.version}.tgz`)
  return { manifest, folder: join(distDir, folder), tarball }
}

/**
 * `npm run pack`: both packages, built and packed in `dist/` as npm would publish them. Nothing is done when what is there is of the same
 * sources.
 */
export async function packOnce(): Promise<{ throughline: PackedPackage; emulators: PackedPackage }> {
  using _ = await lock("pack")
  const sources = folders.map((folder) => `${folder}/**/*`)
  const ignored = /\/node_modules\/|\.(test|test-d)\.|\/(bench|under-fire|simulation|fuzz)\//
  const mark = hashFiles([...sources, "tsconfig.json", "LICENSE", "scripts/pack.ts"], ignored)
  if (!existsSync(markPath) || readFileSync(markPath, "utf8") !== mark) {
    rmSync(distDir, { recursive: true, force: true })
    mkdirSync(distDir)
    await compile()
    for (const folder of folders) {
      stage(folder)
      const parameters = ["pack", join(distDir, folder), "--pack-destination", distDir, "--silent"]
      const exitCode = await run("npm", parameters)
      if (exitCode !== 0) throw new Error(`unable to pack ${folder}; what npm said is above`)
    }
    writeFileSync(markPath, mark)
  }
  return { throughline: packed("realtime"), emulators: packed("emulators") }
}

if (import.meta.main) {
  for (const { tarball } of Object.values(await packOnce())) console.log(tarball)
}
