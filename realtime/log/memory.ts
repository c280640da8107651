import { randomUUID } from "node:crypto"
import type { LogHead, RealtimeMessage } from "../message.ts"
import type { MessageLog } from "./message-log.ts"

interface Channel {
  seq: number
  kept: RealtimeMessage[]
  byId: Map<string, RealtimeMessage>
}

/** A log that lives as long as the process: for tests, and the reference for the others. */
export function createMemoryLog({ now = Date.now }: { now?: () => number } = {}): MessageLog {
  const epoch = randomUUID()
  const channels = new Map<
    string,
    { seq: number; kept: RealtimeMessage[]; byId: Map<string, RealtimeMessage> }
  >()
  const channelOf = (name: string) => {
    const found: Channel = channels.get(name) ?? { seq: 0, kept: [], byId: new Map() }
    channels.set(name, found)
    return found
  }
  const headOf = (name: string): LogHead => {
    const channel = channels.get(name)
    const seq = channel?.seq ?? 0
    return { epoch, seq, first: channel?.kept[0]?.seq ?? seq + 1 }
  }
  const copy = (messages: RealtimeMessage[]) => structuredClone(messages)

  return {
    async append(entries) {
      return entries.map((entry) => {
        const channel = channelOf(entry.channel)
        const known = channel.byId.get(entry.id)
        if (known)
          return { id: known.id, seq: known.seq, epoch, at: known.at, from: known.from, isDuplicate: true }
        channel.seq += 1
        const at = Math.max(now(), channel.kept.at(-1)?.at ?? 0)
        const payload = JSON.parse(JSON.stringify(entry.payload))
        const message = { ...entry, payload, seq: channel.seq, epoch, at }
        channel.kept.push(message)
        channel.byId.set(entry.id, message)
        return { id: entry.id, seq: message.seq, epoch, at, from: entry.from, isDuplicate: false }
      })
    },
    async readAfter(name, seq, limit) {
      const kept = channels.get(name)?.kept ?? []
      return {
        head: headOf(name),
        messages: copy(kept.filter((message) => message.seq > seq).slice(0, limit)),
      }
    },
    async readBefore(name, seq, limit) {
      const kept = channels.get(name)?.kept ?? []
      const earlier = seq === null ? kept : kept.filter((message) => message.seq < seq)
      return { head: headOf(name), messages: copy(earlier.slice(-limit)) }
    },
    heads: async (names) => names.map(headOf),
    async trim({ maxAgeMs, maxMessagesPerChannel }) {
      let removed = 0
      for (const channel of channels.values()) {
        const oldest = maxAgeMs === undefined ? 0 : now() - maxAgeMs
        const surplus = maxMessagesPerChannel === undefined ? 0 : channel.kept.length - maxMessagesPerChannel
        const count = channel.kept.filter(({ at }, index) => at < oldest || index < surplus).length
        for (const { id } of channel.kept.splice(0, count)) channel.byId.delete(id)
        removed += count
      }
      return removed
    },
    close: async () => {},
  }
}
