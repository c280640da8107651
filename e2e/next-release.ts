import { execFile } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { copySources, type ProjectCopy } from "../scripts/copy-project.ts"
import { projectDir } from "../scripts/run.ts"

const run = promisify(execFile)

/**
 * The production build of these sources, changed: in a folder that is its own root with packages of its own, as a
 * deployment makes it, since Next.js names server actions by the path of their file below the root. And by a key,
 * which both builds share.
 */
export async function buildNextRelease(edit: (project: ProjectCopy) => void): Promise<ProjectCopy> {
  using stack = new DisposableStack()
  const release = stack.use(copySources("release-"))
  const { folder } = release
  // Sixty thousand files, and the same: links.
  await run("cp", ["-RPl", join(projectDir, "node_modules"), folder])
  rmSync(join(folder, "node_modules/.cache"), { recursive: true, force: true })
  release.edit("next.config.ts", [
    "  reactStrictMode: true,",
    "  reactStrictMode: true, outputFileTracingRoot: import.meta.dirname, turbopack: { root: import.meta.dirname },",
  ])
  edit(release)
  const manifest = join(projectDir, ".next/server/server-reference-manifest.json")
  const { encryptionKey } = JSON.parse(readFileSync(manifest, "utf8"))
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
    NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: encryptionKey as string,
  }
  await run(process.execPath, ["node_modules/next/dist/bin/next", "build"], { cwd: folder, env })
  stack.move()
  return release
}
