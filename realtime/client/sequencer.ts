import {
  areOfDifferentMessages,
  type Cursor,
  cursorOf,
  type LogHead,
  type LogPage,
  markOf,
  type RealtimeMessage,
  type WireMessage,
} from "../message.ts"

/**
 * The delivery contract: turns what providers lose, repeat and reorder into each message once, in `seq`
 * order. Pure: no I/O, no clock. Tell it what happened; do what it answers, in order.
 *
 *                 a seq that is only late    ┌──▶ early ── `overdue` · a look ──┐
 *                 what fills it              │◀───┘                             ▼
 *     unpositioned ──page──▶ current ──────── something is missing ────────▶ behind ◀──┐
 *      live messages wait      ▲  ▲    a body · what a head shows             │ │      │ page with news
 *                              │  │    another epoch · `resume`               │ │      │
 *                              │  └────────── page that fills it ─────────────┘ │      │
 *                              │                      page that brings nothing  ▼      │
 *                              └─── `gap` or `reset` ◀── maxStalls in a row ── stalled ┘
 *
 * In *early* a moment is waited for what two deliveries that changed places bring by themselves; in *behind*
 * one `fetch` is asked for or under way, in *stalled* one after a pause. In every state but the first, what
 * follows the cursor is delivered and what comes early waits. A page says more than what it brings: its head
 * may be of another epoch, or another message stand at the cursor that it was asked for from (`reset`), and
 * it may keep less than what is missing (`gap`). One that ends before that cursor brings nothing.
 */
export interface Sequencer {
  /** The last message handed out; null until positioned. */
  readonly cursor: Cursor | null
  /** True when positioned and nothing is known to be missing. */
  readonly isCurrent: boolean
  /** Live deliveries, as the provider brought them. */
  receive(messages: readonly WireMessage[]): SequencerAction[]
  /** What the log holds after `after`: the answer to a `fetch`. */
  page(page: LogPage, after: Cursor | null): SequencerAction[]
  /** A look at the head of the log, asked for when the cursor stood at `after`. */
  head(head: LogHead, after: Cursor | null): SequencerAction[]
  /** The moment that a `wait` asked for is over: asks for what didn't come by itself. */
  overdue(): SequencerAction[]
  /** The `fetch` under way failed: asks for it again. Call it after a pause. */
  retry(): SequencerAction[]
  /** The `fetch` under way was refused: none is asked for until there is news, or `resume`. */
  abandon(): void
  /**
   * Something may have been missed (a reconnect): asks for whatever follows the cursor, unless that came with
   * it, as `page` does. A read that is under way began too early to know, so another follows it. Looks that
   * come this often say nothing of what a log that lags behind will bring: those in vain are counted anew.
   */
  resume(page?: LogPage, after?: Cursor | null): SequencerAction[]
}

export type SequencerAction =
  /** Hand these to the application: consecutive, each for the first time. */
  | { type: "deliver"; messages: RealtimeMessage[] }
  /**
   * Read the log after this cursor (null: its head is enough), then call `page`, or `retry` on failure. There
   * is one at a time. When `isStalled`, the last one brought nothing new: pause before this one.
   */
  | { type: "fetch"; after: Cursor | null; isStalled: boolean }
  /**
   * A message came before the one that it follows: call `overdue` in a moment, if the
   * sequencer isn't current by then.
   */
  | { type: "wait" }
  /** The messages from `from` to `to`, both included, are gone from the log and will never come. */
  | { type: "gap"; from: number; to: number }
  /**
   * The log was replaced or went back: what was shown belongs to another generation of it.
   * Delivery goes on after `cursor`.
   */
  | { type: "reset"; previous: Cursor; cursor: Cursor }

export interface SequencerOptions {
  /**
   * Where the application stands; null or absent: deliver what comes after
   * the head at the time of attachment.
   */
  cursor?: Cursor | null
  /** How many early messages may wait for a missing one; those past it are read from the log later. */
  maxWaiting?: number
  /** How many fetches in a row may bring nothing before what is missing counts as gone. */
  maxStalls?: number
  /** How many of the messages handed out last are known by their ids. */
  maxRemembered?: number
}

export function createSequencer(options: SequencerOptions = {}): Sequencer {
  const { maxWaiting = 1000, maxStalls = 5, maxRemembered = 1000 } = options
  let cursor: Cursor | null = options.cursor ?? null
  /** The newest message known to exist. Once there is a cursor, it is of the same epoch. */
  let known: Cursor = cursor ?? { epoch: "", seq: 0 }
  let isFetching = false
  /**
   * Where the last `fetch` was asked from. After a failure it is asked from there again: what came
   * since proves nothing of that place.
   */
  let asked: Cursor | null = cursor
  /** Where the cursor stood when it was asked to look again while a look was under way. */
  let doubted: { from: Cursor | null } | null = null
  let stalls = 0
  /**
   * What came early, by `seq`. A message without its body waits too: it says
   * that there is something to fetch.
   */
  const waiting = new Map<number, WireMessage>()
  /** What was handed out last, each at its `seq` modulo the most that are remembered. */
  const recent: Pick<WireMessage, "seq" | "id" | "at">[] = []
  const ids = new Set<string>()
  /** Another message stands where one was handed out: the log went back and on again. */
  let isForked = false

  const isBehind = () => cursor !== null && known.seq > cursor.seq

  function learn({ epoch, seq }: Cursor): void {
    known = { epoch, seq: known.epoch === epoch ? Math.max(known.seq, seq) : seq }
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

  function remember({ seq, id, at }: WireMessage): void {
    const forgotten = recent[seq % maxRemembered]
    if (forgotten) ids.delete(forgotten.id)
    recent[seq % maxRemembered] = { seq, id, at }
    ids.add(id)
  }

  /** False where another message was handed out at its place; true where nobody remembers. */
  function isWhatWasHandedOut(message: WireMessage): boolean {
    const remembered = recent[message.seq % maxRemembered]
    return remembered?.seq !== message.seq || markOf(remembered) === markOf(message)
  }

  /** Hands out whatever follows the cursor without a hole. */
  function drain(): SequencerAction[] {
    if (!cursor) return []
    const messages: RealtimeMessage[] = []
    const { epoch } = cursor
    let last: WireMessage | undefined
    let { seq } = cursor
    for (let next = waiting.get(seq + 1); next && !next.bodyless; next = waiting.get(seq + 1)) {
      waiting.delete(next.seq)
      last = next
      seq = next.seq
      // Published again after the log had forgotten it: it has another place,
      // and was handed out at the first.
      if (ids.has(next.id)) continue
      messages.push(next as RealtimeMessage)
      remember(next)
    }
    if (!last) return []
    cursor = { epoch, seq, mark: markOf(last) }
    stalls = 0
    return messages.length > 0 ? [{ type: "deliver", messages }] : []
  }

  function fetch(from = cursor): SequencerAction[] {
    if (isFetching) return []
    isFetching = true
    asked = from ?? cursor
    return [{ type: "fetch", after: asked, isStalled: stalls > 0 }]
  }

  /** A read that is under way began too early to know what there is to see now: another follows it. */
  function look(from = cursor): SequencerAction[] {
    doubted = isFetching ? { from } : null
    return fetch(from)
  }

  /** Where only a delivery is missing, it may still come by itself. A body that was left out never does. */
  function waitIfBehind(): SequencerAction[] {
    if (isFetching || doubted || !cursor || waiting.has(cursor.seq + 1)) return fetchIfBehind()
    return isBehind() ? [{ type: "wait" }] : []
  }

  /** Before there is a cursor nobody knows which of two generations is the later one: the next look tells. */
  function doubtOther(epoch: string): void {
    if (known.epoch !== "" && known.epoch !== epoch) doubted ??= { from: null }
  }

  function fetchIfBehind(): SequencerAction[] {
    if (!doubted || isFetching) return isBehind() ? fetch() : []
    const { from } = doubted
    doubted = null
    return fetch(from)
  }

  /**
   * Another message stands at `after` than did; a place in an earlier generation of
   * the log says nothing of this one.
   */
  const isReplaced = (mark: string | undefined, after: Cursor | null) =>
    after?.epoch === cursor?.epoch && areOfDifferentMessages(mark, after?.mark)

  /**
   * A head that was read when the cursor stood at `after` is of another log, or
   * ends there with another message.
   */
  function contradicts(head: LogHead, after: Cursor | null): boolean {
    if (!cursor) return false
    if (head.epoch !== cursor.epoch) return true
    return head.seq === after?.seq && isReplaced(head.mark, after)
  }

  /**
   * A log that ends before the place it was asked about lost its end, or lags behind what was
   * delivered. Time tells the two apart.
   */
  const endsBefore = (head: LogHead, after: Cursor | null) =>
    after?.epoch === head.epoch && head.seq < after.seq

  /**
   * The application starts over. One more look follows, for what was dropped
   * while two generations were mixed.
   */
  function reset(head: LogHead): SequencerAction[] {
    const previous = cursor as Cursor
    stalls = 0
    isForked = false
    doubted = null
    for (const memory of [waiting, ids]) memory.clear()
    recent.length = 0
    cursor = cursorOf(head)
    known = cursor
    return [{ type: "reset", previous, cursor }, ...fetch()]
  }

  function skipTo(to: number): SequencerAction {
    const { epoch, seq } = cursor as Cursor
    stalls = 0
    moveTo({ epoch, seq: to })
    return { type: "gap", from: seq + 1, to }
  }

  /** Reading the log again and again did not bring what is known to exist. */
  function giveUp(head: LogHead): SequencerAction[] {
    if (head.seq < known.seq) return reset(head)
    const next = Math.min(
      ...[...waiting.values()].filter((early) => !early.bodyless).map((early) => early.seq),
    )
    return [skipTo(Number.isFinite(next) ? next - 1 : head.seq), ...drain(), ...fetchIfBehind()]
  }

  function take({ head, messages, mark }: LogPage, after: Cursor | null): SequencerAction[] {
    isFetching = false
    const isOtherGeneration =
      contradicts(head, after) ||
      isReplaced(mark, after) ||
      messages.some((message) => message.epoch === cursor?.epoch && !isWhatWasHandedOut(message))
    if (cursor && (isForked || isOtherGeneration)) return reset(head)
    if (!cursor) {
      doubtOther(head.epoch)
      moveTo(cursorOf(head))
      return [...drain(), ...fetchIfBehind()]
    }
    const before = cursor.seq
    const actions = head.first > before + 1 ? [skipTo(head.first - 1)] : []
    learn(head)
    for (const message of messages) {
      if (message.epoch === head.epoch && message.seq > cursor.seq) waiting.set(message.seq, message)
    }
    actions.push(...drain())
    const isShort = endsBefore(head, after)
    if (!(isBehind() || isShort) || doubted || cursor.seq > before) return [...actions, ...fetchIfBehind()]
    stalls += 1
    if (stalls > maxStalls) return giveUp(head)
    return fetch(isShort ? after : cursor)
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
          if (!cursor) doubtOther(message.epoch)
          learn(message)
          wait(message)
        } else if (!isWhatWasHandedOut(message)) {
          isForked = true
        }
      }
      return [...drain(), ...(isForeign || isForked ? look() : waitIfBehind())]
    },

    page: take,

    head(head, after) {
      if (!cursor) return fetch()
      if (contradicts(head, after) || endsBefore(head, after)) return look(after)
      learn(head)
      return fetchIfBehind()
    },

    overdue: fetchIfBehind,

    retry() {
      isFetching = false
      return fetch(asked)
    },

    abandon() {
      isFetching = false
    },

    resume(page, after = null) {
      stalls = 0
      return page ? take(page, after) : look()
    },
  }
}
