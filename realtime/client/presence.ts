import type { OnError } from "../errors.ts"
import { createListeners } from "../listeners.ts"
import type { Member, PresenceSnapshot } from "../message.ts"

export interface PresenceTracker {
  readonly snapshot: PresenceSnapshot | null
  /**
   * What the provider says now. Whoever is missing is kept for the grace window before they count as gone.
   */
  update(snapshot: PresenceSnapshot): void
  /** Nothing is known any more; nobody counts as gone by that. */
  forget(): void
  subscribe(listener: () => void): () => void
}

export interface PresenceOptions {
  /** How long somebody who vanished is still shown. Default 4 s. */
  graceMs?: number | undefined
  onError: OnError
}

/**
 * Who is there, as the application sees it: providers' snapshots, with a grace window before *left*, so that
 * a reload or a short loss of the network isn't seen by the others. Data changes and arrivals show at once.
 */
export function createPresenceTracker({ graceMs = 4_000, onError }: PresenceOptions): PresenceTracker {
  let snapshot: PresenceSnapshot | null = null
  let latest: PresenceSnapshot | null = null
  /** People that the provider no longer names, by id, with when they count as gone. */
  const leaving = new Map<string, { member: Member; until: number }>()
  const listeners = createListeners(onError, "presence.subscribe")
  let timer: ReturnType<typeof setTimeout> | undefined

  function show(): void {
    clearTimeout(timer)
    if (!latest) return
    const now = performance.now()
    for (const [id, { until }] of leaving) if (until <= now) leaving.delete(id)
    snapshot = latest.members ? withLeaving(latest.members) : latest
    if (leaving.size > 0) {
      const soonest = Math.min(...[...leaving.values()].map(({ until }) => until))
      timer = setTimeout(show, soonest - now)
    }
    listeners.tell()
  }

  function withLeaving(present: Member[]): PresenceSnapshot {
    const members = [...present, ...[...leaving.values()].map(({ member }) => member)]
    members.sort((a, b) => (a.user.id < b.user.id ? -1 : 1))
    return { count: members.length, members }
  }

  return {
    get snapshot() {
      return snapshot
    },
    update(next) {
      const present = new Set(next.members?.map(({ user }) => user.id))
      if (!next.members) leaving.clear()
      else {
        for (const id of leaving.keys()) if (present.has(id)) leaving.delete(id)
        for (const member of latest?.members ?? []) {
          if (!present.has(member.user.id))
            leaving.set(member.user.id, { member, until: performance.now() + graceMs })
        }
      }
      latest = next
      show()
    },
    forget() {
      clearTimeout(timer)
      leaving.clear()
      latest = null
      if (!snapshot) return
      snapshot = null
      listeners.tell()
    },
    subscribe: listeners.add,
  }
}
