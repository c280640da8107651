import type { TransportCapabilities } from "../../capabilities.ts"

/**
 * The reference: everything is possible. Tests narrow it to see what the client does without a capability.
 */
export const memoryCapabilities: TransportCapabilities = {
  publishesOverConnection: false,
  catchesUpOnSubscribe: false,
  signalsOverConnection: true,
  signalsPassServer: false,
  maxSignalsPerSecond: 50,
  latestSignalsPerSecond: 20,
  maxChannels: Number.POSITIVE_INFINITY,
  maxPresenceMembers: 100,
  maxDeliveryBytes: 64 * 1024,
}
