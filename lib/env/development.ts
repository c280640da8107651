import { randomBytes, randomUUID } from "node:crypto"
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Secrets {
  SESSION_SECRET: string
  SOCKET_INTERNAL_SECRET: string
}

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
  const kept = readSecrets(path) ?? makeSecrets(directory, path)
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !source[name]))
}

/** More than there are processes that start at once. */
const maxTries = 20

/** Makes them, unless another process is first, whose count. They are whole before they have their name. */
function makeSecrets(directory: string, path: string): Secrets {
  const own = join(directory, `secrets-${randomUUID()}.json`)
  const aside = `${own}.aside`
  const made: Secrets = {
    SESSION_SECRET: randomBytes(32).toString("hex"),
    SOCKET_INTERNAL_SECRET: randomBytes(32).toString("hex"),
  }
  writeFileSync(own, JSON.stringify(made), { flag: "wx", mode: 0o600 })
  try {
    for (let tries = 0; tries < maxTries; tries += 1) {
      unless("EEXIST", () => linkSync(own, path))
      const kept = readSecrets(path)
      if (kept) return kept
      unless("ENOENT", () => renameSync(path, aside))
      // Another process may have replaced what was broken meanwhile.
      if (readSecrets(aside)) unless("EEXIST", () => linkSync(aside, path))
      rmSync(aside, { force: true })
    }
  } finally {
    rmSync(own)
  }
  throw new Error(`unable to keep secrets for development in ${path}; other processes take them away`)
}

/** Null where there are none, or no whole ones, as after a crash in the middle of writing. */
function readSecrets(path: string): Secrets | null {
  try {
    const { SESSION_SECRET, SOCKET_INTERNAL_SECRET } = JSON.parse(readFileSync(path, "utf8"))
    const isWhole = typeof SESSION_SECRET === "string" && typeof SOCKET_INTERNAL_SECRET === "string"
    return isWhole ? { SESSION_SECRET, SOCKET_INTERNAL_SECRET } : null
  } catch (error) {
    // Not JSON, or JSON's `null`.
    if (error instanceof SyntaxError || error instanceof TypeError) return null
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null
    throw error
  }
}

/** Goes on where the task fails for this reason. */
function unless(code: string, task: () => void): void {
  try {
    task()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error
  }
}
