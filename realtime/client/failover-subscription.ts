import type { JoinedChannel } from "../joined-channels.ts"
import type { TransportSubscription } from "../transport.ts"
import type { Links } from "./failover-links.ts"

/**
 * A channel on whichever link is in use. What is wanted of it is asked of the standby as well, and what comes
 * of that is the active one's.
 */
export function subscribeAtLinks(
  channel: JoinedChannel,
  links: Links,
  sendsSignals: () => boolean,
): TransportSubscription {
  const { name } = channel
  const current = () => links.active.subscription(name)
  for (const link of links.all) link.join(channel)

  async function onBoth(action: (subscription: TransportSubscription) => Promise<void>): Promise<void> {
    const [active, raised] = links.all.map((link) => link.subscription(name))
    // The same is asked of it again if it fails, once it takes over.
    if (raised) action(raised).catch(() => {})
    if (active) await action(active)
  }

  return {
    get signal() {
      return sendsSignals() ? current()?.signal : undefined
    },
    watchState: (wanted) => current()?.watchState?.(wanted),
    watchPresence() {
      channel.watchesPresence = true
      for (const link of links.all) link.subscription(name)?.watchPresence()
    },
    async enterPresence(data) {
      channel.data = data
      await onBoth((subscription) => subscription.enterPresence(data))
    },
    async leavePresence() {
      channel.data = undefined
      await onBoth((subscription) => subscription.leavePresence())
    },
    unsubscribe() {
      if (!channel.leave()) return
      for (const link of links.all) link.leave(name)
    },
  }
}
