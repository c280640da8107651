import type { TransportCapabilities } from "../../capabilities.ts"

export const socketIoCapabilities: TransportCapabilities = {
  publishesOverConnection: true,
  catchesUpOnSubscribe: true,
  signalsOverConnection: true,
  signalsPassServer: true,
  maxSignalsPerSecond: 50,
  latestSignalsPerSecond: 20,
  maxChannels: 200,
  maxPresenceMembers: 1000,
  maxDeliveryBytes: 1024 * 1024,
}
