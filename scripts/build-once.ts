import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import { variables } from "../lib/env/schema.ts"
import { isLocked } from "../realtime/log/sqlite-failure.ts"
import { projectDir, run } from "./run.ts"
import { findVercel } from "./tools.ts"

/** Everything that a build reads. Tests and what only they use don't count. */
const sources = [
  "{app,lib,public}/**/*",
  "realtime/*.{json,ts}",
  "realtime/{client,log,providers,react,server}/**/*",
  "*.{ts,mjs,json}",
]
const ignored = /\.(test|test-d|spec)\.|^(eslint|vitest|playwright)\.config|^(knip|biome)\.json$|^next-env/

/** Next.js empties this folder before each build, so the mark can't outlive what it describes. */
const markPath = join(projectDir, ".next", "built-from")

function hashSources(env: Record<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(env))
  const files = globSync(sources, { cwd: projectDir, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectDir.length + 1))
    .filter((path) => !ignored.test(path))
  for (const path of files.toSorted()) hash.update(`${path}\0`).update(readFileSync(join(projectDir, path)))
  return hash.digest("hex")
}

/** In every secret variable of the build's environment: what is read when the servers start must not be built in. */
export const buildCanaries: Record<string, string> = Object.fromEntries(
  Object.entries(variables).flatMap(([name, { isSecret }]) =>
    isSecret ? [[name, `canary-of-the-build-${name.toLowerCase()}`]] : [],
  ),
)

/** The production build of the sources as they are: made, unless the one that is there is of the same sources. */
export async function buildOnce(): Promise<void> {
  using _ = await lockBuild()
  const built = existsSync(markPath) ? readFileSync(markPath, "utf8") : null
  const vercel = findVercel()
  const env = {
    ...buildCanaries,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
  }
  const mark = `${hashSources(env)} ${vercel ? "with functions" : "alone"}`
  if (built === mark) return
  // One build serves both: Vercel's command line runs `next build`, and packs functions of what it left.
  const exitCode = vercel ? await buildForVercel(vercel, env) : await run("next", ["build"], env)
  if (exitCode !== 0) throw new Error("the production build failed; what it printed is above")
  writeFileSync(markPath, mark)
}

/** Several times what a build takes. */
const patienceMs = 15 * 60_000

/**
 * Of several processes that want the build at the same time one makes it, and the others find it. A lock of SQLite ends with its process,
 * and leaves its file behind.
 */
async function lockBuild(): Promise<Disposable> {
  const path = join(projectDir, "node_modules/.cache/throughline/build.lock")
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  for (const began = performance.now(); ; await delay(200)) {
    try {
      database.exec("BEGIN EXCLUSIVE")
      return { [Symbol.dispose]: () => database.close() }
    } catch (error) {
      if (!isLocked(error)) throw error
      if (performance.now() - began > patienceMs)
        throw new Error(`another process has been building for too long; it holds ${path}`, { cause: error })
    }
  }
}

/** `vercel build` without an account: a project's ids are only looked at when something is uploaded. */
async function buildForVercel(vercel: string, env: Record<string, string>): Promise<number> {
  const link = join(projectDir, ".vercel", "project.json")
  const isLinked = existsSync(link)
  if (!isLinked) {
    const settings = { framework: "nextjs", installCommand: "" }
    mkdirSync(dirname(link), { recursive: true })
    writeFileSync(link, JSON.stringify({ projectId: "prj_local", orgId: "team_local", settings }))
  }
  try {
    return await run("node", [vercel, "build", "--yes"], { ...env, VERCEL_TELEMETRY_DISABLED: "1" })
  } finally {
    if (!isLinked) rmSync(link)
  }
}

if (import.meta.main) await buildOnce()
