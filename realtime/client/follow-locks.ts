import { RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { foldLocks, fromLockSnapshot, type LockClaim, type LocksDefinition, lockHolder } from "../locks.ts"
import type { PublishReceipt, User } from "../message.ts"
import { withResolvers } from "../with-resolvers.ts"
import { followSnapshot } from "./follow-snapshot.ts"
import type { Channel } from "./types.ts"

/** What `followLocks` takes besides. */
export interface FollowLocksOptions {
  /** Who this page's person is: `useUser()`. Locks are held by people, in whichever of their tabs. */
  user: Pick<User, "id">
  /** Called when something is another, with `locks.claims` to look at. */
  onChange?(): void
  /**
   * How long somebody whom this page has never seen in the channel may still come back, in milliseconds: as
   * the client's `presenceGraceMs`, which is for those whom it has seen. Default 4 s.
   */
  graceMs?: number
}

/** Browser: the locks of a channel, as its log has them. */
export interface FollowedLocks {
  /** All live claims, oldest first. The same array until something changes. */
  readonly claims: readonly LockClaim[]
  /** Who holds a lock; null: nobody. */
  holder(lock: string): LockClaim | null
  /**
   * The token by which this person holds the lock, for the server to check with each write; null while they
   * don't hold it, or have asked to release it.
   */
  token(lock: string): number | null
  /**
   * Asks for the lock. Resolves with its token once it is this person's: at once if they hold it. Rejects as
   * `publish` does, with `conflict` where the claim ended before its turn came: by `release`, because this
   * person was gone, or because the log was replaced; and with `not-connected` after `stop`.
   */
  claim(lock: string): Promise<number>
  /** Gives the lock up, or the place among those who wait. Resolves once that is in the log. */
  release(lock: string): Promise<void>
  /** Follows no more; claims stay as they are. Idempotent. */
  stop(): void
}

interface Waiting {
  lock: string
  receipt: PublishReceipt
  resolve(token: number): void
  reject(error: RealtimeError): void
}

const retryMs = 1_000

/**
 * Browser: follows the locks of a channel that `lockMessages` declares, which has presence, where whoever
 * claims is to be. Every page finds the same holder, since the log says it: the oldest claim that is live.
 * One ends when it is released; or when its person is gone from presence, by whoever waits next.
 *
 * ```ts
 * const locks = followLocks(client.channel(documentLocks({ document: "7" })), { user: { id: "u_1" } })
 * const token = await locks.claim("title")
 * console.log(token) // goes with each write: the server asks `locks.guard(ref, "title", { token, user })`
 * await locks.release("title")
 * ```
 */
export function followLocks<D extends LocksDefinition>(
  given: Channel<D>,
  { user, onChange, graceMs = 4_000 }: FollowLocksOptions,
): FollowedLocks {
  const channel = given as unknown as Channel<LocksDefinition>
  let claims: readonly LockClaim[] = []
  let place = { epoch: "", seq: 0 }
  let waiting: Waiting[] = []
  /** Claims, by their `seq`, whose release was asked for and isn't in the log yet. */
  const releasing = new Set<number>()
  /** People by id: whom this page has seen, and since when it misses the others. */
  const seen = new Set<string>()
  const missedSince = new Map<string, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let isStopped = false

  const own = (lock: string) =>
    claims.find((claim) => claim.lock === lock && claim.user.id === user.id && !releasing.has(claim.seq))

  function token(lock: string): number | null {
    const seq = own(lock)?.seq
    return seq !== undefined && lockHolder(claims, lock)?.seq === seq ? seq : null
  }

  function settle(): void {
    waiting = waiting.filter(({ lock, receipt, resolve, reject }) => {
      const held = token(lock)
      if (held !== null) resolve(held)
      else if (receipt.epoch !== place.epoch || receipt.seq > place.seq || own(lock)) return true
      else reject(ended("it was released, or its person was gone"))
      return false
    })
  }

  function changed(): void {
    for (const seq of releasing) if (!claims.some((claim) => claim.seq === seq)) releasing.delete(seq)
    settle()
    if (onChange) guard(channel.report, "followLocks", onChange)
    free()
  }

  /** Not to be seen for as long as somebody may take to come back. */
  function isGone(id: string, members: ReadonlySet<string>): boolean {
    if (id === user.id || members.has(id)) return false
    // The presence has kept whom it knew for the grace window.
    if (seen.has(id)) return true
    const now = performance.now()
    const since = missedSince.get(id) ?? now
    missedSince.set(id, since)
    const isOver = now - since >= graceMs
    if (!isOver) lookIn(since + graceMs - now)
    return isOver
  }

  function lookIn(ms: number): void {
    const at = performance.now() + ms
    if (isStopped || at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(free, ms)
  }

  /** Where all who stand before this person are gone, their claims end by the page of this one. */
  function free(): void {
    const people = channel.presence.snapshot?.members
    clearTimeout(timer)
    dueAt = Number.POSITIVE_INFINITY
    if (!people || isStopped) return
    const members = new Set(people.map((member) => member.user.id))
    for (const id of members) missedSince.delete(id)
    for (const mine of claims.filter(({ user: { id } }) => id === user.id)) {
      const before = claims.filter(({ lock, seq }) => lock === mine.lock && seq < mine.seq)
      if (before.every((claim) => isGone(claim.user.id, members)))
        for (const claim of before) if (!releasing.has(claim.seq)) void end(claim).catch(tryLater)
    }
    for (const id of members) seen.add(id)
  }

  function tryLater(error: unknown): void {
    channel.report(error, { stage: "free a lock" })
    lookIn(retryMs)
  }

  async function end({ lock, seq }: Pick<LockClaim, "lock" | "seq">): Promise<void> {
    releasing.add(seq)
    try {
      await channel.publish("lock-released", { lock, claim: seq })
    } catch (error) {
      releasing.delete(seq)
      throw error
    }
  }

  const following = followSnapshot(channel, {
    onSnapshot({ epoch, upTo, bytes, reason }) {
      if (reason === "reset") {
        // What was claimed in the new one already isn't lost.
        const lost = waiting.filter(({ receipt }) => epoch === place.epoch || receipt.epoch !== epoch)
        waiting = waiting.filter((one) => !lost.includes(one))
        for (const { reject } of lost) reject(ended("the log was replaced"))
        releasing.clear()
      }
      claims = fromLockSnapshot(bytes)
      place = { epoch, seq: upTo }
      changed()
    },
    onMessages(messages) {
      claims = foldLocks(claims, messages)
      place = { epoch: place.epoch, seq: messages.at(-1)?.seq ?? place.seq }
      changed()
    },
  })
  const stopWatching = channel.presence.subscribe(() => {
    // Who was there before the connection broke may be on their way back.
    if (channel.presence.snapshot === null) {
      seen.clear()
      missedSince.clear()
    }
    free()
  })

  return {
    get claims() {
      return claims
    },
    holder: (lock) => lockHolder(claims, lock),
    token,
    async claim(lock) {
      if (isStopped) throw stopped()
      const held = token(lock)
      if (held !== null) return held
      const receipt = await channel.publish("lock-claimed", { lock })
      if (isStopped) throw stopped()
      const { promise, resolve, reject } = withResolvers<number>()
      waiting.push({ lock, receipt, resolve, reject })
      settle()
      return promise
    },
    async release(lock) {
      const claim = own(lock)
      if (!claim) return
      const done = end(claim)
      settle()
      if (onChange) guard(channel.report, "followLocks", onChange)
      await done
    },
    stop() {
      if (isStopped) return
      isStopped = true
      clearTimeout(timer)
      stopWatching()
      following.unsubscribe()
      for (const { reject } of waiting.splice(0)) reject(stopped())
    },
  }
}

const ended = (why: string) =>
  new RealtimeError("conflict", { message: `unable to wait for the lock; ${why}` })

const stopped = () =>
  new RealtimeError("not-connected", {
    message: "unable to wait for the lock; it isn't followed any more",
    retryable: false,
  })
