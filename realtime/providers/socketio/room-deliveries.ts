import type { LogHead, LogPage, WireMessage } from "../../message.ts"
import { emitToEach } from "./direct-write.ts"
import { channelRoom, fromChannelRoom, isChannelRoom } from "./mapping.ts"
import type { GatewayServer } from "./membership.ts"
import { createRecent, type Recent } from "./recent.ts"

/** What this gateway's own sockets are given of their channels, and what they were given last. */
export interface RoomDeliveries {
  /** To all who are in the messages' channels here. */
  deliver(messages: readonly WireMessage[]): void
  /** What the log has newest, as far as it hasn't come by itself. */
  deliverFromLog(messages: readonly WireMessage[]): void
  /** The newest message that was delivered of each channel that somebody is in; 0: none yet. */
  places(): Map<string, number>
  /** Where the log is when the first one joins: nothing older is brought by `deliverFromLog`. */
  startAt(channel: string, read: () => Promise<LogHead | undefined>): Promise<void>
  /** All that follows `seq`: from what was delivered here, unless that is in doubt, else by `read`. */
  catchUp(channel: string, seq: number, isInDoubt: boolean, read: () => Promise<LogPage>): Promise<LogPage>
  /** Messages put on a connection since the start. */
  readonly count: number
}

export function createRoomDeliveries(io: GatewayServer): RoomDeliveries {
  const { adapter } = io.sockets
  /** By room, for as long as somebody is in it. */
  const recents = new Map<string, Recent>()
  let count = 0
  adapter.on("create-room", (name: string) => void (isChannelRoom(name) && recents.set(name, createRecent())))
  adapter.on("delete-room", (name: string) => void recents.delete(name))

  function deliver(messages: readonly WireMessage[], how: "take" | "takeFromLog"): void {
    for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
      const name = channelRoom(channel)
      const recent = recents.get(name)
      const ids = adapter.rooms.get(name)
      if (!recent || !ids) continue
      const fresh = recent[how](group)
      if (fresh.length === 0) continue
      count += fresh.length * ids.size
      emitToEach(io, ids, "messages", fresh)
    }
  }

  return {
    deliver: (messages) => deliver(messages, "take"),
    deliverFromLog: (messages) => deliver(messages, "takeFromLog"),
    places: () => new Map([...recents].map(([name, { place }]) => [fromChannelRoom(name), place])),
    async startAt(channel, read) {
      const recent = recents.get(channelRoom(channel))
      if (!recent || recent.place > 0) return
      const head = await read()
      if (head) recent.startAt(head)
    },
    async catchUp(channel, seq, isInDoubt, read) {
      const recent = recents.get(channelRoom(channel))
      const page = isInDoubt ? null : recent?.after(seq)
      if (page) return page
      const askedAt = performance.now()
      const answer = await read()
      recent?.learn(seq, answer, askedAt)
      return answer
    },
    get count() {
      return count
    },
  }
}
