import type { RealtimeError } from "../errors.ts"
import { createListeners } from "../listeners.ts"
import type { ChannelObserver, TransportSubscription } from "../transport.ts"
import type { ChannelOptions } from "./channel-options.ts"
import { idleSubscription, nextSubscription, type SubscriptionEvent } from "./subscription-policy.ts"
import type { Channel } from "./types.ts"

/** A channel's one subscription at the provider, shared by all who listen to the channel. */
export interface SharedSubscription extends Pick<Channel, "status" | "onStatus"> {
  /** What the provider gave; null while the channel doesn't take part. */
  readonly joined: TransportSubscription | null
  /** Takes part from the first use until the last has ended. What ends this one calls `end` first. */
  use(end?: () => void): () => void
  happens(event: SubscriptionEvent): void
  /** The server itself said no. */
  shutOut(error: RealtimeError): void
}

/**
 * What the channel is told: as the provider says it, but for what the policy makes of that. `onDetached`
 * comes with a refusal too, and `onDenied` with the server's too, each time that it is asked.
 */
export interface SubscriptionObserver extends ChannelObserver {
  /** The channel takes part, at first or again. */
  onJoined(): void
  /** It takes part no more, or isn't let in: what was known of who is there counts no more. */
  onLeft(): void
}

/** Does at the provider, and tells the channel, what the policy in `subscription-policy.ts` commands. */
export function createSharedSubscription(
  { ref, join, http, onError }: Pick<ChannelOptions, "ref" | "join" | "http" | "onError">,
  channel: SubscriptionObserver,
): SharedSubscription {
  const statusListeners = createListeners(onError, "onStatus")
  let policy = idleSubscription
  let joined: TransportSubscription | null = null

  const observer: ChannelObserver = {
    ...channel,
    onAttached(page) {
      happens({ type: "attached" })
      channel.onAttached(page)
    },
    onDetached: () => happens({ type: "detached" }),
    onDenied: (error) => happens({ type: "denied", by: "provider", error }),
  }

  function happens(event: SubscriptionEvent): void {
    const { state, commands } = nextSubscription(policy, event)
    policy = state
    for (const command of commands) {
      switch (command.type) {
        case "join":
          joined = join(observer)
          if (joined) happens({ type: "joined" })
          break
        case "leave":
          joined?.unsubscribe()
          joined = null
          break
        case "enter-presence":
          channel.onJoined()
          break
        case "forget-presence":
          channel.onLeft()
          break
        case "show":
          statusListeners.tell()
          break
        case "interrupt":
          channel.onDetached()
          break
        case "refuse":
          channel.onDenied(command.error)
          break
        case "ask":
          http
            .heads([ref.name])
            // Without an answer the next comparison asks again.
            .then(
              (heads) => heads.get(ref.name),
              () => undefined,
            )
            .then((head) => happens({ type: "answered", head }))
          break
        case "settle-later":
          setTimeout(() => happens({ type: "settled" }), 0)
      }
    }
  }

  return {
    get status() {
      return policy.status
    },
    onStatus: statusListeners.add,
    get joined() {
      return joined
    },
    use(end) {
      happens({ type: "used" })
      let isReleased = false
      return () => {
        if (isReleased) return
        isReleased = true
        end?.()
        happens({ type: "released" })
      }
    },
    happens,
    shutOut: (error) => happens({ type: "denied", by: "server", error }),
  }
}
