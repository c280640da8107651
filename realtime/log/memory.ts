import { randomUUID } from "node:crypto"
import type { LogHead } from "../message.ts"
import type { Snapshot } from "../snapshot.ts"
import { createLifetime } from "./lifetime.ts"
import type { MessageLog } from "./message-log.ts"
import {
  byCode,
  emptyHead,
  erased,
  fromLogRow,
  fromStateRow,
  type LogRow,
  markOfRow,
  requireKeepable,
  senderMark,
  toAppendResult,
  toLogRecord,
  withinPage,
} from "./record.ts"
import { keptBehind, type SnapshotStore } from "./snapshot-store.ts"
import type { StateStore, StateWritten } from "./state-store.ts"

/** What `createMemoryLog` takes. */
export interface MemoryLogOptions {
  /** The log's clock, in milliseconds since 1970. Default: the machine's. */
  now?: () => number
  /**
   * Where the messages are: several logs over one store see the same, as several processes over one database
   * do. Default: one of its own.
   */
  store?: MemoryLogStore
}

interface StateOfChannel {
  version: number
  values: Map<string, { version: number; value: string }>
}

interface Channel {
  seq: number
  /** When the newest message came, also after it was trimmed. */
  at: number
  /** Consecutive, oldest first. */
  kept: LogRow[]
  byId: Map<string, LogRow>
  /** The newest first, and the one before it. */
  snapshots: Snapshot[]
  /** Retention removes nothing from here on; infinite without a snapshot. */
  keptFrom: number
}

/** Where the messages of logs in memory are. */
export interface MemoryLogStore {
  /** Changes with each generation of the log. */
  epoch: string
  /** What is kept of each channel, by its name. */
  readonly channels: Map<string, Channel>
  /** What is kept of each channel's state, by the channel's name. */
  readonly states: Map<string, StateOfChannel>
}

/** An empty store, for several logs over one. */
export function createMemoryLogStore(): MemoryLogStore {
  return { epoch: randomUUID(), channels: new Map(), states: new Map() }
}

/** A log that lives as long as the process: for tests, and the reference for the others. */
export function createMemoryLog({
  now = Date.now,
  store = createMemoryLogStore(),
}: MemoryLogOptions = {}): MessageLog {
  const { channels, states } = store
  const lifetime = createLifetime()

  function channelOf(name: string): Channel {
    const channel = channels.get(name) ?? {
      ...{ seq: 0, at: 0, kept: [], byId: new Map() },
      ...{ snapshots: [], keptFrom: Number.POSITIVE_INFINITY },
    }
    channels.set(name, channel)
    return channel
  }

  function headOf(name: string): LogHead {
    const channel = channels.get(name)
    if (!channel) return emptyHead(store.epoch)
    const first = channel.seq - channel.kept.length + 1
    return { epoch: store.epoch, seq: channel.seq, first, ...markOfRow(channel.kept.at(-1)) }
  }

  /** What is kept of the rows of which `seq` is in [from, until). */
  function rowsOf(name: string, from: number, until: number): LogRow[] {
    const { first } = headOf(name)
    return (channels.get(name)?.kept ?? []).slice(Math.max(0, from - first), Math.max(0, until - first))
  }

  const messagesOf = (name: string, rows: readonly LogRow[]) =>
    rows.map((row) => fromLogRow(row, name, store.epoch))

  const state: StateStore = {
    write: (entries, { maxKeys }) =>
      lifetime.run("write", () => {
        requireKeepable(entries)
        return entries.map(({ channel, key, value, ifVersion }): StateWritten => {
          const of = states.get(channel) ?? { version: 0, values: new Map() }
          const known = of.values.get(key)
          if (ifVersion !== undefined && ifVersion !== (known?.version ?? 0)) return { refused: "changed" }
          if (value !== null && !known && of.values.size >= maxKeys) return { refused: "full" }
          states.set(channel, of)
          of.version += 1
          if (value === null) of.values.delete(key)
          else of.values.set(key, { version: of.version, value })
          return { epoch: store.epoch, version: of.version }
        })
      }),
    read: (channel, keys) =>
      lifetime.run("read", () => {
        const { version = 0, values = new Map() } = states.get(channel) ?? {}
        const wanted = [...new Set(keys ?? values.keys())].filter((key) => values.has(key)).sort(byCode)
        return {
          ...{ epoch: store.epoch, version },
          entries: wanted.map((key) => fromStateRow({ key, ...values.get(key) })),
        }
      }),
  }

  const snapshots: SnapshotStore = {
    write: (name, { epoch, upTo, bytes, ifUpTo }) =>
      lifetime.run("write", () => {
        const channel = channels.get(name)
        const { seq } = headOf(name)
        const current = channel?.snapshots[0]?.upTo ?? 0
        const isWritten = epoch === store.epoch && current === ifUpTo && upTo > ifUpTo && upTo <= seq
        if (!channel || !isWritten) return { isWritten: false, epoch: store.epoch, upTo: current, seq }
        channel.snapshots = [{ upTo, bytes: Uint8Array.from(bytes) }, ...channel.snapshots.slice(0, 1)]
        const behind = rowsOf(name, upTo - keptBehind.messages + 1, upTo + 1)
        const oldest = (behind.at(-1)?.at ?? 0) - keptBehind.ms
        channel.keptFrom = behind.find(({ at }) => at >= oldest)?.seq ?? upTo
        return { isWritten, epoch, upTo, seq }
      }),
    read: (name, before = Number.POSITIVE_INFINITY) =>
      lifetime.run("read", () => {
        const found = channels.get(name)?.snapshots.find(({ upTo }) => upTo < before)
        const snapshot = found ? { ...found, bytes: Uint8Array.from(found.bytes) } : null
        return { epoch: store.epoch, snapshot }
      }),
  }

  return {
    state,
    snapshots,

    append: (entries) =>
      lifetime.run("append", () =>
        entries.map(toLogRecord).map(({ channel: name, ...record }) => {
          const channel = channelOf(name)
          const first = channel.byId.get(record.id)
          if (first) return toAppendResult(first, store.epoch, true)
          channel.seq += 1
          channel.at = Math.max(now(), channel.at)
          const row = { ...record, seq: channel.seq, at: channel.at }
          channel.kept.push(row)
          channel.byId.set(row.id, row)
          return toAppendResult(row, store.epoch, false)
        }),
      ),

    readAfter: (name, seq, limit) =>
      lifetime.run("read", () => {
        const head = headOf(name)
        const from = Math.max(seq + 1, head.first)
        const rows = withinPage(rowsOf(name, from, from + limit))
        return { head, messages: messagesOf(name, rows), ...markOfRow(rowsOf(name, seq, seq + 1)[0]) }
      }),

    readBefore: (name, seq, limit) =>
      lifetime.run("read", () => {
        const head = headOf(name)
        const until = Math.min(seq ?? Number.POSITIVE_INFINITY, head.seq + 1)
        const rows = withinPage(rowsOf(name, until - limit, until).reverse()).reverse()
        return { head, messages: messagesOf(name, rows) }
      }),

    heads: (names) => lifetime.run("read", () => names.map(headOf)),

    trim: ({
      maxAgeMs = Number.POSITIVE_INFINITY,
      maxMessagesPerChannel = Number.POSITIVE_INFINITY,
      channels: only,
      covered = false,
    }) =>
      lifetime.run("trim", () => {
        const oldest = now() - maxAgeMs
        let removed = 0
        for (const [name, channel] of channels) {
          if (only && !only.includes(name)) continue
          const { kept, byId } = channel
          if (maxMessagesPerChannel === 0)
            Object.assign(channel, { snapshots: [], keptFrom: Number.POSITIVE_INFINITY })
          const { keptFrom } = channel
          const isCovered = covered && keptFrom < Number.POSITIVE_INFINITY
          const surplus = kept.length - maxMessagesPerChannel
          const end = kept.findIndex(
            ({ at, seq }, index) => seq >= keptFrom || (!isCovered && at >= oldest && index >= surplus),
          )
          for (const { id } of kept.splice(0, end === -1 ? kept.length : end)) {
            byId.delete(id)
            removed += 1
          }
        }
        return removed
      }),

    erase: (userId) =>
      lifetime.run("erase", () => {
        const mark = senderMark(userId)
        const rows = [...channels.values()].flatMap(({ kept }) =>
          kept.filter(({ sender }) => sender.includes(mark)),
        )
        for (const row of rows) Object.assign(row, erased)
        return rows.length
      }),

    renew: () =>
      lifetime.run("renew", () => {
        store.epoch = randomUUID()
        return store.epoch
      }),

    close: () => lifetime.close(),
  }
}
