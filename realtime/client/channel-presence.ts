import { type AnyChannelDefinition, validate } from "../channel.ts"
import type { JsonValue } from "../json.ts"
import type { PresenceSnapshot } from "../message.ts"
import type { ChannelOptions } from "./channel-options.ts"
import { createPresenceTracker } from "./presence.ts"
import type { SharedSubscription } from "./shared-subscription.ts"
import type { Presence, PresenceState } from "./types.ts"

/** Who is in a channel, and how this page appears there. */
export interface ChannelPresence extends Presence {
  /** The channel takes part: the provider is asked anew for all that the page wants. */
  joined(): void
  /** What the provider says now of who is there. */
  receive(snapshot: PresenceSnapshot): Promise<void>
  /** Nothing is known any more. */
  forget(): void
}

export function createChannelPresence(
  { presenceGraceMs: graceMs, onError }: Pick<ChannelOptions, "presenceGraceMs" | "onError">,
  subscription: Pick<SharedSubscription, "joined" | "use">,
  definition: () => AnyChannelDefinition,
): ChannelPresence {
  const tracker = createPresenceTracker({ graceMs, onError })
  const entries = new Set<{ data: unknown }>()
  let isWatched = false
  /** The provider was asked to show this page, and not since to do so no more. */
  let isEntered = false
  /** Tells overlapping updates apart: the latest counts. */
  let updates = 0

  /** The page is one person: the data given last stands for all its components. */
  function enterLatest(): void {
    const { joined } = subscription
    const latest = [...entries].at(-1)
    if (!latest && !isEntered) return
    isEntered = latest !== undefined
    const done = latest ? joined?.enterPresence(latest.data as JsonValue) : joined?.leavePresence()
    done?.catch((error) => onError(error, { stage: "presence" }))
  }

  return {
    get snapshot() {
      return tracker.snapshot as PresenceState | null
    },
    subscribe(listener) {
      const stop = subscription.use(tracker.subscribe(listener))
      if (!isWatched) {
        isWatched = true
        subscription.joined?.watchPresence()
      }
      return stop
    },
    enter(data) {
      const entry = { data: data as unknown }
      entries.add(entry)
      const stop = subscription.use()
      enterLatest()
      return {
        update(next) {
          entry.data = next
          entries.delete(entry)
          entries.add(entry)
          enterLatest()
        },
        leave() {
          if (!entries.delete(entry)) return
          setTimeout(() => entries.size === 0 && enterLatest(), 0)
          stop()
        },
      }
    },
    joined() {
      if (isWatched) subscription.joined?.watchPresence()
      enterLatest()
    },
    // Members whose data has another shape (an older page, or one that came past the server) are not shown.
    async receive(snapshot) {
      updates += 1
      const update = updates
      const checked = await Promise.all(
        (snapshot.members ?? []).map(async (member) => {
          const data = await validate(definition().presence, member.data, "presence").catch(() => undefined)
          return data === undefined ? null : { user: member.user, data }
        }),
      )
      if (update !== updates) return
      const members = checked.filter((member) => member !== null)
      tracker.update(snapshot.members ? { count: members.length, members } : snapshot)
    },
    forget() {
      updates += 1
      tracker.forget()
    },
  }
}
