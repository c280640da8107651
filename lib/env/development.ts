import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const names = ["SESSION_SECRET", "SOCKET_INTERNAL_SECRET"] as const
type Secrets = Record<(typeof names)[number], string>

/** Another process makes them in a moment; one that takes longer has been killed in the middle of it. */
const usualPatienceMs = 5_000
const pauseMs = 20

/**
 * What a newcomer shouldn't have to make up: secrets for development, made once and kept under the data directory, so
 * that sessions survive a restart and two processes agree. Returns what was missing, by variable.
 */
export function developmentSecrets(
  source: Readonly<Record<string, string | undefined>>,
  { patienceMs = usualPatienceMs }: { patienceMs?: number } = {},
): Record<string, string> {
  const directory = source.DATA_DIR || ".data"
  const path = join(directory, "secrets.json")
  mkdirSync(directory, { recursive: true })
  const kept = wholeOf(readSecrets(path)) ?? makeSecrets(path, patienceMs)
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !source[name]))
}

/**
 * Makes those that are missing, unless another process does. Whoever holds the lock alone writes, and only what wasn't whole then: nobody
 * ever replaces secrets that somebody has read. They are whole before they have their name. A lock that a killed process has left isn't
 * taken away, which two could do at once: the next one in the row is taken, and whoever is done removes those before it.
 */
function makeSecrets(path: string, patienceMs: number): Secrets {
  const lockOf = (turn: number) => `${path}.lock${turn > 0 ? `.${turn}` : ""}`
  let turn = 0
  for (let waitedMs = 0; !takeLock(lockOf(turn)); waitedMs += pauseMs) {
    const kept = wholeOf(readSecrets(path))
    if (kept) return kept
    const since = statSync(lockOf(turn), { throwIfNoEntry: false })?.mtimeMs
    // Of a clock that was set back nobody knows how old it is: then it is what was waited for.
    if (since !== undefined && (Date.now() - since > patienceMs || waitedMs > patienceMs)) {
      turn += 1
      waitedMs = 0
    } else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
  }
  try {
    const make = () => randomBytes(32).toString("hex")
    const made: Secrets = { SESSION_SECRET: make(), SOCKET_INTERNAL_SECRET: make(), ...readSecrets(path) }
    writeFileSync(lockOf(turn), JSON.stringify(made))
    const kept = wholeOf(readSecrets(path))
    if (kept) return kept
    // It takes its name in one go, and the lock is gone with that: by then another process may have one of its own.
    renameSync(lockOf(turn), path)
    turn -= 1
    return made
  } finally {
    for (; turn >= 0; turn -= 1) rmSync(lockOf(turn), { force: true })
  }
}

/** False where another process has it. No link is made: there are file systems without. */
function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, "", { flag: "wx", mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw error
  }
}

/** Those that are there: none, or not all, after a crash in the middle of writing, or where somebody has edited them. */
function readSecrets(path: string): Partial<Secrets> {
  try {
    const found = JSON.parse(readFileSync(path, "utf8")) ?? {}
    return Object.fromEntries(
      names.filter((name) => typeof found[name] === "string").map((name) => [name, found[name]]),
    )
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return {}
    throw error
  }
}

function wholeOf({ SESSION_SECRET, SOCKET_INTERNAL_SECRET }: Partial<Secrets>): Secrets | null {
  if (SESSION_SECRET === undefined || SOCKET_INTERNAL_SECRET === undefined) return null
  return { SESSION_SECRET, SOCKET_INTERNAL_SECRET }
}
