import { type BackOff, backOffMs } from "../back-off.ts"
import type { AnyChannelDefinition } from "../channel.ts"
import { isDenial, isPassing, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { type Cursor, markOf } from "../message.ts"
import { parseSnapshotPage, type SnapshotPage } from "../snapshot.ts"
import { withResolvers } from "../with-resolvers.ts"
import { isFollowed } from "./is-followed.ts"
import type { Channel, ChannelMessage, ChannelSubscription, SubscribeOptions } from "./types.ts"

/** What a page builds on from here: all that it built before is none of it. */
export interface SnapshotStart {
  /** Of the log: what belongs to another one is another document. */
  epoch: string
  /** Up to which message it reaches; 0 where there is no snapshot. */
  upTo: number
  /** As server code wrote them; null where there is no snapshot: the messages are everything. */
  bytes: Uint8Array | null
  /**
   * Why it is handed over. `begun`: the page knows nothing yet. `gap`: retention took what followed the
   * page's place, and the snapshot has it. `reset`: the log was replaced or went back, and what the page has
   * may never have been.
   */
  reason: "begun" | "gap" | "reset"
}

/** What `followSnapshot` calls. One that throws stops nobody else: its error goes to `onError`. */
export interface SnapshotHandlers<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Begin with this, again where something was built before. */
  onSnapshot(start: SnapshotStart): void
  /** Consecutive messages that follow, oldest first, each once. */
  onMessages(messages: ChannelMessage<D>[]): void
  /** The messages from `from` to `to` are gone for good, and no snapshot has them. */
  onGap?(gap: { from: number; to: number }): void
  /** After an interruption: everything up to now was handed over. */
  onCaughtUp?(): void
}

/** A page's place in a channel that it follows from its snapshot. */
export interface SnapshotSubscription {
  /**
   * Resolves when everything up to now was handed over and the provider delivers; rejects with
   * `not-connected` when it ends before.
   */
  readonly ready: Promise<void>
  /** The position of what was handed over last; null until there is any. Give it to another as `since`. */
  readonly cursor: Cursor | null
  /** Ends it: nothing is called any more. Idempotent. */
  unsubscribe(): void
}

const backOff: BackOff = { firstMs: 300, maxMs: 10_000 }
/** Of a server that says no such thing is there: another release of it may stand beside it. */
const unknownMs = 60_000

/**
 * Browser: begins with the channel's snapshot and hands over each message that follows it once, in order,
 * whatever happens to the connection. Where retention took what the page missed, or the log was replaced, it
 * begins with the newest snapshot again. With `since` it goes on from there, and reads the snapshot only for
 * such a reason. Whoever may subscribe may read it.
 */
export function followSnapshot<D extends AnyChannelDefinition>(
  channel: Channel<D>,
  handlers: SnapshotHandlers<D>,
  { since }: SubscribeOptions = {},
): SnapshotSubscription {
  const ready = withResolvers<void>()
  // Waiting for `ready` is the caller's choice; not waiting must not crash a process.
  ready.promise.catch(() => {})
  const source = channel.join()
  let place: Cursor | null = since ?? null
  /** The log's own, from there on; null while the snapshot is read. */
  let stream: ChannelSubscription | null = null
  let reason: SnapshotStart["reason"] = "begun"
  /** What isn't in the log: it is told where no snapshot has it. */
  let lost: { from: number; to: number } | null = null
  let isEnded = false
  let isReading = false
  let failures = 0
  let pausing: ReturnType<typeof setTimeout> | undefined

  const call = (stage: keyof SnapshotHandlers, handler: () => unknown) => {
    if (!isEnded) guard(channel.report, stage, handler)
  }

  function resume(): void {
    pausing = undefined
    if (isFollowed(channel) && !isEnded && !stream && !isReading) void read()
  }

  const stopFollowing = channel.onStatus(() => {
    clearTimeout(pausing)
    resume()
  })

  async function read(): Promise<void> {
    isReading = true
    try {
      const page = parseSnapshotPage(await source.post("snapshot", { channel: channel.name }))
      failures = 0
      if (!isEnded) take(page)
    } catch (error) {
      if (isEnded) return
      // Whoever is let in again is told by the channel.
      if (isDenial(error)) return source.shutOut(error)
      failures += 1
      channel.report(error, { stage: "read the snapshot" })
      pausing = setTimeout(resume, isPassing(error) ? backOffMs(backOff, failures, error) : unknownMs)
    } finally {
      isReading = false
    }
  }

  function take({ snapshot, head, messages, mark }: SnapshotPage): void {
    const { epoch, first } = head
    const upTo = snapshot?.upTo ?? 0
    if (place && place.epoch !== epoch) reason = "reset"
    if (place?.epoch !== epoch || place.seq < upTo) {
      place = { epoch, seq: upTo, ...(mark !== undefined && { mark }) }
      const start = { epoch, upTo, bytes: snapshot?.bytes ?? null, reason }
      call("onSnapshot", () => handlers.onSnapshot(start))
    } else if (lost) skip(lost)
    lost = null
    if (first > place.seq + 1) skip({ from: place.seq + 1, to: first - 1 })
    const { seq } = place
    const following = messages.filter((message) => message.channel === channel.name && message.seq > seq)
    const last = following.at(-1)
    if (last && following[0]?.seq === seq + 1) {
      place = { epoch, seq: last.seq, mark: markOf(last) }
      call("onMessages", () => handlers.onMessages(following as ChannelMessage<D>[]))
    }
    if (!isEnded) follow(place)
  }

  function skip(gap: { from: number; to: number }): void {
    place = { epoch: place?.epoch ?? "", seq: gap.to }
    call("onGap", () => handlers.onGap?.(gap))
  }

  function follow(from: Cursor): void {
    const followed = channel.subscribe(
      {
        onMessages: (messages) => call("onMessages", () => handlers.onMessages(messages)),
        onGap(gap) {
          lost = gap
          beginAgain("gap", { epoch: followed.cursor?.epoch ?? "", seq: gap.from - 1 })
        },
        onReset: () => beginAgain("reset", null),
        onCaughtUp: () => call("onCaughtUp", () => handlers.onCaughtUp?.()),
      },
      { since: from },
    )
    stream = followed
    followed.ready.then(ready.resolve, () => {})
  }

  function beginAgain(why: SnapshotStart["reason"], from: Cursor | null): void {
    stream?.unsubscribe()
    stream = null
    reason = why
    place = from
    resume()
  }

  if (place) follow(place)
  else resume()
  return {
    ready: ready.promise,
    get cursor() {
      return stream ? stream.cursor : place
    },
    unsubscribe() {
      if (isEnded) return
      isEnded = true
      clearTimeout(pausing)
      stopFollowing()
      stream?.unsubscribe()
      source.release()
      const message = "unable to wait; the subscription was ended"
      ready.reject(new RealtimeError("not-connected", { message }))
    },
  }
}
