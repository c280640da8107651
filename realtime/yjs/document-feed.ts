import { type BackOff, keepTrying } from "../back-off.ts"
import { followSnapshot, type SnapshotStart, type SnapshotSubscription } from "../client/follow-snapshot.ts"
import type { Channel, ChannelMessage, ChannelSource } from "../client/types.ts"
import { RealtimeError } from "../errors.ts"
import type { Cursor } from "../message.ts"
import { parseSnapshotPage } from "../snapshot.ts"

/** What a document is told of its log. */
export interface DocumentFeedHandlers {
  /** Begin with this; false where the snapshot can't be read. */
  onSnapshot(start: SnapshotStart): boolean
  onMessages(messages: ChannelMessage[]): void
  onCaughtUp(): void
  /** Everything up to now was handed over. False where something before it is missing. */
  onReady(): boolean
  /** There is nothing that can be read. */
  onUnreadable(error: RealtimeError): void
}

/** A document's log, from its snapshot on; from the snapshot before where the newest is of no use. */
export interface DocumentFeed {
  /** Begins, or begins again. */
  follow(since?: Cursor): void
  /** The position of what was handed over last. */
  readonly cursor: Cursor | null
  readonly isFollowing: boolean
  stop(): void
}

const backOff: BackOff = { firstMs: 300, maxMs: 10_000 }

export function createDocumentFeed(
  channel: Channel,
  source: Pick<ChannelSource, "post">,
  handlers: DocumentFeedHandlers,
): DocumentFeed {
  let following: SnapshotSubscription | null = null
  /** The newest snapshot that was begun with. */
  let begun: SnapshotStart | null = null
  /** Of the snapshot that was of no use: the one before it is asked for once. */
  let useless = 0

  function stop(): void {
    following?.unsubscribe()
    following = null
  }

  function follow(since?: Cursor): void {
    stop()
    const own = followSnapshot(
      channel,
      {
        onSnapshot(start) {
          begun = start
          if (!handlers.onSnapshot(start)) beginEarlier(start)
        },
        onMessages: handlers.onMessages,
        onCaughtUp: handlers.onCaughtUp,
        onGap({ from, to }) {
          const message = `unable to read the messages from ${from} to ${to}; retention removed them, and no snapshot has them`
          channel.report(new RealtimeError("invalid-request", { message }), { stage: "follow the document" })
        },
      },
      { since },
    )
    following = own
    own.ready.then(
      () => {
        if (following === own && !handlers.onReady() && begun) beginEarlier(begun)
      },
      () => {
        // It ended before: whoever ended it knows, or the channel tells.
      },
    )
  }

  /**
   * Begins with the snapshot before that one, as far as the log still has what follows it. What was applied
   * stays: it is part of the document either way.
   */
  function beginEarlier({ upTo, epoch }: SnapshotStart): void {
    if (upTo === 0) return
    if (upTo === useless) {
      stop()
      const message = "unable to read the document; neither its snapshot nor the one before it makes sense"
      handlers.onUnreadable(new RealtimeError("invalid-payload", { message }))
      return
    }
    useless = upTo
    stop()
    const read = async () =>
      parseSnapshotPage(await source.post("snapshot", { channel: channel.name, before: upTo }))
    const isWanted = () => following === null && useless === upTo
    keepTrying(read, {
      ...{ backOff, isWanted },
      onFailed: (error) => channel.report(error, { stage: "read the snapshot" }),
    }).then(
      ({ snapshot, head, mark }) => {
        if (!isWanted()) return
        const seq = snapshot?.upTo ?? 0
        const start = {
          epoch: head.epoch,
          upTo: seq,
          bytes: snapshot?.bytes ?? null,
          reason: "begun" as const,
        }
        if (head.epoch !== epoch || !handlers.onSnapshot(start)) return follow()
        follow({ epoch, seq, ...(mark !== undefined && { mark }) })
      },
      (error) => isWanted() && channel.report(error, { stage: "read the snapshot" }),
    )
  }

  return {
    follow(since) {
      useless = 0
      begun = null
      follow(since)
    },
    get cursor() {
      return following?.cursor ?? null
    },
    get isFollowing() {
      return following !== null
    },
    stop() {
      useless = 0
      stop()
    },
  }
}
