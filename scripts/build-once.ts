import { createHash } from "node:crypto"
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectDir, run } from "./run.ts"

/** Everything that a build reads. Tests and what only they use don't count. */
const sources = [
  "{app,lib,public}/**/*",
  "realtime/*.ts",
  "realtime/{client,log,providers,react,server}/**/*",
  "*.{ts,mjs,json}",
]
const ignored = /\.(test|test-d|spec)\.|^(vitest|playwright)\.config|^(knip|biome)\.json$|^next-env/

/** Next.js empties this folder before each build, so the mark can't outlive what it describes. */
const markPath = join(projectDir, ".next", "built-from")

function hashSources(): string {
  const hash = createHash("sha256")
  const files = globSync(sources, { cwd: projectDir, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectDir.length + 1))
    .filter((path) => !ignored.test(path))
  for (const path of files.toSorted()) hash.update(`${path}\0`).update(readFileSync(join(projectDir, path)))
  return hash.digest("hex")
}

/** The production build of the sources as they are: made, unless the one that is there is of the same sources. */
export async function buildOnce(): Promise<void> {
  const built = existsSync(markPath) ? readFileSync(markPath, "utf8") : null
  const hash = hashSources()
  if (built === hash) return
  const env = { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" }
  if ((await run("next", ["build"], env)) !== 0)
    throw new Error("next build failed; what it printed is above")
  writeFileSync(markPath, hash)
}

if (import.meta.main) await buildOnce()
