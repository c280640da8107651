import type { ChannelRef } from "../channel.ts"
import { logError, type OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { jsonByteLength } from "../message.ts"
import type { Realtime } from "../server/types.ts"
import type { Snapshot, SnapshotPage } from "../snapshot.ts"
import { createLogDocument, type LogDocument } from "./log-document.ts"

/** What a compactor is made from. */
export interface DocumentCompactorOptions {
  /** The server's `createRealtime`, or what `throughline()` returns. */
  realtime: Pick<Realtime, "snapshot" | "history">
  /** After how many messages that no snapshot covers one is made. Default 200. */
  minMessages?: number | undefined
  /** Or after how many bytes of them, as JSON. Default 256 KiB. */
  minBytes?: number | undefined
  /** How long after `published` a document is looked at, so that one look serves many. Default 10 s. */
  delayMs?: number | undefined
  /**
   * Whether to remove the messages that a snapshot covers, but for what somebody needs who is a little
   * behind. Default false: the log keeps them as its retention says.
   */
  trim?: boolean | undefined
  /**
   * For hosts that let a process stand still once its requests are answered, as `after` of Next.js or
   * `waitUntil` of Vercel: takes the work, which then begins at once.
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError | undefined
}

/** What came of it. */
export interface CompactionResult {
  /**
   * - `written`: there is a new snapshot.
   * - `early`: what follows the newest isn't enough for another, or isn't whole yet.
   * - `overtaken`: somebody else wrote one meanwhile, or the log was replaced.
   */
  outcome: "written" | "early" | "overtaken"
  /** Up to which message the newest snapshot reaches, as far as this one knows; 0: there is none. */
  upTo: number
}

/** Server: makes the snapshots of documents, of their logs alone. */
export interface DocumentCompactor {
  /**
   * A message of this document was published, or is about to be: it is looked at after `delayMs`. Cheap, so
   * it may be called for each. With `waitUntil` it is looked at at once, for the first in a process and then
   * as often as there may be enough.
   */
  published(channel: ChannelRef): void
  /**
   * Looks now, and makes a snapshot where there is enough for one, or, with `always`, where there is
   * anything. Rejects as `history` and the snapshot's `write` do, and with `invalid-request` where the log
   * lacks messages that follow the snapshot, or neither of its snapshots makes sense.
   */
  compact(channel: ChannelRef, options?: { always?: boolean }): Promise<CompactionResult>
  /** Waits for what is under way, and makes none any more. */
  close(): Promise<void>
}

const pageSize = 500
/**
 * Without timers: how often it is looked whether there is enough, on the way from one snapshot to the
 * next.
 */
const looksPerSnapshot = 10
/** Of how many documents a process knows how many messages it published. */
const maxCounted = 10_000

/**
 * Server: makes snapshots of documents, so that a page that opens one needn't read all of its messages. Any
 * number of processes may do it at once: of those that write onto the same snapshot one does.
 *
 * ```ts
 * const documents = defineChannel("document:{document}", { messages: { update: yjsUpdate() } })
 * const compactor = createDocumentCompactor({ realtime })
 * // Wherever a publish is heard of, as in `authorize`:
 * compactor.published(documents({ document: "7" }))
 * ```
 */
export function createDocumentCompactor(options: DocumentCompactorOptions): DocumentCompactor {
  const { realtime, minMessages = 200, minBytes = 256 * 1024, delayMs = 10_000, waitUntil } = options
  const onError = createReporter(options.onError ?? logError)
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  /** Without timers: how many were published in this process since it last looked. */
  const counts = new Map<string, number>()
  /** One document at a time: each of them is in memory as a whole. */
  let turn: Promise<unknown> = Promise.resolve()
  let isClosed = false

  async function build(channel: ChannelRef, page: SnapshotPage, base: Snapshot | null): Promise<Built> {
    const document = createLogDocument(base?.upTo ?? 0, base?.bytes ?? null)
    const built: Built = { document, bytes: 0, messages: 0 }
    try {
      await readOn(channel, page, built)
    } catch (error) {
      document.destroy()
      throw error
    }
    return built
  }

  async function readOn(
    channel: ChannelRef,
    page: SnapshotPage,
    built: Built,
    end = Number.POSITIVE_INFINITY,
  ) {
    const { document } = built
    let { head, messages } = page
    for (;;) {
      if (head.first > document.seq + 1 && head.seq > document.seq) throw holeAfter(document.seq)
      const next = messages.filter(({ seq }) => seq <= end)
      document.take(next)
      for (const message of next) built.bytes += jsonByteLength(message.payload)
      built.messages += next.length
      if (document.seq >= Math.min(head.seq, end) || next.length === 0) return
      ;({ head, messages } = await realtime.history(channel, { after: document.seq, limit: pageSize }))
    }
  }

  async function look(channel: ChannelRef, always: boolean): Promise<CompactionResult> {
    const slot = realtime.snapshot(channel)
    const newest = await slot.read()
    const upTo = newest.snapshot?.upTo ?? 0
    const base = await readable(newest, (before) => slot.read({ before }))
    const built = await build(channel, base.page, base.page.snapshot)
    try {
      const { document, bytes, messages } = built
      const isEnough = always || messages >= minMessages || bytes >= minBytes || base.isEarlier
      const end = document.cleanUpTo
      if (!isEnough || end <= upTo) return { outcome: "early", upTo }
      if (document.passedOver > 0)
        onError(passedOver(channel, document.passedOver), { stage: "compact the document" })
      const state = await stateAt(channel, base.page, built, end)
      const { epoch } = newest.head
      const written = await slot.write({ epoch, upTo: end, ifUpTo: upTo, bytes: state })
      if (written.isWritten && options.trim) await slot.trim()
      return { outcome: written.isWritten ? "written" : "overtaken", upTo: written.upTo }
    } finally {
      built.document.destroy()
    }
  }

  /** As the document was there: what came after it may be half of something. */
  async function stateAt(channel: ChannelRef, page: SnapshotPage, built: Built, end: number) {
    if (built.document.seq === end) return built.document.state()
    const { snapshot } = page
    const again: Built = {
      document: createLogDocument(snapshot?.upTo ?? 0, snapshot?.bytes ?? null),
      ...{ bytes: 0, messages: 0 },
    }
    try {
      await readOn(channel, page, again, end)
      return again.document.state()
    } finally {
      again.document.destroy()
    }
  }

  function compact(channel: ChannelRef, always = false): Promise<CompactionResult> {
    const result = turn.then(() => {
      if (isClosed) throw closedError()
      return look(channel, always)
    })
    turn = result.catch(() => {
      // Whoever asked is told.
    })
    return result
  }

  function later(channel: ChannelRef): void {
    timers.delete(channel.name)
    compact(channel).catch((error) => {
      if (!isClosed) onError(error, { stage: "compact the document" })
    })
  }

  return {
    published(channel) {
      if (isClosed) return
      const { name } = channel
      if (!waitUntil) {
        if (!timers.has(name))
          timers.set(
            name,
            setTimeout(() => later(channel), delayMs),
          )
        return
      }
      // Of a process that has just begun nobody knows how many there are already.
      const count = (counts.get(name) ?? minMessages) + 1
      const isDue = count * looksPerSnapshot >= minMessages
      if (counts.size >= maxCounted) counts.clear()
      counts.set(name, isDue ? 0 : count)
      if (!isDue) return
      waitUntil(compact(channel).catch((error) => onError(error, { stage: "compact the document" })))
    },
    compact: (channel, { always } = {}) => compact(channel, always),
    async close() {
      isClosed = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
      await turn
    },
  }
}

interface Built {
  document: LogDocument
  /** Of the messages that the snapshot doesn't cover. */
  bytes: number
  messages: number
}

/** What to begin with: the newest snapshot, or the one before it where that makes no sense. */
async function readable(
  newest: SnapshotPage,
  earlier: (before: number) => Promise<SnapshotPage>,
): Promise<{ page: SnapshotPage; isEarlier: boolean }> {
  if (!newest.snapshot || makesSense(newest.snapshot)) return { page: newest, isEarlier: false }
  const page = await earlier(newest.snapshot.upTo)
  if (page.snapshot && !makesSense(page.snapshot)) throw unreadable()
  return { page, isEarlier: true }
}

function makesSense({ upTo, bytes }: Snapshot): boolean {
  try {
    createLogDocument(upTo, bytes).destroy()
    return true
  } catch {
    return false
  }
}

const holeAfter = (seq: number) =>
  new RealtimeError("invalid-request", {
    message: `unable to compact the document; the log lacks the messages that follow ${seq}`,
  })

const unreadable = () =>
  new RealtimeError("invalid-request", {
    message: "unable to compact the document; neither its snapshot nor the one before it makes sense",
  })

const passedOver = ({ name }: ChannelRef, count: number) =>
  new RealtimeError("invalid-payload", {
    message: `unable to apply ${count} messages of "${name}"; they carry no update, and are passed over`,
  })

const closedError = () =>
  new RealtimeError("not-connected", {
    message: "unable to compact the document; the compactor was closed",
    retryable: false,
  })
