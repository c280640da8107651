import { AsyncResource } from "node:async_hooks"
import { RealtimeError } from "../errors.ts"
import { markTold } from "../guard.ts"
import type { AppendResult, LogEntry, MessageLog } from "../log/message-log.ts"

export interface CommitQueue {
  /**
   * Appends entries in the order of the calls; resolves when they are durable
   * and `onCommit` is done with them.
   */
  add(entries: readonly LogEntry[]): Promise<AppendResult[]>
  /** Resolves when what was added until now is answered, whatever is added meanwhile. */
  idle(): Promise<void>
}

export interface CommitQueueOptions {
  log: MessageLog
  /** The most entries of one transaction. */
  maxGroup?: number
  /** The most entries that may wait; past it `add` rejects with `rate-limited`. */
  maxWaiting?: number
  /** The longest time from one commit to the next that is waited for company, in milliseconds. */
  gatherMs?: number
  /**
   * Hands on each committed group: what was committed together leaves together. The
   * next commit doesn't wait for it.
   */
  onCommit(entries: readonly LogEntry[], results: readonly AppendResult[]): Promise<void>
  /** Told why when the log stops taking messages: once, until it has taken some again. */
  onOutage?: (error: unknown) => void
}

interface Waiting extends PromiseWithResolvers<AppendResult[]> {
  entries: readonly LogEntry[]
  /** What the caller is doing. */
  caller: AsyncResource
}

/** Of so many calls, each bears so little of the commit that waiting for more pays no longer. */
const enoughCalls = 64
/**
 * A group gathers in slices of so long, and no longer after one in which nobody came: 4 to 8 ms after the
 * last call, since a slice counts from its own start.
 */
const silenceMs = 4

/**
 * Group commit: while one transaction is being written the next group gathers, so that the number of
 * transactions follows the disk's pace and not the number of messages. On a fast disk it follows the
 * clock: when the last group was of several calls, the next one gathers for as long as calls keep coming,
 * `gatherMs` at most. A quiet server commits groups of one, at once.
 */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  const { log, maxGroup = 500, maxWaiting = 20_000, gatherMs = 25, onCommit, onOutage } = options
  let waiting: Waiting[] = []
  let waitingCount = 0
  let isDraining = false
  let hadCompany = false
  let isOut = false
  /** By `performance.now()`. */
  let committedAt = 0
  let stopGathering: (() => void) | null = null
  /** Calls that aren't answered yet. */
  const unanswered = new Set<Promise<unknown>>()

  function takeGroup(): Waiting[] {
    let count = 0
    let end = 0
    for (; end < waiting.length; end += 1) {
      count += waiting[end]?.entries.length ?? 0
      if (end > 0 && count > maxGroup) break
    }
    const group = waiting.slice(0, end)
    waiting = waiting.slice(end)
    waitingCount -= group.reduce((sum, { entries }) => sum + entries.length, 0)
    return group
  }

  async function commit(group: Waiting[]): Promise<void> {
    const entries = group.flatMap((call) => call.entries)
    let results: AppendResult[]
    try {
      results = await log.append(entries)
      if (results.length !== entries.length) {
        const message = `unable to append; the log answered for ${results.length} of ${entries.length} messages`
        throw new RealtimeError("internal", { message })
      }
      isOut = false
    } catch (error) {
      if (isOut) markTold(error)
      else onOutage?.(error)
      isOut = true
      for (const call of group) {
        unanswered.delete(call.promise)
        call.reject(error)
      }
      return
    }
    void onCommit(entries, results).then(() => {
      let start = 0
      for (const call of group) {
        unanswered.delete(call.promise)
        call.resolve(results.slice(start, start + call.entries.length))
        start += call.entries.length
      }
    })
  }

  async function drain(): Promise<void> {
    if (isDraining) return
    isDraining = true
    // One turn of the event loop, so that what arrived in the same read of the network is one group.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      if (hadCompany) await gather()
      const group = takeGroup()
      hadCompany = group.length > 1
      // For several callers at once, in the name of the first: never of whoever found the
      // queue empty a thousand groups ago.
      await group[0]?.caller.runInAsyncScope(commit, null, group)
      committedAt = performance.now()
    }
    isDraining = false
  }

  async function gather(): Promise<void> {
    for (let seen = 0; seen < waiting.length && waiting.length < enoughCalls; ) {
      seen = waiting.length
      const leftMs = committedAt + gatherMs - performance.now()
      if (leftMs <= 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      stopGathering = resolve
      const timer = setTimeout(resolve, Math.min(silenceMs, leftMs))
      await promise
      clearTimeout(timer)
      stopGathering = null
    }
  }

  return {
    add(entries) {
      if (entries.length === 0) return Promise.resolve([])
      if (waitingCount + entries.length > maxWaiting) {
        const message = "unable to accept more messages; the log is behind"
        return Promise.reject(new RealtimeError("rate-limited", { message, retryAfterMs: 1000 }))
      }
      const answer = Promise.withResolvers<AppendResult[]>()
      waiting.push({ entries, caller: new AsyncResource("publish"), ...answer })
      unanswered.add(answer.promise)
      waitingCount += entries.length
      void drain()
      if (waiting.length >= enoughCalls) stopGathering?.()
      return answer.promise
    },
    async idle() {
      await Promise.allSettled(unanswered)
    },
  }
}
