import type { ChannelStateChange, InboundMessage, RealtimeChannel } from "ably"
import type { BaseRealtime } from "ably/modular"
import type { OnError } from "../../errors.ts"
import type { Joined } from "./joined.ts"
import {
  fromAblyData,
  fromAblyError,
  fromAblyMessage,
  fromAblySignal,
  messagesChannel,
  messagesEvent,
  signalEvent,
  signalsChannel,
  stateEvent,
} from "./mapping.ts"
import type { Presence } from "./presence.ts"
import type { Tokens } from "./tokens.ts"

export interface ListeningOptions {
  tokens: Pick<Tokens, "deny">
  presence: Presence
  onError: OnError
}

/**
 * Browser: listens to the SDK's two channels of one of ours. Attached is what both are; Ably attaches them
 * again, by itself, after each interruption.
 */
export function listen(
  channel: Joined,
  client: BaseRealtime,
  { tokens, presence, onError }: ListeningOptions,
): void {
  const messages = client.channels.get(messagesChannel(channel.name))
  const signals = client.channels.get(signalsChannel(channel.name))
  channel.messages = messages
  channel.signals = signals

  function follow({ current, resumed, reason }: ChannelStateChange): void {
    if (!channel.isCurrent()) return
    if (current === "failed") {
      channel.detached()
      // With its connection it only has to be joined again; by itself it was refused.
      if (client.connection.state === "failed") forget(channel)
      else tokens.deny(channel, fromAblyError(reason, "join"))
    } else if (messages.state !== "attached" || signals.state !== "attached") {
      channel.detached()
    } else if (!channel.isAttached || !resumed) {
      // Also an update without `resumed`: Ably says that something may be missing.
      channel.attached()
      presence.refresh(channel)
    }
  }

  const inBackground = (stage: string) => (error: unknown) => {
    if (channel.isCurrent()) onError(fromAblyError(error, stage), { stage })
  }
  for (const one of [messages, signals]) {
    one.on(follow)
    // What failed before is only attached again when that is said.
    if (one.state === "failed") one.attach().catch(inBackground("attach"))
  }
  messages
    .subscribe(messagesEvent, (inbound: InboundMessage) => {
      const received = fromAblyMessage(channel.name, inbound)
      if (received.length > 0) channel.observer.onMessages(received)
    })
    .catch(inBackground("subscribe"))
  messages
    .subscribe(stateEvent, (inbound: InboundMessage) =>
      channel.observer.onState?.(fromAblyData(inbound.data)),
    )
    .catch(inBackground("subscribe to state"))
  signals
    .subscribe(signalEvent, (inbound: InboundMessage) => {
      const signal = fromAblySignal(channel.name, inbound)
      if (signal) channel.observer.onSignal(signal)
    })
    .catch(inBackground("subscribe to signals"))
  messages.presence.subscribe(() => presence.show(channel)).catch(inBackground("subscribe to presence"))
}

/** Listens to them no longer. Returns them. */
export function forget(channel: Joined): RealtimeChannel[] {
  const both = [channel.messages, channel.signals].filter((one) => one !== null)
  channel.messages = null
  channel.signals = null
  for (const one of both) {
    one.unsubscribe()
    one.off()
    one.presence.unsubscribe()
  }
  return both
}
