import { randomUUID } from "node:crypto"
import { closeSync, fstatSync, mkdirSync, openSync, statfsSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { newerStore } from "./record.ts"
import { keptBehind } from "./snapshot-store.ts"

/**
 * Each entry takes the tables one version further. A released entry never changes; the next one is appended.
 * The tables carry `log_` because an application may keep its own in the same file.
 */
const migrations: readonly string[] = [
  // `first` and `first_at` are the oldest message kept: the head, and what is due for trimming, without a
  // look at the messages. The messages have a rowid: they are appended at the table's end, twice as fast as
  // in a table clustered by channel (measured: docs/decisions/2026-11-23-embedded-log-node-sqlite.md).
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
  // By id first: the ids of a moment are neighbours (UUIDv7), whatever their channels, so that a commit of
  // many channels writes one page of this index and not one for each channel.
  `CREATE TABLE log_messages_by_id (
     channel INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     id TEXT NOT NULL,
     event TEXT NOT NULL,
     payload TEXT NOT NULL,
     sender TEXT NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (channel, seq),
     UNIQUE (id, channel)
   ) STRICT;
   INSERT INTO log_messages_by_id (rowid, channel, seq, id, event, payload, sender, at)
     SELECT rowid, channel, seq, id, event, payload, sender, at FROM log_messages;
   DROP TABLE log_messages;
   ALTER TABLE log_messages_by_id RENAME TO log_messages`,
  // The state of channels: of each key the newest value. `keys` counts them, so that a limit costs no count.
  `CREATE TABLE log_states (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     version INTEGER NOT NULL DEFAULT 0,
     keys INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE log_values (
     channel INTEGER NOT NULL,
     key TEXT NOT NULL,
     version INTEGER NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (channel, key)
   ) STRICT`,
  // The snapshots of channels. `snapshot` is the newest one's `upTo`, and from `kept_from` on retention
  // removes nothing: what a snapshot holds up is known without a look at it.
  `ALTER TABLE log_channels ADD COLUMN snapshot INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE log_channels ADD COLUMN kept_from INTEGER;
   CREATE TABLE log_snapshots (
     channel INTEGER NOT NULL,
     up_to INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (channel, up_to)
   ) STRICT`,
]

/**
 * Which channels have something to be trimmed. Handed: the oldest time that may stay, how many messages may,
 * and whether what a snapshot covers goes.
 */
const isDue = `CASE WHEN :most = 0 THEN first <= seq OR snapshot > 0 ELSE
  first <= seq AND first < coalesce(kept_from, seq + 1) AND
    (first_at < :oldest OR seq - first >= :most OR (:covered AND kept_from IS NOT NULL)) END`

const queries = {
  epoch: "SELECT epoch FROM log_meta",
  channel: "SELECT id, seq, at, first, first_at FROM log_channels WHERE name = ?",
  head: `SELECT c.seq, c.first, m.id, m.at FROM log_channels c
         LEFT JOIN log_messages m ON m.channel = c.id AND m.seq = c.seq WHERE name = ?`,
  channelById: "SELECT id, seq, at, first, first_at, kept_from FROM log_channels WHERE id = ?",
  addChannel: "INSERT INTO log_channels (name) VALUES (?) RETURNING id, seq, at, first, first_at",
  insert: `INSERT INTO log_messages (channel, seq, id, event, payload, sender, at) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (channel, id) DO NOTHING`,
  byId: "SELECT id, seq, sender, at FROM log_messages WHERE channel = ? AND id = ?",
  grow: "UPDATE log_channels SET seq = ?, at = ?, first_at = ? WHERE id = ?",
  after: `SELECT m.id, m.seq, event, payload, sender, m.at FROM log_messages m
          WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND m.seq > ? ORDER BY m.seq LIMIT ?`,
  at: `SELECT id, at FROM log_messages
       WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND seq = ?`,
  before: `SELECT m.id, m.seq, event, payload, sender, m.at FROM log_messages m
           WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`,
  lastMessage: "SELECT coalesce(max(rowid), 0) AS id FROM log_messages",
  erase: `UPDATE log_messages SET event = ?, payload = ?, sender = ?
          WHERE rowid > ? AND rowid <= ? AND instr(sender, ?) > 0`,
  renew: "UPDATE log_meta SET epoch = ?",
  lastChannel: "SELECT coalesce(max(id), 0) AS id FROM log_channels",
  dueChannels: `SELECT id FROM log_channels WHERE id > :after AND id <= :last AND ${isDue}`,
  dueChannel: `SELECT id FROM log_channels WHERE name = :name AND ${isDue}`,
  firstYoung: `SELECT seq FROM log_messages
               WHERE channel = ? AND seq >= ? AND seq < ? AND at >= ? ORDER BY seq LIMIT 1`,
  remove: "DELETE FROM log_messages WHERE channel = ? AND seq >= ? AND seq < ?",
  shrink: `UPDATE log_channels SET first = ?,
             first_at = coalesce((SELECT m.at FROM log_messages m WHERE m.channel = ? AND m.seq = ?), 0)
           WHERE id = ?`,
  state: "SELECT id, version, keys FROM log_states WHERE name = ?",
  addState: "INSERT INTO log_states (name) VALUES (?) RETURNING id, version, keys",
  advance: "UPDATE log_states SET version = ?, keys = ? WHERE id = ?",
  value: "SELECT key, version, value FROM log_values WHERE channel = ? AND key = ?",
  values: "SELECT key, version, value FROM log_values WHERE channel = ? ORDER BY key",
  put: `INSERT INTO log_values (channel, key, version, value) VALUES (?, ?, ?, ?)
        ON CONFLICT (channel, key) DO UPDATE SET version = excluded.version, value = excluded.value`,
  removeValue: "DELETE FROM log_values WHERE channel = ? AND key = ?",
  snapshotted: "SELECT id, seq, snapshot FROM log_channels WHERE name = ?",
  snapshot: `SELECT up_to AS upTo, bytes FROM log_snapshots
             WHERE channel = (SELECT id FROM log_channels WHERE name = ?) AND up_to < ? ORDER BY up_to DESC LIMIT 1`,
  addSnapshot: "INSERT INTO log_snapshots (channel, up_to, bytes) VALUES (?, ?, ?)",
  keepSnapshots: "DELETE FROM log_snapshots WHERE channel = ? AND up_to < ?",
  keepFrom: "UPDATE log_channels SET snapshot = ?, kept_from = ? WHERE id = ?",
  behind: `SELECT seq FROM log_messages WHERE channel = :id AND seq > :upTo - ${keptBehind.messages} AND seq <= :upTo AND
             at >= (SELECT at FROM log_messages WHERE channel = :id AND seq = :upTo) - ${keptBehind.ms}
           ORDER BY seq LIMIT 1`,
} as const

export interface ChannelRow {
  id: number
  seq: number
  at: number
  first: number
  first_at: number
}

/** What a step of trimming looks at. */
export interface TrimmedRow extends ChannelRow {
  /** Null: there is no snapshot. */
  kept_from: number | null
}

/** What a snapshot is written onto. */
export interface SnapshottedRow extends Pick<ChannelRow, "id" | "seq"> {
  snapshot: number
}

export interface StateRow {
  id: number
  version: number
  keys: number
}

/** With the newest message, where it is kept. */
export type HeadRow = Pick<ChannelRow, "seq" | "first"> &
  ({ id: string; at: number } | { id: null; at: null })

/** The open file with its statements, at the version that this code knows. */
export interface SqliteStore {
  readonly database: DatabaseSync
  readonly statements: Readonly<Record<keyof typeof queries, StatementSync>>
  epoch(): string
  /**
   * All that `work` does, or nothing of it. IMMEDIATE takes the write lock
   * first, so that it cannot fail halfway.
   */
  transaction<T>(mode: "DEFERRED" | "IMMEDIATE", work: () => T): T
  close(): void
}

/**
 * Opens the file, making it when it is missing, and migrates it. Throws what
 * SQLite or the file system throws.
 */
export function openSqliteStore(path: string): SqliteStore {
  mkdirSync(dirname(path), { recursive: true })
  // SQLite waits for a lock by sleeping in this thread, so it waits briefly; the
  // log tries again without blocking.
  const database = new DatabaseSync(path, { timeout: 20 })
  const walRoom = createWalRoom(`${path}-wal`)

  function transaction<T>(mode: "DEFERRED" | "IMMEDIATE", work: () => T): T {
    database.exec(`BEGIN ${mode}`)
    try {
      if (mode === "IMMEDIATE") walRoom.keepAhead()
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
    // The pages at the ends of the tables change with each commit; a checkpoint seldom (32 MB)
    // writes them once, not each time.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000")
    // The file is read through a mapping, as much of it as SQLite maps (2 GB): a room's messages lie far
    // apart among those of others, and a system call for each page made a read in a log of a million 1.7
    // times that in one of ten thousand; now 1.2.
    database.exec("PRAGMA mmap_size = 2147418112")
    if (versionOf(database) !== migrations.length) transaction("IMMEDIATE", () => migrate(database))
    const statements = Object.fromEntries(
      Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Record<keyof typeof queries, StatementSync>
    return {
      statements,
      transaction,
      database,
      epoch: () => String(statements.epoch.get()?.epoch),
      close,
    }
  } catch (error) {
    close()
    throw error
  }

  function close(): void {
    walRoom.close()
    database.close()
  }
}

/** Room for some 250 pages, which takes less than a millisecond to write. */
const zeros = Buffer.alloc(1024 * 1024)
/** On a disk that is nearly full, what is left is for messages. */
const enoughSpace = 64 * zeros.length

/**
 * Keeps room in the write-ahead log ahead of the commits. To overwrite what is there costs the disk half of
 * what it costs to make a file longer, which needs its metadata written as well; SQLite itself has that room
 * only after the first checkpoint.
 *
 * Only who holds the write lock may call `keepAhead`: nobody else appends meanwhile, and what is written lies
 * past the end. SQLite doesn't mind: it tells its frames from what else is in the file by their salt and
 * checksum (https://sqlite.org/walformat.html).
 */
function createWalRoom(path: string) {
  let file: number | null = null
  /** As long as it was when it was looked at last. */
  let length = 0
  return {
    keepAhead(): void {
      try {
        file ??= openSync(path, "r+")
        const { size } = fstatSync(file)
        // It grew without us: the last commit found no room.
        const isShort = size > length
        length = size
        const { bavail, bsize } = isShort ? statfsSync(path) : { bavail: 0, bsize: 0 }
        if (bavail * bsize > enoughSpace) length += writeSync(file, zeros, 0, zeros.length, size)
      } catch {
        // A file that can't be written: the commit meets the same, and SQLite says so.
      }
    },
    close(): void {
      if (file !== null) closeSync(file)
      file = null
    },
  }
}

/** Of tables that aren't there: 0. Throws `invalid-config` for those of a later release. */
function versionOf(database: DatabaseSync): number {
  const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_meta'").get()
  const version = exists ? Number(database.prepare("SELECT version FROM log_meta").get()?.version) : 0
  if (version > migrations.length) throw newerStore(version, migrations.length)
  return version
}

/**
 * Runs holding the write lock: of several processes that start at once the first
 * migrates, the others find it done.
 */
function migrate(database: DatabaseSync): void {
  const version = versionOf(database)
  if (version === 0) {
    database.exec("CREATE TABLE log_meta (version INTEGER NOT NULL, epoch TEXT NOT NULL) STRICT")
    database.prepare("INSERT INTO log_meta VALUES (0, ?)").run(randomUUID())
  }
  for (const migration of migrations.slice(version)) database.exec(migration)
  database.prepare("UPDATE log_meta SET version = ?").run(migrations.length)
}
