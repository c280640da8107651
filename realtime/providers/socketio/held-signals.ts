import type { Signal } from "../../message.ts"

export interface HeldSignalsOptions {
  /** Whether a connection is behind, so that a signal would only wait on it. */
  isBehind(connection: string): boolean
  /** Whether it is there still, and in the channel. */
  isIn(connection: string, channel: string): boolean
  /** As one packet. */
  emit(connections: readonly string[], signals: readonly Signal[]): void
  /** How often connections that were behind are looked at again. Default 100 ms. */
  intervalMs?: number
}

export interface HeldSignals {
  /**
   * To each of these connections, now or once it isn't behind any more; of one
   * sender and event the newest only.
   */
  send(connections: Iterable<string>, signals: readonly Signal[]): void
  close(): void
}

/** For how long one is worth having: what comes later the page wouldn't show. */
const heldMs = 10_000
/** The most of one connection; of more, the oldest are let go. */
const maxHeld = 200

interface Held {
  signal: Signal
  since: number
}

/**
 * Keeps the newest signals for the connections that are behind: memory is bounded by who sends there, not by
 * how often or from how many pages.
 */
export function createHeldSignals({
  isBehind,
  isIn,
  emit,
  intervalMs = 100,
}: HeldSignalsOptions): HeldSignals {
  const heldBy = new Map<string, Map<string, Held>>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function hold(connection: string, key: string, signal: Signal): void {
    const held = heldBy.get(connection) ?? new Map<string, Held>()
    heldBy.set(connection, held)
    if (!isNewest(signal, held.get(key))) return
    held.delete(key)
    held.set(key, { signal, since: performance.now() })
    if (held.size > maxHeld) held.delete(held.keys().next().value as string)
    timer ??= setTimeout(release, intervalMs).unref()
  }

  function release(): void {
    timer = undefined
    const now = performance.now()
    for (const [connection, held] of heldBy) {
      // Looked at anew after each that it is given only: of one that is behind it costs what waits for it.
      let waits = isBehind(connection)
      for (const [key, { signal, since }] of held) {
        const isOfUse = now - since <= heldMs && isIn(connection, signal.channel)
        if (isOfUse && waits) continue
        held.delete(key)
        if (!isOfUse) continue
        emit([connection], [signal])
        waits = isBehind(connection)
      }
      if (held.size === 0) heldBy.delete(connection)
    }
    if (heldBy.size > 0) timer = setTimeout(release, intervalMs).unref()
  }

  return {
    send(connections, signals) {
      const keyed = signals.map((signal) => [keyOf(signal), signal] as const)
      const ready: string[] = []
      for (const connection of connections) {
        if (isBehind(connection)) for (const [key, signal] of keyed) hold(connection, key, signal)
        else {
          const held = heldBy.get(connection)
          if (held) for (const [key, signal] of keyed) if (isNewest(signal, held.get(key))) held.delete(key)
          ready.push(connection)
        }
      }
      if (ready.length > 0) emit(ready, signals)
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      heldBy.clear()
    },
  }
}

/** Several gateways may hand on one page's in another order than it counted them. */
function isNewest({ origin }: Signal, held: Held | undefined): boolean {
  const before = held?.signal.origin
  return origin?.page !== before?.page || (origin?.n ?? 0) >= (before?.n ?? 0)
}

/** By the person whom the server knows: pages are what they say they are, and could be any number. */
const keyOf = ({ channel, event, from }: Signal): string => JSON.stringify([channel, event, from.id])
