import { isRealtimeError, type OnError } from "../errors.ts"
import { createMessageId } from "../message-id.ts"
import { withinLimit } from "../within-limit.ts"
import type { DocumentStore, KeptDocument, KeptState } from "./document-store.ts"
import type { PendingUpdates } from "./update-sender.ts"

/** How soon after another time what the log hasn't is kept; the first time it is at once. */
const pendingMs = 50
/** How long a document stands still before all of it is kept. */
const idleMs = 2_000
/** And how long it may take where it never does. */
const longestMs = 20_000
/** How long to wait before a browser that has failed is asked again: twice as long each time. */
const [firstRestMs, longestRestMs] = [1_000, 60_000]

/**
 * How long the browser may take: until the log is read beside it, and until it is as good as one that keeps
 * nothing.
 */
const patience = { beforeLogMs: 300, inAllMs: 5_000 }
/** Once it has hung it isn't waited for as long, until it answers again: every document would wait. */
const noPatience: typeof patience = { beforeLogMs: 0, inAllMs: 1_000 }
let hasHung = false
const patienceNow = () => (hasHung ? noPatience : patience)

const failed = Symbol("failed")
type Failed = typeof failed

export interface DocumentKeeperOptions {
  channel: string
  /** Absent: nothing is kept. */
  store: DocumentStore | undefined
  /** What there is to keep of the document now; null while it isn't known, or mustn't be kept. */
  state(): KeptState | null
  pending(): PendingUpdates | null
  report: OnError
}

/**
 * Keeps a document in the browser as it changes: what the log hasn't at once, all of it once it
 * stands still.
 */
export interface DocumentKeeper {
  /** Calls back where the browser takes its time. Resolves with null where it keeps nothing. */
  open(onSlow: () => void): Promise<KeptDocument | null>
  /** What the store holds of other pages is in `pending` from now on; until then it is left as it is. */
  takeOver(): void
  /** Something has changed. */
  changed(): void
  /**
   * Keeps it now, by requests that are made before it returns. Resolves when that is done, or has failed.
   */
  keep(): Promise<void>
  /** Takes it away, and what comes later is kept again. */
  remove(): Promise<void>
  close(): void
}

export function createDocumentKeeper(options: DocumentKeeperOptions): DocumentKeeper {
  const { channel, store, state, pending, report } = options
  /** Its own name among the pages of a person. */
  let page = createMessageId()
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let changedAt = Number.NEGATIVE_INFINITY
  /** The browser isn't asked again before then. */
  let restsUntil = Number.NEGATIVE_INFINITY
  let failures = 0
  /** Since when something of the document isn't kept; null where all of it is. */
  let dirtySince: number | null = null
  /** Whether what is pending may be another than the store holds. */
  let isUrgent = false
  /** Whether the store holds the document: what the log hasn't can't be shown without. */
  let isStateKept = false
  /** Whether the store may hold something of this page's that the log hadn't. */
  let isPendingKept = false
  /** What other pages left, until it is taken over. */
  let left: readonly PendingUpdates[] = []
  /** Before the store has answered, a page would replace what that answer gives to it. */
  let isOpen = false
  let opening: Promise<KeptDocument | null> | undefined
  /** How often the store was told something: what it says to the last of these counts. */
  let turn = 0
  const answers = new Set<Promise<void>>()
  let isClosed = false

  /** A browser that keeps nothing is said once, until it works again. */
  async function ask<T>(doing: string, task: (store: DocumentStore) => Promise<T>): Promise<T | Failed> {
    if (!store) return failed
    try {
      const answer = await withinLimit(patienceNow().inAllMs, `${doing} the document`, () => {
        const asked = task(store)
        asked.then(answered, () => {})
        return asked
      })
      failures = 0
      hasHung = false
      return answer
    } catch (error) {
      if (failures === 0) report(error, { stage: `${doing} the document` })
      restsUntil = performance.now() + Math.min(longestRestMs, firstRestMs * 2 ** failures)
      failures += 1
      hasHung ||= isRealtimeError(error) && error.code === "timeout"
      return failed
    }
  }

  /** Also too late for whoever asked. */
  function answered(): void {
    if (failures === 0) return
    failures = 0
    hasHung = false
    restsUntil = Math.min(restsUntil, performance.now() + pendingMs)
    schedule()
  }

  async function openNow(onSlow: () => void): Promise<KeptDocument | null> {
    const slow = setTimeout(onSlow, patienceNow().beforeLogMs)
    const kept = await ask("open", (open) => open.open(channel, page))
    clearTimeout(slow)
    isOpen = true
    if (kept === failed) {
      // Should it be done in the end, what it gives is under the name before, where nobody replaces it.
      page = createMessageId()
      schedule()
      return null
    }
    if (turn > 0) return null
    isStateKept = kept.state !== null
    left = kept.pending
    isPendingKept = left.length > 0
    schedule()
    return kept
  }

  function stopTimer(): void {
    clearTimeout(timer)
    timer = undefined
    dueAt = Number.POSITIVE_INFINITY
  }

  function write(isIdle: boolean): void {
    stopTimer()
    const own = pending()
    const edits = own ? [...left, own] : left
    const isWhole = isIdle || !isStateKept
    const since = dirtySince
    const kept = isWhole && since !== null ? state() : null
    // Where it mustn't be kept now, it is changed again before it may.
    if (isWhole) dirtySince = null
    isUrgent = false
    if (!kept && edits.length === 0 && !isPendingKept) return
    isPendingKept = true
    restsUntil = performance.now() + pendingMs
    turn += 1
    const asked = turn
    const answer = ask("keep", (open) =>
      open.put(channel, page, { ...(kept && { state: kept }), pending: edits }),
    ).then((isThere) => {
      answers.delete(answer)
      if (isThere === failed) {
        isUrgent = true
        if (kept) dirtySince ??= since
      } else if (asked === turn) {
        isPendingKept = edits.length > 0
        // Another page has taken it away.
        if (isStateKept && !isThere) dirtySince ??= performance.now()
        isStateKept = isThere
      }
      schedule()
    })
    answers.add(answer)
  }

  const idleAt = (now: number) => Math.min(changedAt + idleMs, (dirtySince ?? now) + longestMs)

  function schedule(): void {
    const isKept = !isUrgent && dirtySince === null
    // One after the other: what changes meanwhile goes along.
    if (isKept || isClosed || !isOpen || answers.size > 0) return
    const now = performance.now()
    const soonest = Math.max(now, restsUntil)
    // What is due sooner is done first, and then it is looked again.
    if (dueAt <= soonest) return
    const isLeft = isUrgent && (isPendingKept || pending() !== null)
    const wanted = isLeft ? now : isStateKept ? idleAt(now) : Math.min(idleAt(now), now + pendingMs)
    const due = Math.max(soonest, wanted)
    if (dueAt <= due) return
    stopTimer()
    if (due <= now) write(now >= idleAt(now))
    else {
      dueAt = due
      timer = setTimeout(onTime, due - now)
    }
  }

  function onTime(): void {
    const now = performance.now()
    write(now >= idleAt(now))
    schedule()
  }

  return {
    async open(onSlow) {
      if (!store) return null
      opening = openNow(onSlow)
      return opening
    },
    takeOver() {
      left = []
    },
    changed() {
      changedAt = performance.now()
      dirtySince ??= changedAt
      isUrgent = true
      schedule()
    },
    async keep() {
      if (!isOpen) await opening
      if (isOpen && (isUrgent || dirtySince !== null || pending() !== null)) write(true)
      await Promise.all(answers)
    },
    async remove() {
      stopTimer()
      turn += 1
      const asked = turn
      left = []
      isStateKept = false
      isPendingKept = true
      const answer = await ask("remove", (open) => open.remove(channel, page))
      if (answer !== failed && asked === turn) isPendingKept = false
    },
    close() {
      isClosed = true
      stopTimer()
    },
  }
}
