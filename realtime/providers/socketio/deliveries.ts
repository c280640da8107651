import type { JoinedChannels } from "../../joined-channels.ts"
import { type PresenceSnapshot, parseSignal, parseWireMessages } from "../../message.ts"
import { applyPresenceChange } from "./mapping.ts"
import type { GatewaySocket } from "./requests.ts"

/** What the transport keeps of each channel, besides what the client wants of it. */
export interface ChannelState {
  /** Who is there, once it was told. */
  snapshot: PresenceSnapshot | null
}

/** Browser: hands what the gateway delivers to whoever observes the channel. */
export function followDeliveries(socket: GatewaySocket, channels: JoinedChannels<ChannelState>): void {
  socket.on("messages", (value) => {
    const messages = parseWireMessages(value)
    const [first] = messages
    if (first) channels.get(first.channel)?.observer.onMessages(messages)
  })
  socket.on("signal", (...values) => {
    for (const signal of values.map(parseSignal))
      if (signal) channels.get(signal.channel)?.observer.onSignal(signal)
  })
  socket.on("presence", (name, change) => {
    const channel = channels.get(name)
    if (!channel) return
    channel.snapshot = applyPresenceChange(channel.snapshot, change)
    if (channel.snapshot) channel.observer.onPresence(channel.snapshot)
  })
  socket.on("state", (name, patches) => channels.get(name)?.observer.onState?.(patches))
}
