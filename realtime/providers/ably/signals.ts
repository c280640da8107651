import { RealtimeError } from "../../errors.ts"
import type { TransportSubscription } from "../../transport.ts"
import type { Joined } from "./joined.ts"
import { fromAblyError, provider, signalEvent, signalExtras, toAblyData } from "./mapping.ts"

/** Browser: how signals are sent to a channel, over the connection. */
export function signalTo(
  channel: Joined,
  isConnected: () => boolean,
): NonNullable<TransportSubscription["signal"]> {
  return async (event, payload, origin) => {
    if (!channel.signals) throw notConnected("not joined")
    try {
      await channel.signals.publish({
        name: signalEvent,
        data: toAblyData({ event, payload, origin }),
        extras: signalExtras,
      })
    } catch (cause) {
      if (!isConnected()) throw notConnected("there is no connection")
      const error = fromAblyError(cause, "send a signal")
      if (error.code === "channel-denied") channel.isSignalRefused = true
      throw error
    }
  }
}

const notConnected = (why: string) =>
  new RealtimeError("not-connected", { provider, message: `unable to send; ${why}` })
