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
  /** `writing`: the process ended in the middle of the last run, which is taken back by the next one. */
  state: "writing" | "done"
  /** Oldest first. What was edited between two of them is in neither, and so stays. */
  runs: Run[]
}

interface Run {
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
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Journal
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Refusal(
      `${journalPath(folder)} can't be read as JSON`,
      "Remove it, and what init knows of this folder with it; git has the tree as it was.",
    )
  }
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
  const run: Run = { changes: [...changes], folders: missingFolders(folder, changes) }
  const runs = [...(readJournal(folder)?.runs ?? []), run]
  try {
    writeJournal(folder, { state: "writing", runs })
    for (const path of run.folders) mkdirSync(join(folder, path))
    for (const { path, before, after } of changes) {
      if ((textOf(join(folder, path)) ?? null) !== before)
        throw new Refusal(`${path} was changed meanwhile`, "Run init again.")
      replace(join(folder, path), after)
    }
    writeJournal(folder, { state: "done", runs })
  } catch (error) {
    restore(folder, run)
    forgetLast(folder, runs)
    throw error instanceof Refusal ? error : asRefusal(error)
  }
}

/** Takes back what a process did that was ended in the middle. True when there was one. */
export function recover(folder: string): boolean {
  const journal = readJournal(folder)
  const run = journal?.runs.at(-1)
  if (journal?.state !== "writing" || !run) return false
  restore(folder, run)
  forgetLast(folder, journal.runs)
  return true
}

/** The record of the runs before the last one stays. */
function forgetLast(folder: string, runs: readonly Run[]): void {
  if (runs.length > 1) writeJournal(folder, { state: "done", runs: runs.slice(0, -1) })
  else rmSync(journalPath(folder), { force: true })
}

/** What an installation made of the lock file, so that `undo` knows it. */
export function noteLock(folder: string, path: string, before: Buffer | null): void {
  const journal = readJournal(folder)
  const run = journal?.runs.at(-1)
  if (!journal || !run || !existsSync(path)) return
  const after = digestOf(path)
  if (before && after === createHash("sha256").update(before).digest("hex")) return
  run.lock = { path, before: before?.toString("base64") ?? null, after }
  writeJournal(folder, journal)
}

/** What `undo` changes: a path gets back what it held before or, where `after` is null, goes. */
interface Reversal {
  path: string
  before: string | null
  after: string | null
}

/** Throws a `Refusal` where something was changed since, or nothing is known. */
export function planUndo(folder: string): Reversal[] {
  const found = new Map<string, string | null>()
  const current = new Map<string, string | null>()
  const changed = new Set<string>()
  for (const { changes } of runsOf(folder).toReversed())
    for (const change of changes) {
      const { path } = change
      if (!found.has(path)) found.set(path, textOf(join(folder, path)) ?? null)
      const text = (current.has(path) ? current : found).get(path) ?? null
      const before = reversed(change, text)
      if (before === undefined) changed.add(path)
      else current.set(path, before)
    }
  if (changed.size > 0) throw changedSince(changed)
  return [...found]
    .map(([path, before]) => ({ path, before, after: current.get(path) ?? null }))
    .filter(({ before, after }) => before !== after)
}

/**
 * Makes the tree what it was before `init`, to the byte, and says what it couldn't. Where it is interrupted,
 * it is gone on with by running it again: the record of a run goes when the run is undone.
 */
export function undo(folder: string): string[] {
  planUndo(folder)
  const notes = new Set<string>()
  for (let runs = runsOf(folder), run = runs.at(-1); run; runs = runs.slice(0, -1), run = runs.at(-1)) {
    try {
      undoRun(folder, run, notes)
      forgetLast(folder, runs)
    } catch (error) {
      throw error instanceof Refusal
        ? error
        : asRefusal(error, "Run it again when that is mended: it goes on.")
    }
  }
  removeEmpty(folder, ["node_modules", "node_modules/.cache", "node_modules/.cache/throughline"])
  return [...notes]
}

function undoRun(folder: string, run: Run, notes: Set<string>): void {
  for (const change of run.changes) {
    const path = join(folder, change.path)
    const text = textOf(path) ?? null
    const before = reversed(change, text)
    if (before === undefined) throw changedSince([change.path])
    if (before !== change.before) notes.add(`${change.path} keeps what was changed in it since.`)
    if (before === null) rmSync(path, { force: true })
    else if (before !== text) replace(path, before)
  }
  for (const note of undoLock(run)) notes.add(note)
  removeEmpty(folder, run.folders)
}

function runsOf(folder: string): Run[] {
  const journal = readJournal(folder)
  if (journal) return journal.runs
  throw new Refusal(
    "nothing is known of an init in this folder",
    "Its record is in node_modules/.cache; without it, git has the tree as it was.",
  )
}

/**
 * What a file that holds `text` held but for this change. Undefined where somebody changed it since; only
 * what others do to a package.json is told from what was added to it.
 */
function reversed({ path, before, after }: Change, text: string | null): string | null | undefined {
  if (text === after || text === before) return before
  if (path !== "package.json" || before === null || text === null) return undefined
  return takeFromPackageJson(text, before, after)
}

const changedSince = (paths: Iterable<string>) =>
  new Refusal(
    `changed since init: ${[...paths].join(", ")}`,
    "Copy what you want to keep, bring these files back by git, or remove them, and run it again.",
  )

function undoLock({ lock }: Run): string[] {
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

function restore(folder: string, { changes, folders }: Run): void {
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

function asRefusal(error: unknown, advice = "Nothing was changed."): Refusal {
  const { code, path, message } = error as NodeJS.ErrnoException
  return code === "EACCES" || code === "EPERM" || code === "EROFS"
    ? new Refusal(`this user may not write ${path}`, advice)
    : new Refusal(`unable to write; ${message}`, advice)
}
