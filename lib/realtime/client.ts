import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "#realtime/client"

/** Each provider is a chunk of its own; the browser asks for the chosen one's only. */
export const providers: RealtimeClientOptions["providers"] = {
  socketio: async () => (await import("#realtime/providers/socketio/client")).createSocketIoTransport,
  pusher: async () => (await import("#realtime/providers/pusher/client")).createPusherTransport,
  ably: async () => (await import("#realtime/providers/ably/client")).createAblyTransport,
}

/** Browser: the client for what the server put into the page, and for whoever is signed in. */
export function createChatClient(config: RealtimeClientOptions["config"], owner: string): RealtimeClient {
  return createRealtimeClient({ config, providers, owner })
}
