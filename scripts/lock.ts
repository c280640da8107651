import { mkdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import { isLocked } from "../realtime/log/sqlite-failure.ts"
import { projectDir } from "./run.ts"

/** Several times what the longest of these works takes. */
const patienceMs = 15 * 60_000

/**
 * Of several processes that want the same work done at the same time one does it, and the others wait and find it. A lock of SQLite ends
 * with its process, and leaves its file behind.
 */
export async function lock(name: string): Promise<Disposable> {
  const path = join(projectDir, "node_modules/.cache/throughline", `${name}.lock`)
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  for (const began = performance.now(); ; await delay(200)) {
    try {
      database.exec("BEGIN EXCLUSIVE")
      return { [Symbol.dispose]: () => database.close() }
    } catch (error) {
      if (!isLocked(error)) throw error
      if (performance.now() - began > patienceMs)
        throw new Error(`another process has been at it for too long; it holds ${path}`, { cause: error })
    }
  }
}
