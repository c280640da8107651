import { mergeUpdates } from "yjs"
import { isPageOver, isRealtimeError, RealtimeError } from "../errors.ts"
import type { PublishReceipt } from "../message.ts"
import { createMessageId } from "../message-id.ts"
import { fromPayloads, partSpan, toPayloads, type YjsUpdate } from "./update-parts.ts"

/** A message with edits on its way into the log. */
export interface SentPart {
  /** Under which it is published, each time. */
  readonly id: string
  /** What is published. */
  readonly payload: YjsUpdate
  /** Its place, once it is known to be there. */
  readonly seq?: number | undefined
}

/** Edits that the log may not have, as they outlive the page. */
export interface PendingUpdates {
  /** The log's that they were made on; null: none was known yet. */
  epoch: string | null
  /** What is on its way, with its ids: sent again, it is there once. */
  parts: readonly SentPart[]
  /** What comes after it, as one update. */
  gathered: Uint8Array | null
}

/** How the provider takes updates. */
export interface UpdateLimits {
  /** The most bytes of an update in one message. */
  maxBytes: number
  /** The shortest time from one message to the next, unless an update needs several. */
  windowMs: number
}

export interface UpdateSenderOptions {
  /**
   * Resolves once the message is in the log, and tries for as long as that may help; with null where that is
   * another log than the edit was made on.
   */
  publish(payload: YjsUpdate, id: string): Promise<PublishReceipt | null>
  /** Asked each time that something leaves. */
  limits(): UpdateLimits
  /** What waits is another number, or has other contents. */
  onChange(): void
  /** The server has said no: nothing more is sent, since all that follows builds on it. */
  onRefused(error: RealtimeError): void
}

/** A page's edits on their way into the log: gathered, merged, one batch of messages at a time. */
export interface UpdateSender {
  /** Takes an edit of this page. */
  add(update: Uint8Array): void
  /** Goes on with what an earlier page left. */
  restore(pending: PendingUpdates): void
  /** A message has come from the log: true where it is this page's own. */
  arrived(id: string, seq: number): boolean
  /** How many messages the log doesn't have; what is still gathered counts as one. */
  readonly unsent: number
  /** What would be lost with the page; null where that is nothing. */
  pending(): Omit<PendingUpdates, "epoch"> | null
  /** Whether nothing is sent now. */
  readonly isHeld: boolean
  /** Lets it go, at first and after a hold. */
  release(): void
  /** Keeps what isn't on its way. */
  hold(): void
  /** Sends what is gathered without waiting for the end of its window. */
  hurry(): void
  /** Forgets all of it, and what was this page's own. */
  discard(): void
}

/** How many ids of one's own are known again: by then they have come back. */
const maxRemembered = 1_000

export function createUpdateSender(options: UpdateSenderOptions): UpdateSender {
  const { publish, limits, onChange, onRefused } = options
  let gathered: Uint8Array[] = []
  let parts: SentPart[] = []
  /** Of what is under way: what was discarded is answered, too, and that is nothing any more. */
  let attempt: object | null = null
  let isHeld = true
  let beganAt = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined
  const own = new Set<string>()

  const unsentParts = () => parts.filter(({ seq }) => seq === undefined)

  /** As one, from then on: it is asked for with each edit, and there may be an hour's of them. */
  function merged(): Uint8Array | null {
    if (gathered.length > 1) gathered = [mergeUpdates(gathered)]
    return gathered[0] ?? null
  }

  function remember(id: string): void {
    own.add(id)
    if (own.size > maxRemembered) own.delete(own.values().next().value as string)
  }

  function sendIn(waitMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      void send()
    }, waitMs)
  }

  function schedule(): void {
    if (isHeld || attempt || timer !== undefined) return
    if (parts.length === 0 && gathered.length === 0) return
    sendIn(Math.max(0, beganAt + limits().windowMs - performance.now()))
  }

  /** What is gathered gets its ids, and its size: from here on it is the same whenever it is sent. */
  function divide(update: Uint8Array): void {
    const { maxBytes } = limits()
    if (update.length > maxBytes * partSpan) {
      isHeld = true
      onRefused(tooLarge(update.length, maxBytes * partSpan))
      return
    }
    gathered = []
    const payloads = toPayloads(update, maxBytes, createMessageId)
    parts = payloads.map((payload) => ({ id: createMessageId(), payload }))
    for (const { id } of parts) remember(id)
  }

  function place(id: string, seq: number): void {
    parts = parts.map((part) => (part.id === id ? { ...part, seq } : part))
  }

  /** Resolves with why a message didn't get into the log. */
  async function sendParts(current: object): Promise<RealtimeError | null> {
    const failures = await Promise.all(
      unsentParts().map(async ({ id, payload }) => {
        try {
          const receipt = await publish(payload, id)
          if (attempt !== current) return null
          if (!receipt) return ofAnotherLog()
          place(id, receipt.seq)
          onChange()
          return null
        } catch (cause) {
          return isRealtimeError(cause) ? cause : failed(cause)
        }
      }),
    )
    // By its place in the log an answer isn't needed any more.
    return unsentParts().length === 0 ? null : (failures.find((error) => error !== null) ?? null)
  }

  async function send(): Promise<void> {
    if (isHeld || attempt) return
    clearTimeout(timer)
    timer = undefined
    if (parts.length === 0) {
      const update = merged()
      if (update) divide(update)
      if (parts.length === 0) return
    }
    const current = {}
    attempt = current
    beganAt = performance.now()
    onChange()
    const error = await sendParts(current)
    if (attempt !== current) return
    attempt = null
    if (!error) finish()
    // Whoever holds the channel knows when it may go on.
    else if (isPageOver(error) || error.code === "not-connected") isHeld = true
    else if (!error.retryable) {
      isHeld = true
      onRefused(error)
    }
    onChange()
    schedule()
  }

  /** All of it is in the log; what is too far apart there counts for nobody, and goes again. */
  function finish(): void {
    const places = parts.map(({ seq }) => seq ?? 0)
    const isTogether = Math.max(...places) - Math.min(...places) < partSpan
    const again = isTogether ? null : fromPayloads(parts.map(({ payload }) => payload))
    parts = []
    if (again) gathered.unshift(again)
  }

  return {
    add(update) {
      gathered.push(update)
      onChange()
      schedule()
    },
    restore(pending) {
      const left = pending.gathered ? [pending.gathered] : []
      if (parts.length === 0 && !attempt) {
        parts = [...pending.parts]
        for (const { id } of parts) remember(id)
      } else if (pending.parts.length > 0)
        left.unshift(fromPayloads(pending.parts.map(({ payload }) => payload)))
      gathered.unshift(...left)
      onChange()
      schedule()
    },
    arrived(id, seq) {
      if (!own.has(id)) return false
      place(id, seq)
      if (parts.length > 0 && unsentParts().length === 0) {
        attempt = null
        finish()
        schedule()
      }
      onChange()
      return true
    },
    get unsent() {
      return unsentParts().length + (gathered.length > 0 ? 1 : 0)
    },
    pending() {
      if (parts.length === 0 && gathered.length === 0) return null
      return { parts, gathered: merged() }
    },
    get isHeld() {
      return isHeld
    },
    release() {
      isHeld = false
      schedule()
    },
    hold() {
      isHeld = true
      clearTimeout(timer)
      timer = undefined
    },
    hurry: () => void send(),
    discard() {
      clearTimeout(timer)
      timer = undefined
      gathered = []
      parts = []
      attempt = null
      own.clear()
      onChange()
    },
  }
}

const failed = (cause: unknown) =>
  new RealtimeError("internal", {
    message: "unable to send the edits; the client failed",
    cause,
    retryable: false,
  })

const tooLarge = (bytes: number, most: number) =>
  new RealtimeError("message-too-large", {
    message: `unable to send an update of ${bytes} bytes; the limit is ${most}`,
  })

const ofAnotherLog = () =>
  new RealtimeError("not-connected", { message: "unable to send the edits; the log was replaced" })
