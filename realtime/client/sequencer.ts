import type { Cursor, LogHead, LogPage, RealtimeMessage, WireMessage } from "../message.ts"

/**
 * The delivery contract: turns what providers lose, repeat and reorder into each message once, in `seq` order.
 * Pure: no I/O, no clock. Tell it what happened; do what it answers, in order.
 *
 *     unpositioned ──page──▶ current ──a seq is missing · a head is ahead · a body is missing──▶ behind
 *      (live waits)             ▲ └──another epoch──▶ behind            (fetch asked for or under way)
 *                               └──────────page that fills · gap · reset────────────────────────┘
 */
export interface Sequencer {
  /** The last message handed out; null until positioned. */
  readonly cursor: Cursor | null
  /** True when positioned and nothing is known to be missing. */
  readonly isCurrent: boolean
  /** Live deliveries, as the provider brought them. */
  receive(messages: readonly WireMessage[]): SequencerAction[]
  /** What the log holds after `after`: the answer to a `fetch`, or a catch-up that came with the subscription. */
  page(page: LogPage, after: Cursor | null): SequencerAction[]
  /** A look at the head of the log, asked for when the cursor stood at `after`. */
  head(head: LogHead, after: Cursor | null): SequencerAction[]
  /** The `fetch` under way failed: asks for it again. Call it after a pause. */
  retry(): SequencerAction[]
  /**
   * Something may have been missed (a reconnect): asks for whatever follows the cursor. A read that is under way began
   * too early to know, so another follows it.
   */
  resume(): SequencerAction[]
}

export type SequencerAction =
  /** Hand these to the application: consecutive, each for the first time. */
  | { type: "deliver"; messages: RealtimeMessage[] }
  /**
   * Read the log after this cursor (null: its head is enough), then call `page`, or `retry` on failure. There is one
   * at a time. When `isStalled`, the last one brought nothing new: pause before this one.
   */
  | { type: "fetch"; after: Cursor | null; isStalled: boolean }
  /** The messages from `from` to `to`, both included, are gone from the log and will never come. */
  | { type: "gap"; from: number; to: number }
  /** The log was replaced or went back: what was shown belongs to another life. Delivery goes on after `cursor`. */
  | { type: "reset"; previous: Cursor; cursor: Cursor }

export interface SequencerOptions {
  /** Where the application stands; null or absent: deliver what comes after the head at the time of attachment. */
  cursor?: Cursor | null
  /** How many early messages may wait for a missing one; those past it are read from the log later. */
  maxWaiting?: number
  /** How many fetches in a row may bring nothing before what is missing counts as gone. */
  maxStalls?: number
}

export function createSequencer(options: SequencerOptions = {}): Sequencer {
  const { maxWaiting = 1000, maxStalls = 5 } = options
  let cursor: Cursor | null = options.cursor ?? null
  /** The newest message known to exist, delivered or not. */
  let known: Cursor | null = cursor
  let isFetching = false
  /** Asked to look again while a look was under way. */
  let isDoubted = false
  let stalls = 0
  /** What came early, by `seq`. A message without its body waits too: it says that there is something to fetch. */
  const waiting = new Map<number, WireMessage>()

  const isBehind = () =>
    cursor !== null && known !== null && known.epoch === cursor.epoch && known.seq > cursor.seq

  function learn(seen: Cursor): void {
    if (known?.epoch !== seen.epoch || known.seq < seen.seq) known = { epoch: seen.epoch, seq: seen.seq }
  }

  function wait(message: WireMessage): void {
    if (!message.bodyless || !waiting.has(message.seq)) waiting.set(message.seq, message)
    if (waiting.size > maxWaiting) waiting.delete(Math.max(...waiting.keys()))
  }

  function moveTo(next: Cursor): void {
    cursor = next
    learn(next)
    for (const { seq, epoch } of waiting.values()) {
      if (epoch !== next.epoch || seq <= next.seq) waiting.delete(seq)
    }
  }

  /** Hands out whatever follows the cursor without a hole. */
  function drain(): SequencerAction[] {
    if (!cursor) return []
    const messages: RealtimeMessage[] = []
    let seq = cursor.seq
    for (let next = waiting.get(seq + 1); next && !next.bodyless; next = waiting.get(seq + 1)) {
      waiting.delete(next.seq)
      messages.push(next as RealtimeMessage)
      seq = next.seq
    }
    if (messages.length === 0) return []
    cursor = { epoch: cursor.epoch, seq }
    learn(cursor)
    stalls = 0
    return [{ type: "deliver", messages }]
  }

  function fetch(): SequencerAction[] {
    if (isFetching) return []
    isFetching = true
    return [{ type: "fetch", after: cursor, isStalled: stalls > 0 }]
  }

  function fetchIfBehind(): SequencerAction[] {
    if (isDoubted && !isFetching) {
      isDoubted = false
      return fetch()
    }
    return isBehind() ? fetch() : []
  }

  /** A head that was read when the cursor stood at `after` belongs to another log, or to one that lost its end. */
  function contradicts(head: LogHead, after: Cursor | null): boolean {
    if (!cursor) return false
    return head.epoch !== cursor.epoch || (after?.epoch === head.epoch && head.seq < after.seq)
  }

  /** The application starts over. One more look follows, for what was dropped while two lives were mixed. */
  function reset(head: LogHead): SequencerAction[] {
    const previous = cursor as Cursor
    stalls = 0
    known = null
    waiting.clear()
    moveTo({ epoch: head.epoch, seq: head.seq })
    return [{ type: "reset", previous, cursor: cursor as Cursor }, ...fetch()]
  }

  function skipTo(to: number): SequencerAction {
    const { epoch, seq } = cursor as Cursor
    stalls = 0
    moveTo({ epoch, seq: to })
    return { type: "gap", from: seq + 1, to }
  }

  /** Reading the log again and again did not bring what is known to exist. */
  function giveUp(head: LogHead): SequencerAction[] {
    const { seq } = cursor as Cursor
    if (known && head.seq < known.seq) return reset(head)
    const next = Math.min(
      ...[...waiting.values()].filter((early) => !early.bodyless).map((early) => early.seq),
    )
    const to = Number.isFinite(next) && next > seq + 1 ? next - 1 : head.seq
    return [skipTo(to), ...drain(), ...fetchIfBehind()]
  }

  return {
    get cursor() {
      return cursor
    },
    get isCurrent() {
      return cursor !== null && !isFetching && !isBehind()
    },

    receive(messages) {
      let isForeign = false
      for (const message of messages) {
        if (cursor && message.epoch !== cursor.epoch) {
          isForeign = true
        } else if (!cursor || message.seq > cursor.seq) {
          learn(message)
          wait(message)
        }
      }
      return [...drain(), ...(isForeign ? fetch() : fetchIfBehind())]
    },

    page({ head, messages }, after) {
      isFetching = false
      if (contradicts(head, after)) return reset(head)
      if (!cursor) {
        moveTo({ epoch: head.epoch, seq: head.seq })
        return [...drain(), ...fetchIfBehind()]
      }
      const before = cursor.seq
      const actions = head.first > before + 1 ? [skipTo(head.first - 1)] : []
      learn(head)
      for (const message of messages) {
        if (message.epoch === head.epoch && message.seq > cursor.seq) waiting.set(message.seq, message)
      }
      actions.push(...drain())
      if (!isBehind() || isDoubted || cursor.seq > before) return [...actions, ...fetchIfBehind()]
      stalls += 1
      return stalls > maxStalls ? giveUp(head) : fetch()
    },

    head(head, after) {
      if (!cursor || contradicts(head, after)) return fetch()
      learn(head)
      return fetchIfBehind()
    },

    retry() {
      isFetching = false
      return fetch()
    },

    resume() {
      isDoubted = isFetching
      return fetch()
    },
  }
}
