import type Pusher from "pusher-js"
import type { OnError, RealtimeError } from "../../errors.ts"
import { pusherCapabilities } from "./capabilities.ts"
import type { Joined, Signable } from "./joined.ts"
import { fromMembers, presenceChannel } from "./mapping.ts"

export interface PresenceOptions {
  /** Null before there is one. */
  pusher(): Pusher | null
  /** What may be signed by now, by its name in Pusher. */
  signables: Map<string, Signable>
  onError: OnError
}

/** Browser: the presence channels, each beside the one of its messages. */
export function createPresence({ pusher, signables, onError }: PresenceOptions) {
  /**
   * Joins the presence channel, or joins it again with other data: Pusher
   * fixes a member's data when it joins.
   */
  function join(channel: Joined, client: Pusher): void {
    // pusher-js can't take back a subscription under way; when it is through, it is looked at again.
    if (channel.presence?.subscriptionPending) return
    const name = presenceChannel(channel.name)
    leave(channel)
    const signable: Signable = { channel, kind: "presence" }
    signables.set(name, signable)
    const presence = client.subscribe(name)
    channel.presence = presence
    const show = () => {
      if (channel.presence !== presence) return
      const infos: unknown[] = []
      const { members } = presence as unknown as {
        members: { each(visit: (member: { info: unknown }) => void): void }
      }
      members.each(({ info }) => infos.push(info))
      channel.observer.onPresence(fromMembers(infos))
    }
    for (const event of ["pusher:subscription_succeeded", "pusher:member_added", "pusher:member_removed"]) {
      presence.bind(event, show)
    }
    presence.bind("pusher:subscription_succeeded", () => {
      if (channel.presence !== presence) return
      channel.isFull = false
      channel.entered = signable.signed?.data
      if (isUpToDate(signable)) settle(channel)
      else refresh(channel)
    })
  }

  function leave(channel: Joined): void {
    channel.isFull = false
    if (!channel.presence) return
    channel.presence.unbind()
    channel.presence = null
    signables.delete(presenceChannel(channel.name))
    pusher()?.unsubscribe(presenceChannel(channel.name))
  }

  /** Makes the presence channel what is wanted of it now. */
  function refresh(channel: Joined): void {
    const client = pusher()
    if (!client) return
    if (channel.wantsPresence) join(channel, client)
    else leave(channel)
  }

  /** Whoever waits to hear whether the service took the data hears it. */
  function settle(channel: Joined, reason?: RealtimeError): void {
    const { entering } = channel
    channel.entering = null
    if (reason) entering?.reject(reason)
    else entering?.resolve()
  }

  /** Our server or Pusher said no. */
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

  return { refresh, leave, settle, refused }
}

/** Whether what Pusher answers is about what is wanted now. */
const isUpToDate = ({ signed, channel }: Signable) => signed !== undefined && signed.data === channel.data

/**
 * The presence channel is full, and Pusher names nobody. At least as many are there as it takes; where the
 * app's subscription counting is on, as many as listen.
 */
export function showCount({ observer, subscribers }: Joined): void {
  observer.onPresence({
    count: Math.max(pusherCapabilities.maxPresenceMembers, subscribers),
    members: null,
  })
}
