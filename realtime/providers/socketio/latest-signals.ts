import type { Signal } from "../../message.ts"

export interface LatestSignalsOptions {
  /**
   * To everybody in their channel, as one packet; but for the connection that sent all of them. `own` are
   * those that came to this gateway first.
   */
  emit(signals: readonly Signal[], from: { sender: string | null; own: readonly Signal[] }): void
  /** The shortest time between two packets of a channel. Default 50 ms. */
  intervalMs?: number
}

/** Where a signal came from. */
export interface SignalSource {
  /** The connection that sent it; null: another process. */
  sender: string | null
  /** It came to this gateway first; else another one has told all of them. */
  isOwn: boolean
}

export interface LatestSignals {
  /** Now, or with the channel's next packet unless a newer one of its page and event takes its place. */
  send(signal: Signal, source: SignalSource): void
  close(): void
}

interface Waiting extends SignalSource {
  signal: Signal
}

/**
 * Gathers signals of which only each page's newest is worth anything: everybody in a channel is given one
 * packet of all senders each interval, encoded once, in place of one from each. The first after a pause goes
 * at once.
 */
export function createLatestSignals({ emit, intervalMs = 50 }: LatestSignalsOptions): LatestSignals {
  /** Channels that were given a packet within the last interval, by name, and what waits for the next. */
  const channels = new Map<string, { waiting: Map<string, Waiting>; timer: ReturnType<typeof setTimeout> }>()

  function send(channel: string, waiting: readonly Waiting[]): void {
    channels.set(channel, {
      waiting: new Map(),
      timer: setTimeout(() => end(channel), intervalMs).unref(),
    })
    const senders = new Set(waiting.map(({ sender }) => sender))
    const [only = null] = senders
    emit(
      waiting.map(({ signal }) => signal),
      {
        sender: senders.size === 1 ? only : null,
        own: waiting.filter(({ isOwn }) => isOwn).map(({ signal }) => signal),
      },
    )
  }

  function end(channel: string): void {
    const waiting = [...(channels.get(channel)?.waiting.values() ?? [])]
    channels.delete(channel)
    if (waiting.length > 0) send(channel, waiting)
  }

  return {
    send(signal, source) {
      const waiting = channels.get(signal.channel)?.waiting
      if (!waiting) return send(signal.channel, [{ signal, ...source }])
      const key = keyOf(signal)
      const before = waiting.get(key)?.signal.origin?.n ?? 0
      // Two gateways may hand on one page's in another order than it counted them.
      if ((signal.origin?.n ?? before) >= before) waiting.set(key, { signal, ...source })
    },
    close() {
      for (const { timer } of channels.values()) clearTimeout(timer)
      channels.clear()
    },
  }
}

/** Two pages of one person have a pointer each. What server code sends has no page. */
const keyOf = ({ event, from, origin }: Signal): string => JSON.stringify([event, from.id, origin?.page])
