import type { OnError } from "../errors.ts"
import { withinLimit } from "../within-limit.ts"
import type { DocumentStore, KeptDocument, KeptState } from "./document-store.ts"
import type { PendingUpdates } from "./update-sender.ts"

/** How soon what the log hasn't is kept: a page that ends has no time for the browser's database. */
const pendingMs = 50
/** How long a document stands still before all of it is kept. */
const idleMs = 2_000
/** And how long it may take where it never does. */
const longestMs = 20_000
/** How long the browser may take; one that hangs is as good as one that keeps nothing. */
const patienceMs = 5_000

export interface DocumentKeeperOptions {
  channel: string
  /** The page's own name among the pages of a person. */
  page: string
  /** Absent: nothing is kept. */
  store: DocumentStore | undefined
  /** What there is to keep of the document now; null while it isn't known, or mustn't be kept. */
  state(): KeptState | null
  pending(): PendingUpdates | null
  report: OnError
}

/**
 * Keeps a document in the browser as it changes: what the log hasn't soon, all of it when it stands still.
 */
export interface DocumentKeeper {
  open(): Promise<KeptDocument | null>
  /**
   * What the store holds of other pages' is this one's to send from now on, and to take away once it is
   * sent.
   */
  takeOver(): void
  /** Something has changed. */
  changed(): void
  /** Keeps it now. Resolves when that is done, or has failed. */
  keep(): Promise<void>
  /** Takes it away, and what comes later is kept again. */
  remove(): Promise<void>
  close(): void
}

export function createDocumentKeeper(options: DocumentKeeperOptions): DocumentKeeper {
  const { channel, page, store, state, pending, report } = options
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let changedAt = Number.NEGATIVE_INFINITY
  /** Since when something of the document isn't kept; null where all of it is. */
  let dirtySince: number | null = null
  /** Whether what is pending may be another than the store holds. */
  let isUrgent = false
  /** Whether the store holds the document: what the log hasn't is of no use without. */
  let isStateKept = false
  /** Whether the store holds something of this page's that the log hadn't. */
  let isPendingKept = false
  /** One after the other: the last one counts. */
  let writing: Promise<void> = Promise.resolve()
  let hasFailed = false
  let isClosed = false

  /** A browser that keeps nothing is said once, until it works again. */
  async function ask<T>(doing: string, task: (store: DocumentStore) => Promise<T>): Promise<T | null> {
    if (!store) return null
    try {
      const answer = await withinLimit(patienceMs, `${doing} the document`, () => task(store))
      hasFailed = false
      return answer
    } catch (error) {
      if (!hasFailed) report(error, { stage: `${doing} the document` })
      hasFailed = true
      return null
    }
  }

  function stopTimer(): void {
    clearTimeout(timer)
    timer = undefined
    dueAt = Number.POSITIVE_INFINITY
  }

  function write(isIdle: boolean): Promise<void> {
    stopTimer()
    const left = pending()
    const isWhole = isIdle || (left !== null && !isStateKept)
    const kept = isWhole && dirtySince !== null ? state() : null
    // Where it mustn't be kept now, it is changed again before it may.
    if (isWhole) dirtySince = null
    isUrgent = false
    if (!kept && !left && !isPendingKept) return writing
    isPendingKept = left !== null
    isStateKept ||= kept !== null
    writing = writing.then(async () => {
      await ask("keep", (open) => open.put(channel, page, { ...(kept && { state: kept }), pending: left }))
    })
    return writing
  }

  function schedule(): void {
    if (isClosed || !store) return
    const now = performance.now()
    const idleAt = Math.min(changedAt + idleMs, (dirtySince ?? now) + longestMs)
    const waitsShortly = isUrgent && (isPendingKept || pending() !== null)
    const due = waitsShortly ? Math.min(now + pendingMs, idleAt) : idleAt
    // What is due sooner is done first, and then it is looked again.
    if (dueAt <= due) return
    stopTimer()
    dueAt = due
    timer = setTimeout(() => void onTime(timer), Math.max(0, due - now))
  }

  async function onTime(own: typeof timer): Promise<void> {
    // One after the other: what changes meanwhile goes along.
    await writing
    if (timer !== own) return
    stopTimer()
    const now = performance.now()
    void write(now >= changedAt + idleMs || now >= (dirtySince ?? now) + longestMs)
    if (dirtySince !== null) schedule()
  }

  return {
    async open() {
      const kept = await ask("open", (open) => open.open(channel, page))
      isStateKept = (kept?.state ?? null) !== null
      return kept
    },
    takeOver() {
      isPendingKept = true
    },
    changed() {
      changedAt = performance.now()
      dirtySince ??= changedAt
      isUrgent = true
      schedule()
    },
    keep: () => write(true),
    async remove() {
      stopTimer()
      isPendingKept = isStateKept = false
      writing = writing.then(async () => void (await ask("remove", (open) => open.remove(channel))))
      return writing
    },
    close() {
      isClosed = true
      stopTimer()
      void writing.then(() => store?.close())
    },
  }
}
