import { createHash, randomUUID } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { Refusal } from "../refusal.ts"
import { takeFromPackageJson } from "./package-json.ts"
import type { Change } from "./plan.ts"
import { textOf } from "./tree.ts"

/** Written before anything else is, and removed by `undo`: what a folder was before, byte by byte. */
interface Journal {
  /** `writing`: the process ended in the middle, and what it did is taken back by the next one. */
  state: "writing" | "done"
  changes: Change[]
  /** Folders that weren't there, outermost first. */
  folders: string[]
  /**
   * A package manager's lock file, in base64 as it was, or null for none; and the SHA-256 of
   * what the installation made of it.
   */
  lock?: { path: string; before: string | null; after: string }
}

const journalPath = (folder: string) => join(folder, "node_modules/.cache/throughline/init.json")

function readJournal(folder: string): Journal | undefined {
  const text = textOf(journalPath(folder))
  return text === undefined ? undefined : (JSON.parse(text) as Journal)
}

function writeJournal(folder: string, journal: Journal): void {
  mkdirSync(dirname(journalPath(folder)), { recursive: true })
  replace(journalPath(folder), JSON.stringify(journal))
}

/**
 * Makes all of the changes or, when one fails, none. What a process did that was
 * ended in between is for `recover`.
 */
export function applyChanges(folder: string, changes: readonly Change[]): void {
  const earlier = readJournal(folder)
  const folders = missingFolders(folder, changes)
  const journal: Journal = { state: "writing", changes: [...changes], folders }
  try {
    writeJournal(folder, journal)
    for (const path of folders) mkdirSync(join(folder, path))
    for (const { path, before, after } of changes) {
      if ((textOf(join(folder, path)) ?? null) !== before)
        throw new Refusal(`${path} was changed meanwhile`, "Run init again.")
      replace(join(folder, path), after)
    }
    writeJournal(folder, earlier ? joined(earlier, journal) : { ...journal, state: "done" })
  } catch (error) {
    restore(folder, journal)
    if (earlier) writeJournal(folder, earlier)
    else rmSync(journalPath(folder), { force: true })
    throw error instanceof Refusal ? error : asRefusal(error)
  }
}

/** Of two runs one after another: undone together. */
function joined(first: Journal, second: Journal): Journal {
  const changes = new Map(first.changes.map((change) => [change.path, change]))
  for (const change of second.changes)
    changes.set(change.path, { ...change, before: changes.get(change.path)?.before ?? change.before })
  return {
    ...first,
    state: "done",
    changes: [...changes.values()],
    folders: [...first.folders, ...second.folders],
  }
}

/** Takes back what a process did that was ended in the middle. True when there was one. */
export function recover(folder: string): boolean {
  const journal = readJournal(folder)
  if (journal?.state !== "writing") return false
  restore(folder, journal)
  rmSync(journalPath(folder))
  return true
}

/** What an installation made of the lock file, so that `undo` knows it. */
export function noteLock(folder: string, path: string, before: Buffer | null): void {
  const journal = readJournal(folder)
  if (!journal || !existsSync(path)) return
  const after = digestOf(path)
  if (before && after === createHash("sha256").update(before).digest("hex")) return
  writeJournal(folder, {
    ...journal,
    lock: journal.lock
      ? { ...journal.lock, after }
      : { path, before: before?.toString("base64") ?? null, after },
  })
}

/** What `undo` changes: a path gets back what it held before or, where `after` is null, goes. */
interface Reversal {
  path: string
  before: string | null
  after: string | null
}

/** Throws a `Refusal` where something was changed since, or nothing is known. */
export function planUndo(folder: string): Reversal[] {
  const journal = readJournal(folder)
  if (!journal)
    throw new Refusal(
      "nothing is known of an init in this folder",
      "Its record is in node_modules/.cache; without it, git has the tree as it was.",
    )
  const changed: string[] = []
  const reversals = journal.changes.map(({ path, before, after }): Reversal => {
    const current = textOf(join(folder, path)) ?? null
    if (path === "package.json" && before !== null && current !== null && current !== after)
      return { path, before: current, after: takeFromPackageJson(current, before, after) }
    if (current !== after && current !== before) changed.push(path)
    return { path, before: current, after: before }
  })
  if (changed.length > 0)
    throw new Refusal(
      `changed since init: ${changed.join(", ")}`,
      "Copy what you want to keep, bring these files back by git, or remove them, and run it again.",
    )
  return reversals.filter(({ before, after }) => before !== after)
}

/**
 * Makes the tree what it was before `init`, to the byte, and says what it couldn't. Where it is interrupted,
 * it is gone on with by running it again: the record goes last.
 */
export function undo(folder: string): string[] {
  const reversals = planUndo(folder)
  const journal = readJournal(folder) as Journal
  for (const { path, after } of reversals) {
    if (after === null) rmSync(join(folder, path))
    else replace(join(folder, path), after)
  }
  const notes = undoLock(journal)
  removeEmpty(folder, journal.folders)
  rmSync(journalPath(folder))
  removeEmpty(folder, ["node_modules", "node_modules/.cache", "node_modules/.cache/throughline"])
  return notes
}

function undoLock({ lock }: Journal): string[] {
  if (!lock) return []
  const note = "Run your package manager's install once more: node_modules still has what init had installed."
  if (!existsSync(lock.path)) return [note]
  if (digestOf(lock.path) !== lock.after)
    return [`${lock.path} was changed since and is left as it is.`, note]
  if (lock.before === null) rmSync(lock.path)
  else replace(lock.path, Buffer.from(lock.before, "base64"))
  return [note]
}

const digestOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex")

function restore(folder: string, { changes, folders }: Journal): void {
  for (const { path, before, after } of changes) {
    // Only what was written here: what somebody else wrote meanwhile is theirs.
    if (textOf(join(folder, path)) !== after) continue
    if (before === null) rmSync(join(folder, path), { force: true })
    else replace(join(folder, path), before)
  }
  removeEmpty(folder, folders)
}

function removeEmpty(folder: string, folders: readonly string[]): void {
  for (const path of folders.toReversed()) {
    try {
      rmdirSync(join(folder, path))
    } catch (error) {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? ""))
        throw error
    }
  }
}

function missingFolders(folder: string, changes: readonly Change[]): string[] {
  const found = new Set<string>()
  for (const { path } of changes)
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent))
      if (!existsSync(join(folder, parent))) found.add(parent)
  return [...found].sort()
}

/**
 * In one go: whoever reads it sees the old content or the new. A link stays one,
 * and a file keeps its permissions.
 */
function replace(path: string, content: string | Buffer): void {
  const target = existsSync(path) ? realpathSync(path) : path
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}`)
  try {
    writeFileSync(temporary, content)
    if (existsSync(target)) chmodSync(temporary, statSync(target).mode)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function asRefusal(error: unknown): Refusal {
  const { code, path, message } = error as NodeJS.ErrnoException
  return code === "EACCES" || code === "EPERM" || code === "EROFS"
    ? new Refusal(`this user may not write ${path}`, "Nothing was changed.")
    : new Refusal(`unable to write; ${message}`, "Nothing was changed.")
}
