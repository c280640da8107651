import type { TransportCapabilities } from "../../capabilities.ts"

export const ablyCapabilities: TransportCapabilities = {
  /** Ably would take it, but then nobody would have authorized, validated and logged it. */
  publishesOverConnection: false,
  /**
   * Ably resumes for two minutes; what it misses beyond that it only admits
   * to. The log answers for all of it.
   */
  catchesUpOnSubscribe: false,
  signalsOverConnection: true,
  signalsPassServer: false,
  /** Of the 50 messages a second that Ably takes from one connection; presence needs some. */
  maxSignalsPerSecond: 40,
  /** Each is billed, once for everybody who gets it. */
  latestSignalsPerSecond: 5,
  /** A connection has 200 at Ably, and each of ours is two. The token holds no more. */
  maxChannels: 100,
  /**
   * https://ably.com/docs/platform/pricing/limits: 200 members of a channel by default, each tab being one.
   */
  maxPresenceMembers: 200,
  /** 64 KiB for a whole publish; the rest is left for names and framing. */
  maxDeliveryBytes: 64 * 1024 - 1024,
}
