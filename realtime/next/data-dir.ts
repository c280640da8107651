import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * Makes the folder that `DATA_DIR` names where there is none. One that is made here stays out of the app's
 * repository by a `.gitignore` of its own: a secret and everybody's messages lie in it.
 */
export function makeDataDir(dataDir: string): void {
  const made = mkdirSync(dataDir, { recursive: true })
  if (made !== undefined) writeFileSync(join(dataDir, ".gitignore"), "*\n")
}
