import type { OnError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { TransportSubscription } from "../../transport.ts"
import { ablyCapabilities } from "./capabilities.ts"
import type { Joined } from "./joined.ts"
import { fromAblyError, fromAblyMembers } from "./mapping.ts"

type PresenceControls = Pick<TransportSubscription, "watchPresence" | "enterPresence" | "leavePresence">

export interface PresenceOptions {
  /** Gets a token that may allow what the one in use doesn't. */
  renewToken(): Promise<void> | null
  onError: OnError
}

export type Presence = ReturnType<typeof createPresence>

/** https://ably.com/docs/platform/errors/codes: the channel has as many members as it may have. */
const tooManyMembers = 91003

/** Browser: who is in a channel, and this person among them. */
export function createPresence({ renewToken, onError }: PresenceOptions) {
  /** Reads who is there and tells it; of several reads the last one started counts. */
  function show(channel: Joined): void {
    const { messages } = channel
    if (!messages || !channel.isAttached || !channel.wantsPresence) return
    channel.reads += 1
    const read = channel.reads
    messages.presence.get().then(
      (members) => {
        if (read !== channel.reads || channel.messages !== messages) return
        const limit = ablyCapabilities.maxPresenceMembers
        const snapshot = fromAblyMembers(members, limit)
        // Whoever isn't among them any more knows no more than that there are at least so many.
        channel.observer.onPresence(
          channel.isFull ? { count: Math.max(limit, snapshot.count), members: null } : snapshot,
        )
      },
      (error) => onError(fromAblyError(error, "read the members"), { stage: "presence" }),
    )
  }

  /** Rejects where the service refuses it; not where the channel is full, which is shown. */
  async function enter(channel: Joined, data: JsonValue): Promise<void> {
    // A token says what was allowed when it was made; only a new one can say something else.
    if (channel.isPresenceRefused) await renewToken()
    // Left again, or entered with other data; or what is wanted is entered when it is attached again.
    if (channel.data !== data || !channel.messages) return
    try {
      await channel.messages.presence.enter(data)
      channel.isFull = false
      if (channel.data !== undefined) channel.entered = data
    } catch (error) {
      if ((error as { code?: unknown }).code === tooManyMembers) {
        channel.isFull = true
        show(channel)
        return
      }
      const reason = fromAblyError(error, "enter")
      channel.isPresenceRefused = reason.code === "channel-denied"
      if (!reason.retryable && channel.data === data) channel.dataRefused()
      throw reason
    }
  }

  return {
    show,
    /** The channel is attached, as is wanted of its presence by now. */
    refresh(channel: Joined): void {
      const { data } = channel
      if (data !== undefined) enter(channel, data).catch((error) => onError(error, { stage: "presence" }))
      show(channel)
    },
    /** What the client says of its presence in a channel. */
    in: (channel: Joined): PresenceControls => ({
      watchPresence() {
        channel.watchesPresence = true
        show(channel)
      },
      async enterPresence(data) {
        channel.data = data
        if (!channel.isAttached) return
        await enter(channel, data)
        show(channel)
      },
      async leavePresence() {
        if (channel.data === undefined) return
        channel.data = undefined
        channel.entered = undefined
        channel.isFull = false
        if (!channel.isAttached) return
        await channel.messages?.presence.leave().catch((error) => {
          throw fromAblyError(error, "leave")
        })
      },
    }),
  }
}
