import type { Joined } from "./joined.ts"
import {
  fromMessagesEvent,
  fromSignalEvent,
  messagesChannel,
  messagesEvent,
  signalEvent,
  stateEvent,
} from "./mapping.ts"
import { showCount } from "./presence.ts"
import type { Subscriptions } from "./subscriptions.ts"

/**
 * Browser: joins the channel that all but presence travels in, and listens to it. pusher-js joins it again by
 * itself.
 */
export function listen(channel: Joined, subscriptions: Subscriptions): void {
  const { name, observer } = channel
  const messages = subscriptions.subscribe(messagesChannel(name), {
    channel,
    kind: "messages",
    onRefused: (reason) => observer.onDenied(reason),
  })
  if (!messages) return
  messages.bind("pusher:subscription_succeeded", () => channel.attached())
  messages.bind("pusher:subscription_count", (data: unknown) => {
    const { subscription_count: count } = (data ?? {}) as { subscription_count?: unknown }
    if (typeof count !== "number") return
    channel.subscribers = count
    if (channel.isFull) showCount(channel)
  })
  messages.bind(messagesEvent, (data: unknown) => {
    const received = fromMessagesEvent(name, data)
    if (received.length > 0) observer.onMessages(received)
  })
  messages.bind(stateEvent, (data: unknown) => observer.onState?.(data))
  messages.bind(signalEvent, (data: unknown) => {
    const signal = fromSignalEvent(name, data)
    if (signal) observer.onSignal(signal)
  })
}
