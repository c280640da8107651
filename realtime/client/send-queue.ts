import { type BackOff, backOffMs } from "../back-off.ts"
import { isRealtimeError, RealtimeError } from "../errors.ts"
import type { PublishReceipt } from "../message.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { batchOf, fewerThan, maxBatch } from "./batch.ts"

export interface SendQueue {
  send(message: OutgoingMessage, timeoutMs: number): Promise<PublishReceipt>
  /** Tries at once instead of at the end of the pause: the connection is back. */
  wake(): void
  /** Takes messages, as it does from the beginning, after a `close`. */
  open(): void
  /** Rejects everything that waits, and all that comes until it is opened again, with `not-connected`. */
  close(): void
}

export interface SendQueueOptions {
  /** One request; its results stand in the order of the messages. Rejects when there was no answer. */
  deliver(messages: readonly OutgoingMessage[]): Promise<PublishResult[]>
}

interface Waiting {
  message: OutgoingMessage
  /** When it may no longer be tried, by `performance.now()`. */
  deadline: number
  /** Why its last attempt failed; null before the first. */
  reason: RealtimeError | null
  resolve(receipt: PublishReceipt): void
  reject(error: RealtimeError): void
}

const backOff: BackOff = { firstMs: 250, maxMs: 5_000 }

/**
 * One channel's way out: keeps the order of the calls, and a pace that the server sets. While one request is under
 * way the next batch gathers; what fails in passing, at the server too, stays at the front, with its id, so that trying again is safe,
 * and is tried until its own time is over. A refused message doesn't hold up the next.
 */
export function createSendQueue({ deliver }: SendQueueOptions): SendQueue {
  let waiting: Waiting[] = []
  let isRunning = false
  let isClosed = false
  /** Counts the closings: what was begun before one concerns nobody after it. */
  let closings = 0
  let wake: () => void = () => {}

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Gives up on what has waited for long enough: each for the reason of its own last attempt. */
  function expire(obstacle: RealtimeError): void {
    const now = performance.now()
    const expired = waiting.filter(({ deadline }) => deadline <= now)
    waiting = waiting.filter(({ deadline }) => deadline > now)
    for (const { reject, reason } of expired) reject(reason ?? neverTried(obstacle))
  }

  /** Resolves with the reason why some of them wait, or with how many may go at once. */
  async function attempt(batch: Waiting[]): Promise<RealtimeError | number | null> {
    try {
      const results = await deliver(batch.map(({ message }) => message))
      let first: RealtimeError | null = null
      const done = new Set<Waiting>()
      results.forEach((result, index) => {
        const item = batch[index] as Waiting
        if ("error" in result && result.error.retryable) {
          first ??= result.error
          item.reason = result.error
          return
        }
        done.add(item)
        if ("receipt" in result) item.resolve(result.receipt)
        else item.reject(result.error)
      })
      waiting = waiting.filter((item) => !done.has(item))
      return first
    } catch (error) {
      const reason = isRealtimeError(error)
        ? error
        : new RealtimeError("internal", {
            message: "unable to publish; the transport failed",
            retryable: false,
            cause: error,
          })
      if (reason.retryable) {
        for (const item of batch) item.reason = reason
        return reason
      }
      if (reason.code === "message-too-large" && batch.length > 1) return fewerThan(batch.length)
      waiting = waiting.filter((item) => !batch.includes(item))
      for (const { reject } of batch) reject(reason)
      return null
    }
  }

  async function run(): Promise<void> {
    let failures = 0
    let most = maxBatch
    const begunAt = closings
    while (waiting.length > 0) {
      const reason = await attempt(batchOf(waiting, most, ({ message }) => message))
      if (begunAt !== closings) return
      if (typeof reason === "number") {
        most = reason
        continue
      }
      if (!reason) {
        failures = 0
        continue
      }
      failures += 1
      const nearest = Math.min(...waiting.map(({ deadline }) => deadline)) - performance.now()
      await pause(Math.max(0, Math.min(backOffMs(backOff, failures, reason), nearest)))
      if (begunAt !== closings) return
      expire(reason)
    }
    isRunning = false
  }

  return {
    send(message, timeoutMs) {
      if (isClosed) return Promise.reject(closedError())
      return new Promise((resolve, reject) => {
        waiting.push({ message, deadline: performance.now() + timeoutMs, reason: null, resolve, reject })
        if (isRunning) return
        isRunning = true
        // After the current task, so that calls made together leave together.
        queueMicrotask(() => void run())
      })
    },
    wake: () => wake(),
    open() {
      isClosed = false
    },
    close() {
      isClosed = true
      isRunning = false
      closings += 1
      wake()
      const abandoned = waiting
      waiting = []
      for (const { reject } of abandoned) reject(closedError())
    },
  }
}

const neverTried = (obstacle: RealtimeError) =>
  new RealtimeError("timeout", {
    message: `unable to publish; it wasn't attempted in its time, behind others that failed (${obstacle.code})`,
    cause: obstacle,
  })

const closedError = () =>
  new RealtimeError("not-connected", {
    message: "unable to publish; the client was closed",
    retryable: false,
  })
