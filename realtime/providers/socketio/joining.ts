import { type BackOff, backOffMs, pause } from "../../back-off.ts"
import { isRealtimeError, type OnError, type RealtimeError } from "../../errors.ts"
import type { JoinedChannel } from "../../joined-channels.ts"
import type { JsonValue } from "../../json.ts"
import { fromSubscribeAnswer } from "./mapping.ts"
import type { GatewaySocket, Request } from "./requests.ts"

/**
 * Browser: joins channels, and enters them where that is wanted; what fails in passing is tried again for as
 * long as there is a connection.
 */
export function createJoining(socket: GatewaySocket, request: Request, backOff: BackOff, onError: OnError) {
  const pauseBeforeNext = (failures: number, error: RealtimeError) =>
    pause(backOffMs(backOff, failures, error))

  async function attach(channel: JoinedChannel): Promise<void> {
    const { name, observer } = channel
    const isLatest = channel.beginAttempt()
    const isCurrent = () => isLatest() && socket.connected
    for (let failures = 1; ; failures += 1) {
      try {
        const page = fromSubscribeAnswer(await request("subscribe", name, observer.cursor()))
        if (!isCurrent()) return
        channel.attached(page)
        if (channel.wantsPresence) await request("watch", name)
        return await enterAgain(channel, isCurrent)
      } catch (cause) {
        if (!isCurrent()) return
        if (isRealtimeError(cause) && !cause.retryable) return observer.onDenied(cause)
        if (failures === 1) onError(cause, { stage: "subscribe" })
        if (!isRealtimeError(cause)) return
        await pauseBeforeNext(failures, cause)
        if (!isCurrent()) return
      }
    }
  }

  async function enter(channel: JoinedChannel, data: JsonValue): Promise<void> {
    try {
      await request("enter", channel.name, data)
      if (channel.data !== undefined) channel.entered = data
    } catch (error) {
      if (isFinal(error) && channel.data === data) channel.dataRefused()
      throw error
    }
  }

  /** Whom presence is refused by now, or where the server fails at it, is in the channel all the same. */
  async function enterAgain(channel: JoinedChannel, isCurrent: () => boolean): Promise<void> {
    for (let failures = 1; isCurrent() && channel.data !== undefined; ) {
      try {
        return await enter(channel, channel.data)
      } catch (error) {
        if (!isCurrent()) return
        if (isFinal(error) || failures === 1) onError(error, { stage: "presence" })
        if (!isRealtimeError(error)) return
        if (!error.retryable) continue
        await pauseBeforeNext(failures, error)
        failures += 1
      }
    }
  }

  return { attach, enter }
}

const isFinal = (error: unknown) => isRealtimeError(error) && !error.retryable
