import type { PresenceChannel } from "pusher-js"
import type { OnError, RealtimeError } from "../../errors.ts"
import type { TransportSubscription } from "../../transport.ts"
import type { StatusHolder } from "../../transport-status.ts"
import { withResolvers } from "../../with-resolvers.ts"
import { pusherCapabilities } from "./capabilities.ts"
import type { Joined, Signable } from "./joined.ts"
import { fromMembers, presenceChannel } from "./mapping.ts"
import type { Subscriptions } from "./subscriptions.ts"

type PresenceControls = Pick<TransportSubscription, "watchPresence" | "enterPresence" | "leavePresence">

export interface PresenceOptions {
  subscriptions: Subscriptions
  status: StatusHolder
  onError: OnError
}

/** Browser: the presence channels, each beside the one of its messages. */
export function createPresence({ subscriptions, status, onError }: PresenceOptions) {
  /**
   * Joins the presence channel, or joins it again with other data: Pusher
   * fixes a member's data when it joins.
   */
  function subscribe(channel: Joined): void {
    // pusher-js can't take back a subscription under way; when it is through, it is looked at again.
    if (channel.presence?.subscriptionPending) return
    unsubscribe(channel)
    const signable: Signable = { channel, kind: "presence", onRefused: (reason) => refused(signable, reason) }
    const presence = subscriptions.subscribe(presenceChannel(channel.name), signable)
    channel.presence = presence
    if (!presence) return
    const show = () => {
      if (channel.presence === presence)
        channel.observer.onPresence(fromMembers(infosOf(presence as PresenceChannel)))
    }
    presence.bind("pusher:member_added", show)
    presence.bind("pusher:member_removed", show)
    presence.bind("pusher:subscription_succeeded", () => {
      show()
      if (channel.presence !== presence) return
      channel.isFull = false
      channel.entered = signable.signed?.data
      if (isUpToDate(signable)) settle(channel)
      else refresh(channel)
    })
  }

  function unsubscribe(channel: Joined): void {
    channel.isFull = false
    if (!channel.presence) return
    channel.presence = null
    subscriptions.unsubscribe(presenceChannel(channel.name))
  }

  /** Makes the presence channel what is wanted of it now. */
  function refresh(channel: Joined): void {
    if (channel.wantsPresence) subscribe(channel)
    else unsubscribe(channel)
  }

  /** Whoever waits to hear whether the service took the data hears it. */
  function settle(channel: Joined, reason?: RealtimeError): void {
    const { entering } = channel
    channel.entering = undefined
    if (reason) entering?.reject(reason)
    else entering?.resolve()
  }

  function refused(signable: Signable, reason: RealtimeError): void {
    const { channel } = signable
    if (!isUpToDate(signable)) {
      refresh(channel)
    } else if (reason.code === "rate-limited") {
      channel.isFull = true
      showCount(channel)
      settle(channel)
    } else {
      if (channel.entering) settle(channel, reason)
      else onError(reason, { stage: "presence" })
      if (channel.data === undefined) return
      // As before: with the data of then, as a watcher, or outside.
      channel.dataRefused()
      refresh(channel)
    }
  }

  return {
    refresh,
    settle,
    /** The channel was left, and its presence with it. */
    forget(channel: Joined): void {
      settle(channel)
      unsubscribe(channel)
    },
    /** What the client says of its presence in a channel. */
    in: (channel: Joined): PresenceControls => ({
      watchPresence() {
        if (channel.watchesPresence) return
        channel.watchesPresence = true
        if (!channel.presence) refresh(channel)
      },
      async enterPresence(data) {
        channel.data = data
        refresh(channel)
        settle(channel)
        if (status.current.state !== "connected") return
        channel.entering = withResolvers()
        await channel.entering.promise
      },
      async leavePresence() {
        if (channel.data === undefined) return
        channel.data = undefined
        channel.entered = undefined
        settle(channel)
        refresh(channel)
      },
    }),
  }
}

function infosOf({ members }: PresenceChannel): unknown[] {
  const infos: unknown[] = []
  members.each(({ info }: { info: unknown }) => infos.push(info))
  return infos
}

/** Whether what Pusher answers is about what is wanted now. */
const isUpToDate = ({ signed, channel }: Signable) => signed !== undefined && signed.data === channel.data

/**
 * The presence channel is full, and Pusher names nobody. At least as many are there as it takes; where the
 * app's subscription counting is on, as many as listen.
 */
export function showCount({ observer, subscribers = 0 }: Joined): void {
  observer.onPresence({
    count: Math.max(pusherCapabilities.maxPresenceMembers, subscribers),
    members: null,
  })
}
