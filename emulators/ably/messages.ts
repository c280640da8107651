import { createByteCount } from "./byte-count.ts"
import type { Channel, MessageStore, StoredMessage } from "./model.ts"
import { bytesOf } from "./publisher.ts"
import { createRecent } from "./recent.ts"

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
