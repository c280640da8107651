import type { RealtimePublisher } from "../../publisher.ts"
import type { MemoryHub } from "./hub.ts"

/** Server: hands messages to the hub in this process. */
export function createMemoryPublisher(hub: MemoryHub): RealtimePublisher {
  return {
    provider: "memory",
    async publish(messages) {
      hub.broadcast(messages)
    },
    async signal(signal) {
      await hub.signal(null, signal)
    },
    state: {
      intervalMs: 50,
      async publish(patches) {
        hub.broadcastState(patches)
      },
    },
    async revoke(userId, channel) {
      hub.revoke(userId, channel)
    },
    members: async (channel) => hub.snapshot(channel),
    counts: async (channels) => channels.map((channel) => hub.snapshot(channel).count),
    clientConfig: () => ({ provider: "memory" }),
    credentials: async () => ({}),
    close: async () => {},
  }
}
