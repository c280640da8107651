import { randomUUID } from "node:crypto"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { newerStore } from "./record.ts"

/**
 * Each entry takes the tables one version further. A released entry never changes; the next one is appended. The
 * tables carry `log_` because an application may keep its own in the same file.
 */
const migrations: readonly string[] = [
  // `first` and `first_at` are the oldest message kept: the head, and what is due for trimming, without a look at the
  // messages. The messages have a rowid: they are appended at the table's end, twice as fast as in a table clustered
  // by channel (measured: docs/decisions/2026-11-23-embedded-log-node-sqlite.md).
  `CREATE TABLE log_channels (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     seq INTEGER NOT NULL DEFAULT 0,
     at INTEGER NOT NULL DEFAULT 0,
     first INTEGER NOT NULL DEFAULT 1,
     first_at INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE log_messages (
     channel INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     id TEXT NOT NULL,
     event TEXT NOT NULL,
     payload TEXT NOT NULL,
     sender TEXT NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (channel, seq),
     UNIQUE (channel, id)
   ) STRICT`,
]

const queries = {
  epoch: "SELECT epoch FROM log_meta",
  channel: "SELECT id, seq, at, first, first_at FROM log_channels WHERE name = ?",
  channelById: "SELECT id, seq, at, first, first_at FROM log_channels WHERE id = ?",
  addChannel: "INSERT INTO log_channels (name) VALUES (?) RETURNING id, seq, at, first, first_at",
  insert: `INSERT INTO log_messages (channel, seq, id, event, payload, sender, at) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (channel, id) DO NOTHING`,
  byId: "SELECT id, seq, sender, at FROM log_messages WHERE channel = ? AND id = ?",
  grow: "UPDATE log_channels SET seq = ?, at = ?, first_at = ? WHERE id = ?",
  after: `SELECT m.id, m.seq, event, payload, sender, m.at FROM log_messages m
          WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND m.seq > ? ORDER BY m.seq LIMIT ?`,
  before: `SELECT m.id, m.seq, event, payload, sender, m.at FROM log_messages m
           WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`,
  lastChannel: "SELECT coalesce(max(id), 0) AS id FROM log_channels",
  dueChannels: `SELECT id FROM log_channels
                WHERE id > ? AND id <= ? AND first <= seq AND (first_at < ? OR seq - first >= ?)`,
  firstYoung: `SELECT seq FROM log_messages
               WHERE channel = ? AND seq >= ? AND seq < ? AND at >= ? ORDER BY seq LIMIT 1`,
  remove: "DELETE FROM log_messages WHERE channel = ? AND seq >= ? AND seq < ?",
  shrink: `UPDATE log_channels SET first = ?,
             first_at = coalesce((SELECT m.at FROM log_messages m WHERE m.channel = ? AND m.seq = ?), 0)
           WHERE id = ?`,
} as const

export interface ChannelRow {
  id: number
  seq: number
  at: number
  first: number
  first_at: number
}

/** The open file with its statements, at the version that this code knows. */
export interface SqliteStore {
  readonly database: DatabaseSync
  readonly statements: Readonly<Record<keyof typeof queries, StatementSync>>
  epoch(): string
  /** All that `work` does, or nothing of it. IMMEDIATE takes the write lock first, so that it cannot fail halfway. */
  transaction<T>(mode: "DEFERRED" | "IMMEDIATE", work: () => T): T
}

/** Opens the file, making it when it is missing, and migrates it. Throws what SQLite or the file system throws. */
export function openSqliteStore(path: string): SqliteStore {
  mkdirSync(dirname(path), { recursive: true })
  // SQLite waits for a lock by sleeping in this thread, so it waits briefly; the log tries again without blocking.
  const database = new DatabaseSync(path, { timeout: 20 })

  function transaction<T>(mode: "DEFERRED" | "IMMEDIATE", work: () => T): T {
    database.exec(`BEGIN ${mode}`)
    try {
      const result = work()
      database.exec("COMMIT")
      return result
    } catch (error) {
      // A full disk has already rolled it back.
      if (database.isTransaction) database.exec("ROLLBACK")
      throw error
    }
  }

  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    if (versionOf(database) !== migrations.length) transaction("IMMEDIATE", () => migrate(database))
    const statements = Object.fromEntries(
      Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Record<keyof typeof queries, StatementSync>
    return { database, statements, transaction, epoch: () => String(statements.epoch.get()?.epoch) }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Of tables that aren't there: 0. Throws `invalid-config` for those of a later release. */
function versionOf(database: DatabaseSync): number {
  const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_meta'").get()
  const version = exists ? Number(database.prepare("SELECT version FROM log_meta").get()?.version) : 0
  if (version > migrations.length) throw newerStore(version, migrations.length)
  return version
}

/** Runs holding the write lock: of several processes that start at once the first migrates, the others find it done. */
function migrate(database: DatabaseSync): void {
  const version = versionOf(database)
  if (version === 0) {
    database.exec("CREATE TABLE log_meta (version INTEGER NOT NULL, epoch TEXT NOT NULL) STRICT")
    database.prepare("INSERT INTO log_meta VALUES (0, ?)").run(randomUUID())
  }
  for (const migration of migrations.slice(version)) database.exec(migration)
  database.prepare("UPDATE log_meta SET version = ?").run(migrations.length)
}

/** SQLite's primary result codes that mean something to an operator; https://sqlite.org/rescode.html */
const reasons: Readonly<Record<number, string>> = {
  5: "another process holds the file's lock",
  6: "another process holds the file's lock",
  8: "the file is read-only",
  10: "the disk failed to read or write",
  11: "the file is damaged",
  13: "the disk is full",
  14: "the file cannot be opened for writing",
  26: "the file is not a database",
}

function resultCodeOf(error: unknown): number | undefined {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined
  return typeof code === "number" ? code & 0xff : undefined
}

export function isLocked(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === 5 || code === 6
}

/** Why it failed, in words for an operator; the file's path is left to the cause. */
export function reasonOf(error: unknown): string {
  const code = resultCodeOf(error)
  if (code !== undefined) return reasons[code] ?? `SQLite answered with its code ${code}`
  const isSystemError = error instanceof Error && "syscall" in error && "code" in error
  return isSystemError ? `the file's folder cannot be used (${error.code})` : "it failed unexpectedly"
}
