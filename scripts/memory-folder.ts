import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs"
import { freemem } from "node:os"
import { join } from "node:path"

/** Where Linux has files that are in memory only. */
const place = "/dev/shm"
/** Several times what a run leaves there until its end. */
const neededBytes = 4 * 2 ** 30
const prefix = "throughline-tests-"

/** What decides; a test hands in a machine of its own. */
export interface MemoryMachine {
  /** `/proc/mounts`; empty where there is none. */
  mounts: string
  /** What the place takes, and what the machine has left. */
  freeBytes: { place: number; memory: number }
}

function thisMachine(): MemoryMachine | null {
  try {
    accessSync(place, constants.W_OK)
    const { bavail, bsize } = statfsSync(place)
    const freeBytes = { place: bavail * bsize, memory: freemem() }
    return { mounts: readFileSync("/proc/mounts", "utf8"), freeBytes }
  } catch {
    // Not every system has one, nor has to.
    return null
  }
}

/** Whether tests can have their files there: in memory, from where programs may be started, and with room. */
export function isRoomy({ mounts, freeBytes }: MemoryMachine): boolean {
  const fields = mounts.split("\n").map((line) => line.split(" "))
  const [, , type, options = ""] = fields.findLast(([, folder]) => folder === place) ?? []
  const mayRun = type === "tmpfs" && !options.split(",").some((option) => ["noexec", "ro"].includes(option))
  return mayRun && Object.values(freeBytes).every((bytes) => bytes >= neededBytes)
}

/**
 * A folder in memory for whatever is temporary, removed when it is disposed of; null where the machine has none that is roomy.
 * Tests make hundreds of databases and never read one again: on a disk half of their processor time is the disk's.
 */
export function makeMemoryFolder(): (Disposable & { readonly folder: string }) | null {
  const machine = thisMachine()
  if (!machine || !isRoomy(machine)) return null
  removeAbandoned()
  const folder = join(place, `${prefix}${process.pid}`)
  // Others may look into it: PostgreSQL runs as another user.
  mkdirSync(folder, { mode: 0o755 })
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Those of runs that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(place)) {
    const pid = name.startsWith(prefix) && Number(name.slice(prefix.length))
    // What bears this one's number is of an earlier one.
    if (pid && (pid === process.pid || !isRunning(pid)))
      rmSync(join(place, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's runs, too.
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
