import { type BackOff, backOffMs } from "../back-off.ts"
import { isPageOver, RealtimeError } from "../errors.ts"
import type { OutboxEntries, OutboxEntry } from "./outbox-entries.ts"
import type { KeptMessages } from "./outbox-kept.ts"
import type { Attempt, SendAll } from "./outbox-send-all.ts"
import type { Reporting } from "./patience.ts"
import type { Exclusively } from "./tab-turns.ts"

const backOff: BackOff = { firstMs: 500, maxMs: 30_000 }
/** While somebody waits for the message that is next. */
const callersBackOff: BackOff = { firstMs: 250, maxMs: 5_000 }

export interface OutboxSenderOptions extends Reporting {
  entries: OutboxEntries
  kept: KeptMessages
  send: SendAll
  exclusively: Exclusively
}

/** Sends what a channel holds: one attempt at a time, and a pause after each that failed. */
export interface OutboxSender {
  /** Begins an attempt where there is something to send, unless one is under way. It ends the pause. */
  wake(): void
  /** Whether a pause is under way. */
  readonly isWaiting: boolean
  /** Why the last attempt failed, if it did. */
  readonly reason: RealtimeError | undefined
  /** Ends the attempt and the pause: what was being sent waits, and its answer changes nothing here. */
  stop(): void
}

export function createOutboxSender(channel: string, options: OutboxSenderOptions): OutboxSender {
  const { entries, kept, send, exclusively, isOpen, onError } = options
  let attempt: Attempt | undefined
  /** Attempts in a row by which no message got away. */
  let failures = 0
  /** Why the last attempt failed, if it did. */
  let lastReason: RealtimeError | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  /** What an attempt could send. */
  const waiting = () =>
    entries
      .inOrder(channel)
      .filter(
        ({ state, isReady, caller }) =>
          isReady && (state === "queued" || state === "failed") && (isOpen() || caller !== undefined),
      )

  /** What goes before anything that is kept: it needs neither the store nor a turn among the tabs. */
  function published(): OutboxEntry[] {
    const all = waiting()
    const end = all.findIndex(({ caller }) => !caller)
    return end < 0 ? all : all.slice(0, end)
  }

  /** What becomes of what is being sent when there will be no answer. */
  function interrupt(to: Partial<OutboxEntry>): void {
    for (const { id, state } of entries.inOrder(channel)) if (state === "sending") entries.change(id, to)
  }

  function endPause(): void {
    clearTimeout(timer)
    timer = undefined
  }

  async function drain(): Promise<void> {
    const [next] = waiting()
    if (attempt || !next) return
    const own: Attempt = { isOver: false, hasProgress: false }
    attempt = own
    endPause()
    let reason = null as RealtimeError | null
    try {
      if (next.caller) reason = await send(channel, published, own)
      else
        await exclusively(channel, async () => {
          if (own.isOver) return
          await kept.read(channel)
          reason = await send(channel, waiting, own)
        })
    } catch (cause) {
      onError(cause, { stage: "send the outbox" })
      const message = "unable to send the outbox; the client failed"
      reason = new RealtimeError("internal", { message, cause })
      interrupt({ state: "failed", error: reason })
    }
    if (own.isOver) return
    attempt = undefined
    lastReason = reason ?? undefined
    if (!reason || own.hasProgress) failures = 0
    if (reason) pauseAfter(reason)
    // What became ready while the lock was being given back, or comes behind what was published.
    else void drain()
  }

  function pauseAfter(reason: RealtimeError): void {
    // No pause brings its writer back: it goes when they are.
    if (isPageOver(reason)) return
    failures += 1
    const times = waiting()[0]?.caller ? callersBackOff : backOff
    timer = setTimeout(
      () => {
        timer = undefined
        void drain()
      },
      backOffMs(times, failures, reason),
    )
  }

  return {
    wake: drain,
    get isWaiting() {
      return timer !== undefined
    },
    get reason() {
      return lastReason
    },
    stop() {
      if (attempt) attempt.isOver = true
      attempt = lastReason = undefined
      failures = 0
      endPause()
      interrupt({ state: "queued" })
    },
  }
}
