import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * What a newcomer shouldn't have to make up: secrets for development, made once and kept under the data directory, so
 * that sessions survive a restart and two processes agree. Returns what was missing, by variable.
 */
export function developmentSecrets(
  source: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const directory = source.DATA_DIR || ".data"
  const path = join(directory, "secrets.json")
  mkdirSync(directory, { recursive: true })
  const made = {
    SESSION_SECRET: randomBytes(32).toString("hex"),
    SOCKET_INTERNAL_SECRET: randomBytes(32).toString("hex"),
  }
  try {
    writeFileSync(path, JSON.stringify(made), { flag: "wx", mode: 0o600 })
  } catch (error) {
    // Another start made them; theirs count.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const kept = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !source[name]))
}
