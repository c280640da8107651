import { createClient } from "throughline/client"
import { createMemoryLog, createRealtime } from "throughline/server"
import { createContractHttp } from "throughline/testing"
import { chatChannels, room as roomChannel } from "#lib/chat/channels.ts"
import { createRoomActivity } from "#lib/chat/room-activity-store.ts"
import { memoryCapabilities } from "../../realtime/providers/memory/capabilities.ts"
import { createMemoryTransport } from "../../realtime/providers/memory/client.ts"
import { createMemoryHub } from "../../realtime/providers/memory/hub.ts"
import { createMemoryPublisher } from "../../realtime/providers/memory/server.ts"

export const me = { id: "me", name: "Me" }

/** What goes on in one room, as the page follows it; `say` and `endRoom` are somebody else's. `isIn`: whether oneself may do anything there. */
export async function startActivity({ isIn = true } = {}) {
  const log = createMemoryLog()
  const { maxPresenceMembers } = memoryCapabilities
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers })
  const realtime = createRealtime({
    ...{ channels: chatChannels, log, publishers: [createMemoryPublisher(hub)] },
    ...{ identify: async () => me, authorize: async () => isIn },
  })
  const onError = () => {}
  const client = createClient({
    transport: createMemoryTransport({
      hub,
      user: me,
      capabilities: memoryCapabilities,
      retryMs: 10,
      onError,
    }),
    http: createContractHttp(realtime as never, me),
    onError,
  })
  const ref = roomChannel({ room: "1" })
  const [head] = await log.heads([ref.name])
  if (!head) throw new Error("the log gave no head")
  const initial = [{ room: "1", read: head, head, unread: 0, mentions: 0 }]
  const store = createRoomActivity({
    ...{ client, me: me.id, initial, onError },
    ask: async () => ({ rooms: initial, list: "" }),
    move: async () => {},
  })
  client.open()
  const stop = store.start()
  return {
    client,
    store,
    say: (text: string, name = "Bob") =>
      realtime.publish(ref, "text-sent", { text }, { from: { id: "2", name } }),
    endRoom: () => realtime.publish(ref, "room-deleted", {}, { from: { id: "2", name: "Bob" } }),
    async [Symbol.asyncDispose]() {
      stop()
      await client.close()
      await realtime.close()
    },
  }
}
