import type { ChannelDefinitions, ChannelRef } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import {
  foldLocks,
  fromLockSnapshot,
  type LockClaim,
  type LocksDefinition,
  lockHolder,
  requireLocks,
  toLockSnapshot,
} from "../locks.ts"
import { areOfDifferentMessages, type LogPage, markOf, type User } from "../message.ts"
import type { AuthorizeRequest, Realtime } from "./types.ts"

/**
 * Server: the locks of channels that `lockMessages` declares, by their logs. Of another channel `holder` and
 * `guard` reject with a `TypeError`.
 */
export interface Locks {
  /**
   * For `authorize`: whether a message of locks may be let in. Whoever may publish may claim; a claim is
   * released by its person, or by anybody once that person isn't in the channel's presence, by the account of
   * the providers. True for whatever else is asked. Rejects with `rate-limited` where a channel has 1,000
   * live claims.
   */
  permits(
    request: Pick<AuthorizeRequest<ChannelDefinitions>, "user" | "channel" | "event" | "payload">,
  ): Promise<boolean>
  /** Who holds a lock, by the log as it is now; null: nobody. */
  holder(channel: ChannelRef<LocksDefinition>, lock: string): Promise<LockClaim | null>
  /**
   * Before each write that the lock guards: rejects with `conflict` unless this user holds it by this token
   * now. Of one lock a later holder's token is always the higher one: a store that refuses a lower token than
   * it has seen is safe from what happens between this call and the write, too.
   */
  guard(
    channel: ChannelRef<LocksDefinition>,
    lock: string,
    by: { token: number; user: Pick<User, "id"> },
  ): Promise<void>
}

/** What the log of a channel amounts to, up to one position. */
interface Folded {
  epoch: string
  seq: number
  mark: string | undefined
  claims: readonly LockClaim[]
  /** The newest snapshot that is known of. */
  upTo: number
}

const pageSize = 500
const maxClaims = 1_000
/** So many channels are remembered; of another the log is read again from its snapshot. */
const maxRemembered = 1_000
/** A page reads no more messages than these, and some. */
const snapshotAfter = 100
const maxReads = 3

/**
 * Server: the locks by the log, with no truth of their own, so that any number of processes may ask. Writes
 * the snapshots that pages begin with, and which retention leaves alone. Give it how to get the layer, since
 * that one's `authorize` asks for this:
 *
 * ```ts
 * const locks: Locks = createLocks(() => realtime)
 * export const realtime = throughline({
 *   channels: { documentLocks },
 *   identify: guests(),
 *   authorize: (request) => locks.permits(request),
 * })
 * ```
 */
export function createLocks(realtime: () => Pick<Realtime, "history" | "members" | "snapshot">): Locks {
  const remembered = new Map<string, Folded>()

  async function fold(channel: ChannelRef): Promise<Folded> {
    for (let reads = 1; reads <= maxReads; reads += 1) {
      const folded = await read(channel, remembered.get(channel.name))
      remembered.delete(channel.name)
      if (!folded) continue
      remembered.set(channel.name, await keep(channel, folded))
      for (const name of remembered.keys()) if (remembered.size > maxRemembered) remembered.delete(name)
      return folded
    }
    const message = "unable to read the locks; the log is replaced again and again"
    throw new RealtimeError("log-unavailable", { message })
  }

  /** Undefined: another generation of the log began meanwhile. */
  async function read(channel: ChannelRef, known: Folded | undefined): Promise<Folded | undefined> {
    const following = (seq: number) => realtime().history(channel, { after: seq, limit: pageSize })
    let page = known && (await following(known.seq))
    let folded = known
    if (!folded || !page || !isContinuedBy(folded, page)) {
      const { snapshot, ...first } = await realtime().snapshot(channel).read()
      const upTo = snapshot?.upTo ?? 0
      const { epoch } = first.head
      folded = { epoch, seq: upTo, mark: first.mark, claims: fromLockSnapshot(snapshot?.bytes ?? null), upTo }
      page = first
    }
    for (;;) {
      if (page.head.epoch !== folded.epoch) return undefined
      const last = page.messages.at(-1)
      const claims = foldLocks(folded.claims, page.messages)
      folded = last
        ? { ...folded, claims, seq: last.seq, mark: markOf(last) }
        : { ...folded, seq: page.head.seq, mark: page.head.mark }
      if (folded.seq >= page.head.seq) return folded
      page = await following(folded.seq)
    }
  }

  /** Without one, retention would take a claim from those who come later, and not from those who are here. */
  async function keep(channel: ChannelRef, folded: Folded): Promise<Folded> {
    const { epoch, seq, claims, upTo } = folded
    if (seq - upTo < snapshotAfter && (upTo > 0 || claims.length === 0)) return folded
    const bytes = toLockSnapshot(claims)
    const written = await realtime().snapshot(channel).write({ epoch, upTo: seq, ifUpTo: upTo, bytes })
    return { ...folded, upTo: written.epoch === epoch ? written.upTo : upTo }
  }

  async function mayRelease({ name, definition, params }: ChannelRef, user: User, payload: unknown) {
    const { claim } = payload as { claim: number }
    const channel = { name, definition, params }
    const { claims, seq } = await fold(channel)
    // One that isn't in the log yet would be ended by whoever guessed its place.
    if (claim > seq) return false
    const live = claims.find((one) => one.seq === claim)
    if (!live || live.user.id === user.id) return true
    const { members } = await realtime().members(channel)
    return members?.every((member) => member.user.id !== live.user.id) ?? false
  }

  const holder: Locks["holder"] = async (channel, lock) => {
    requireLocks(channel)
    return lockHolder((await fold(channel)).claims, lock)
  }

  return {
    async permits({ user, channel, event, payload }) {
      if (event === "lock-released") return mayRelease(channel, user, payload)
      if (event !== "lock-claimed" || (await fold(channel)).claims.length < maxClaims) return true
      const message = `unable to claim the lock; the channel has ${maxClaims} claims, release others first`
      throw new RealtimeError("rate-limited", { message, retryable: false })
    },
    holder,
    async guard(channel, lock, { token, user }) {
      const held = await holder(channel, lock)
      if (held?.seq === token && held.user.id === user.id) return
      const why = held ? "somebody else holds it by now" : "nobody holds it"
      throw new RealtimeError("conflict", { message: `unable to write under the lock "${lock}"; ${why}` })
    },
  }
}

/**
 * What was read follows what is known, in the same log, and retention has taken no claim that no snapshot
 * has.
 */
function isContinuedBy({ epoch, seq, mark, claims, upTo }: Folded, { head, mark: found }: LogPage): boolean {
  const isSame = head.epoch === epoch && head.seq >= seq && !areOfDifferentMessages(mark, found)
  return (
    isSame && head.first <= seq + 1 && !claims.some((claim) => claim.seq > upTo && claim.seq < head.first)
  )
}
