import type { TransportCapabilities } from "../../capabilities.ts"

export const pusherCapabilities: TransportCapabilities = {
  /** A client event never reaches the server, so nothing that it carries could be logged. */
  publishesOverConnection: false,
  /** Pusher keeps nothing of what was said while a client was away. */
  catchesUpOnSubscribe: false,
  /**
   * Only presence channels tell who sent a client event, and joining one makes visible and is limited to 100.
   */
  signalsOverConnection: false,
  signalsPassServer: false,
  /** What Pusher allows of client events, kept for requests to the route handler. */
  maxSignalsPerSecond: 10,
  /** Each is billed, once for everybody who gets it. */
  latestSignalsPerSecond: 5,
  /** Pusher names no limit of a connection's. */
  maxChannels: Number.POSITIVE_INFINITY,
  /**
   * https://pusher.com/docs/channels/using_channels/presence-channels: 100
   * members; here each tab is one of them.
   */
  maxPresenceMembers: 100,
  /** An event holds 10 kB; the rest is left for what surrounds the messages. */
  maxDeliveryBytes: 10_000,
}
