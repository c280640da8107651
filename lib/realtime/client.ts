import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "throughline/client"
import { createLazyFollower } from "../tracing/lazy.ts"

/** Each provider is a chunk of its own; the browser asks for the chosen one's only. */
export const providers: RealtimeClientOptions["providers"] = {
  socketio: async () => (await import("throughline/socketio/client")).createSocketIoTransport,
  pusher: async () => (await import("throughline/pusher/client")).createPusherTransport,
  ably: async () => (await import("throughline/ably/client")).createAblyTransport,
}

export interface ChatClientOptions extends Pick<RealtimeClientOptions, "config" | "owner"> {
  /** The part of all traces that is kept; 0: messages aren't followed, and the code for it isn't downloaded. */
  tracedRatio: number
}

/** Browser: the client for what the server put into the page, and for whoever is signed in. */
export function createChatClient({ config, owner, tracedRatio }: ChatClientOptions): RealtimeClient {
  const isFollowing = tracedRatio > 0 && typeof window !== "undefined"
  const load = async () => (await import("../tracing/page.ts")).followPage({ ratio: tracedRatio })
  return createRealtimeClient({
    ...{ config, providers, owner },
    tracing: isFollowing ? createLazyFollower(load) : undefined,
  })
}
