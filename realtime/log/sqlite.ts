import { randomUUID } from "node:crypto"
import { resolve } from "node:path"
import type { StatementSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import { isRealtimeError } from "../errors.ts"
import type { LogHead, LogPage } from "../message.ts"
import type { Snapshot } from "../snapshot.ts"
import { createLifetime } from "./lifetime.ts"
import type { MessageLog, Retention } from "./message-log.ts"
import {
  byCode,
  emptyHead,
  erased,
  fromLogRow,
  fromStateRow,
  keyOf,
  type LogRow,
  logUnavailable,
  markOfRow,
  requireKeepable,
  senderMark,
  toAppendResult,
  toLogRecord,
  withinPage,
} from "./record.ts"
import type { SnapshotStore } from "./snapshot-store.ts"
import { isLocked, reasonOf } from "./sqlite-failure.ts"
import {
  type ChannelRow,
  type HeadRow,
  openSqliteStore,
  type SnapshottedRow,
  type SqliteStore,
  type StateRow,
  type TrimmedRow,
} from "./sqlite-store.ts"
import type { StateStore, StateWritten } from "./state-store.ts"

export { isLocked, unavailability } from "./sqlite-failure.ts"

/** What `createSqliteLog` takes. */
export interface SqliteLogOptions {
  /**
   * The database file; it and its folder are made when they are missing. Not on a
   * network share: WAL needs one machine.
   */
  path: string
  /** The log's clock, in milliseconds since 1970. Default: the machine's. */
  now?: () => number
  /** How long to wait while another process holds the file's lock. Default 5 s. */
  lockTimeoutMs?: number
}

interface ValueRow {
  key: string
  version: number
  value: string
}

/** What one step of `trim` may remove and look at, so that it never holds up an append for long. */
const messagesPerStep = 1_000
const channelsPerLook = 10_000
/** What one step of `erase` looks at. */
const messagesPerLook = 10_000

/**
 * Server: the embedded log, one file of SQLite, safe for several processes of one machine. What `append`
 * resolved with is on the disk (WAL, synchronous=FULL).
 *
 * The file is opened at the first call, and again at the next one after a failure: a disk that was full, a
 * folder that wasn't mounted or a lock held for too long cost the calls that met them and nothing else.
 */
export function createSqliteLog({
  path,
  now = Date.now,
  lockTimeoutMs = 5_000,
}: SqliteLogOptions): MessageLog {
  let opened: SqliteStore | null = null
  const lifetime = createLifetime(release)

  function release(): void {
    opened?.close()
    opened = null
  }

  /**
   * Runs one transaction's worth of work. While another process holds the lock,
   * this one goes on with other things.
   */
  async function attempt<T>(operation: string, work: (store: SqliteStore) => T): Promise<T> {
    const deadline = performance.now() + lockTimeoutMs
    for (;;) {
      try {
        opened ??= openSqliteStore(path)
        return work(opened)
      } catch (error) {
        if (!isLocked(error) || performance.now() > deadline) {
          release()
          throw isRealtimeError(error) ? error : logUnavailable(operation, reasonOf(error), error)
        }
      }
      await delay(5 + Math.random() * 20)
    }
  }

  const headOf = ({ statements }: SqliteStore, channel: string, epoch: string): LogHead => {
    const row = statements.head.get(keyOf(channel)) as HeadRow | undefined
    if (!row) return emptyHead(epoch)
    const { seq, first, id, at } = row
    return { epoch, seq, first, ...(id !== null && markOfRow({ id, at })) }
  }

  function readPage(channel: string, readRows: (store: SqliteStore) => { rows: LogRow[]; mark?: string }) {
    return attempt("read", (store) =>
      store.transaction("DEFERRED", (): LogPage => {
        const epoch = store.epoch()
        const { rows, ...mark } = readRows(store)
        return {
          head: headOf(store, channel, epoch),
          messages: rows.map((row) => fromLogRow(row, channel, epoch)),
          ...mark,
        }
      }),
    )
  }

  async function trim({ maxAgeMs, maxMessagesPerChannel, channels, covered }: Retention): Promise<number> {
    const kept = {
      oldest: maxAgeMs === undefined ? 0 : now() - maxAgeMs,
      most: maxMessagesPerChannel ?? Number.MAX_SAFE_INTEGER,
      covered: Number(covered === true),
    }
    let removed = 0
    async function trimAll(due: number[]): Promise<void> {
      while (due.length > 0) {
        await new Promise((resolve) => setImmediate(resolve))
        removed += await attempt("trim", (store) =>
          store.transaction("IMMEDIATE", () => trimStep(store, due, kept)),
        )
      }
    }
    if (channels) {
      for (const name of channels) {
        const due = await attempt("trim", ({ statements }) =>
          statements.dueChannel.all({ ...kept, name: keyOf(name) }).map(({ id }) => Number(id)),
        )
        await trimAll(due)
      }
      return removed
    }
    const last = await attempt("trim", ({ statements }) => Number(statements.lastChannel.get()?.id))
    for (let after = 0; after < last; after += channelsPerLook) {
      const due = await attempt("trim", ({ statements }) =>
        statements.dueChannels
          .all({ ...kept, after, last: after + channelsPerLook })
          .map(({ id }) => Number(id)),
      )
      await trimAll(due)
    }
    return removed
  }

  async function erase(userId: string): Promise<number> {
    const { event, payload, sender } = erased
    const last = await attempt("erase", ({ statements }) => Number(statements.lastMessage.get()?.id))
    let changed = 0
    for (let after = 0; after < last; after += messagesPerLook) {
      await new Promise((resolve) => setImmediate(resolve))
      changed += await attempt("erase", ({ statements }) => {
        const range = [after, after + messagesPerLook] as const
        return Number(statements.erase.run(event, payload, sender, ...range, senderMark(userId)).changes)
      })
    }
    return changed
  }

  const state: StateStore = {
    write: (entries, { maxKeys }) =>
      lifetime.run("write", () => {
        requireKeepable(entries)
        return attempt("write", (store) =>
          store.transaction("IMMEDIATE", () => {
            const { statements } = store
            const epoch = store.epoch()
            const rows = new Map<string, StateRow>()
            const results = entries.map(({ channel, key, value, ifVersion }): StateWritten => {
              const row =
                rows.get(channel) ??
                ((statements.state.get(channel) ?? statements.addState.get(channel)) as unknown as StateRow)
              rows.set(channel, row)
              const known = statements.value.get(row.id, key) as unknown as ValueRow | undefined
              if (ifVersion !== undefined && ifVersion !== (known?.version ?? 0))
                return { refused: "changed" }
              if (value !== null && !known && row.keys >= maxKeys) return { refused: "full" }
              row.version += 1
              row.keys += Number(value !== null) - Number(known !== undefined)
              if (value === null) statements.removeValue.run(row.id, key)
              else statements.put.run(row.id, key, row.version, value)
              return { epoch, version: row.version }
            })
            for (const { id, version, keys } of rows.values()) statements.advance.run(version, keys, id)
            return results
          }),
        )
      }),
    read: (channel, keys) =>
      lifetime.run("read", () =>
        attempt("read", (store) =>
          store.transaction("DEFERRED", () => {
            const { statements } = store
            const row = statements.state.get(keyOf(channel)) as unknown as StateRow | undefined
            const asked = keys && [...new Set(keys)].sort(byCode)
            const values = !row
              ? []
              : asked
                ? asked
                    .map((key) => statements.value.get(row.id, keyOf(key)))
                    .filter((found) => found !== undefined)
                : statements.values.all(row.id)
            const entries = (values as unknown as ValueRow[]).map(fromStateRow)
            return { epoch: store.epoch(), version: row?.version ?? 0, entries }
          }),
        ),
      ),
  }

  const snapshots: SnapshotStore = {
    write: (channel, { epoch, upTo, bytes, ifUpTo }) =>
      lifetime.run("write", () =>
        attempt("write", (store) =>
          store.transaction("IMMEDIATE", () => {
            const { statements } = store
            const row = statements.snapshotted.get(keyOf(channel)) as unknown as SnapshottedRow | undefined
            const { id = 0, seq = 0, snapshot = 0 } = row ?? {}
            const there = { epoch: store.epoch(), upTo: snapshot, seq }
            if (there.epoch !== epoch || snapshot !== ifUpTo || upTo <= ifUpTo || upTo > seq)
              return { isWritten: false, ...there }
            const behind = statements.behind.get({ id, upTo }) as { seq: number } | undefined
            statements.keepSnapshots.run(id, snapshot)
            statements.addSnapshot.run(id, upTo, bytes)
            statements.keepFrom.run(upTo, behind?.seq ?? upTo, id)
            return { isWritten: true, ...there, upTo }
          }),
        ),
      ),
    read: (channel, before = Number.MAX_SAFE_INTEGER) =>
      lifetime.run("read", () =>
        attempt("read", (store) =>
          store.transaction("DEFERRED", () => {
            const found = store.statements.snapshot.get(keyOf(channel), before) as Snapshot | undefined
            return { epoch: store.epoch(), snapshot: found ? { upTo: found.upTo, bytes: found.bytes } : null }
          }),
        ),
      ),
  }

  return {
    location: resolve(path),
    state,
    snapshots,

    append: (entries) =>
      lifetime.run("append", () => {
        const records = entries.map(toLogRecord)
        return attempt("append", (store) =>
          store.transaction("IMMEDIATE", () => {
            const { statements } = store
            const epoch = store.epoch()
            const time = Math.floor(now())
            const channels = new Map<string, ChannelRow>()
            const results = records.map(({ channel: name, id, event, payload, sender }) => {
              const channel =
                channels.get(name) ??
                ((statements.channel.get(name) ?? statements.addChannel.get(name)) as unknown as ChannelRow)
              channels.set(name, channel)
              const seq = channel.seq + 1
              const at = Math.max(time, channel.at)
              const { changes } = statements.insert.run(channel.id, seq, id, event, payload, sender, at)
              if (changes === 0) {
                return toAppendResult(statements.byId.get(channel.id, id) as unknown as LogRow, epoch, true)
              }
              if (channel.first > channel.seq) channel.first_at = at
              Object.assign(channel, { seq, at })
              return toAppendResult({ id, seq, at, sender }, epoch, false)
            })
            for (const { id, seq, at, first_at } of channels.values())
              statements.grow.run(seq, at, first_at, id)
            return results
          }),
        )
      }),

    readAfter: (channel, seq, limit) =>
      lifetime.run("read", () =>
        readPage(channel, ({ statements }) => ({
          rows: withinPage(rowsOf(statements.after, channel, seq, limit)),
          ...markOfRow(statements.at.get(keyOf(channel), seq) as LogRow | undefined),
        })),
      ),

    readBefore: (channel, seq, limit) =>
      lifetime.run("read", () =>
        readPage(channel, ({ statements }) => {
          const before = seq ?? Number.MAX_SAFE_INTEGER
          return { rows: withinPage(rowsOf(statements.before, channel, before, limit)).reverse() }
        }),
      ),

    heads: (channels) =>
      lifetime.run("read", () =>
        attempt("read", (store) =>
          store.transaction("DEFERRED", () => {
            const epoch = store.epoch()
            return channels.map((channel) => headOf(store, channel, epoch))
          }),
        ),
      ),

    trim: (retention) => lifetime.run("trim", () => trim(retention)),

    erase: (userId) => lifetime.run("erase", () => erase(userId)),

    renew: () =>
      lifetime.run("renew", () => {
        const epoch = randomUUID()
        return attempt("renew", ({ statements }) => {
          statements.renew.run(epoch)
          return epoch
        })
      }),

    close: () => lifetime.close(),
  }
}

/** One at a time, as they are wanted: nobody holds what doesn't fit into the page. */
function rowsOf(statement: StatementSync, channel: string, seq: number, limit: number) {
  return statement.iterate(keyOf(channel), seq, Math.max(0, limit)) as Iterable<unknown> as Iterable<LogRow>
}

/**
 * Removes at most `messagesPerStep`, from the last of the channels on; takes
 * those off the list that are done.
 */
function trimStep(
  { statements }: SqliteStore,
  due: number[],
  { oldest, most, covered }: { oldest: number; most: number; covered: number },
): number {
  let budget = messagesPerStep
  let removed = 0
  for (let id = due.at(-1); id !== undefined && budget > 0; id = due.at(-1)) {
    const { seq, first, kept_from } = statements.channelById.get(id) as unknown as TrimmedRow
    const limit = Math.min(first + budget, seq + 1)
    const young = statements.firstYoung.get(id, first, limit, oldest) as { seq: number } | undefined
    if (most === 0) {
      statements.keepFrom.run(0, null, id)
      statements.keepSnapshots.run(id, Number.MAX_SAFE_INTEGER)
    }
    const keptFrom = most === 0 ? null : kept_from
    const isCovered = covered === 1 && keptFrom !== null
    const until = isCovered ? keptFrom : Math.max(young?.seq ?? limit, seq - most + 1)
    const kept = Math.min(limit, Math.max(first, Math.min(until, keptFrom ?? limit)))
    statements.remove.run(id, first, kept)
    statements.shrink.run(kept, id, kept, id)
    if (kept < first + budget) due.pop()
    removed += kept - first
    // A channel costs one as well: a step is bounded also where there is little to remove in each.
    budget -= kept - first + 1
  }
  return removed
}
