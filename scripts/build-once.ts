import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { variables } from "../lib/env/schema.ts"
import { hashFiles } from "./hash-files.ts"
import { lock } from "./lock.ts"
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

/** In every secret variable of the build's environment: what is read when the servers start must not be built in. */
export const buildCanaries: Record<string, string> = Object.fromEntries(
  Object.entries(variables).flatMap(([name, { isSecret }]) =>
    isSecret ? [[name, `canary-of-the-build-${name.toLowerCase()}`]] : [],
  ),
)

/** The production build of the sources as they are: made, unless the one that is there is of the same sources. */
export async function buildOnce(): Promise<void> {
  using _ = await lock("build")
  const built = existsSync(markPath) ? readFileSync(markPath, "utf8") : null
  const vercel = findVercel()
  const env = {
    ...buildCanaries,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
  }
  const mark = `${hashFiles(sources, ignored, JSON.stringify(env))} ${vercel ? "with functions" : "alone"}`
  if (built === mark) return
  // One build serves both: Vercel's command line runs `next build`, and packs functions of what it left.
  const exitCode = vercel ? await buildForVercel(vercel, env) : await run("next", ["build"], env)
  if (exitCode !== 0) throw new Error("the production build failed; what it printed is above")
  writeFileSync(markPath, mark)
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
