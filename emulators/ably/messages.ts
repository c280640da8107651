import { createByteCount } from "./byte-count.ts"
import type { Channel } from "./channel.ts"
import type { Annotation, BaseMessage, Message } from "./protocol.ts"
import { bytesOf } from "./publisher.ts"
import { createRecent } from "./recent.ts"

/** A message as the channel keeps it: its place never changes, its content is that of the latest version (ably-protocol.md §6.4). */
export interface StoredMessage {
  readonly serial: string
  readonly channelSerial: string
  readonly timestamp: number
  /** From the created one to the latest. */
  readonly versions: Message[]
  readonly annotations: Annotation[]
  latest: Message
}

export interface MessageStore {
  /** In the order of publication; older ones than the namespace keeps are gone (§8). */
  all(): StoredMessage[]
  find(serial: string): StoredMessage | undefined
  /** It has taken this on: another version, or an annotation. */
  grew(stored: StoredMessage, by: BaseMessage): void
  add(message: Message & { serial: string; timestamp: number }, channelSerial: string): StoredMessage
  /** §2.3: the serial that a message with this id got, if it was published within the window. */
  serialOf(id: string): string | undefined
  /** §5.1 `rewind`: the last messages by count (`10`, at most 100) or time (`2m`, `15s`). */
  rewind(value: string): StoredMessage[]
  clear(): void
}

const MAX_REWIND = 100

export function createMessageStore(channel: Channel): MessageStore {
  const { clock, limits } = channel.app
  let stored: StoredMessage[] = []
  let bySerial = new Map<string, StoredMessage>()
  const bytes = createByteCount<StoredMessage>(() => limits.maxHistorySize)
  const ids = createRecent<string>(clock, () => limits.idempotencyWindow)

  function trim() {
    ids.trim()
    const window = channel.rules.persisted ? limits.persistedWindow : limits.continuityWindow
    const oldest = clock.now() - window
    const kept = stored.findIndex((message) => message.timestamp >= oldest)
    let count = kept < 0 ? stored.length : kept
    if (channel.rules.persistLast) count = Math.min(count, stored.length - 1)
    count = bytes.release(stored, count)
    if (count <= 0) return
    for (const message of stored.slice(0, count)) bySerial.delete(message.serial)
    stored = stored.slice(count)
  }

  return {
    all() {
      trim()
      return stored
    },
    find(serial) {
      trim()
      return bySerial.get(serial)
    },
    add(message, channelSerial) {
      trim()
      const { serial, timestamp } = message
      const entry: StoredMessage = {
        serial,
        channelSerial,
        timestamp,
        versions: [message],
        annotations: [],
        latest: message,
      }
      stored.push(entry)
      bytes.add(entry, bytesOf(message))
      bySerial.set(serial, entry)
      if (message.id !== undefined) ids.add(message.id, serial)
      return entry
    },
    grew: (entry, by) => bytes.add(entry, bytesOf(by)),
    serialOf: (id) => ids.get(id),
    rewind(value) {
      trim()
      const match = /^(\d+)([sm])?$/.exec(value)
      if (!match) return []
      const amount = Number(match[1])
      if (!match[2]) return amount === 0 ? [] : stored.slice(-Math.min(amount, MAX_REWIND))
      const since = clock.now() - amount * (match[2] === "m" ? 60_000 : 1000)
      return stored.filter((message) => message.timestamp >= since).slice(-MAX_REWIND)
    },
    clear() {
      stored = []
      bytes.clear()
      bySerial = new Map()
      ids.clear()
    },
  }
}
