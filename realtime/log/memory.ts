import { randomUUID } from "node:crypto"
import type { LogHead } from "../message.ts"
import { createLifetime } from "./lifetime.ts"
import type { MessageLog } from "./message-log.ts"
import {
  emptyHead,
  erased,
  fromLogRow,
  type LogRow,
  markOfRow,
  senderMark,
  toAppendResult,
  toLogRecord,
  withinPage,
} from "./record.ts"

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

interface Channel {
  seq: number
  /** When the newest message came, also after it was trimmed. */
  at: number
  /** Consecutive, oldest first. */
  kept: LogRow[]
  byId: Map<string, LogRow>
}

/** Where the messages of logs in memory are. */
export interface MemoryLogStore {
  /** Changes with each generation of the log. */
  epoch: string
  /** What is kept of each channel, by its name. */
  readonly channels: Map<string, Channel>
}

/** An empty store, for several logs over one. */
export function createMemoryLogStore(): MemoryLogStore {
  return { epoch: randomUUID(), channels: new Map() }
}

/** A log that lives as long as the process: for tests, and the reference for the others. */
export function createMemoryLog({
  now = Date.now,
  store = createMemoryLogStore(),
}: MemoryLogOptions = {}): MessageLog {
  const { channels } = store
  const lifetime = createLifetime()

  function channelOf(name: string): Channel {
    const channel = channels.get(name) ?? { seq: 0, at: 0, kept: [], byId: new Map() }
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

  return {
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
    }) =>
      lifetime.run("trim", () => {
        const oldest = now() - maxAgeMs
        let removed = 0
        for (const [name, { kept, byId }] of channels) {
          if (only && !only.includes(name)) continue
          const surplus = kept.length - maxMessagesPerChannel
          const end = kept.findIndex(({ at }, index) => at >= oldest && index >= surplus)
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
