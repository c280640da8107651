import {
  jsonByteLength,
  type LogHead,
  type LogPage,
  markOf,
  type RealtimeMessage,
  type WireMessage,
} from "../../message.ts"
import { firstWithin, maxPageBytes } from "../../packing.ts"

const maxEarly = 100

const keyOf = ({ epoch, seq }: WireMessage) => `${epoch} ${seq}`

export interface RecentOptions {
  /** The most messages that are kept of a channel. */
  maxMessages?: number
  /**
   * For how long what was read is taken for the log's truth: another process
   * may append, trim or erase unheard.
   */
  maxAgeMs?: number
  /** In milliseconds, from any beginning. */
  now?: () => number
}

interface Known {
  head: LogHead
  from: number
  mark: string | undefined
  messages: RealtimeMessage[]
  askedAt: number
}

/**
 * The newest messages of a channel that has subscribers here: what the log said once, and what was delivered
 * since. A socket that joined the channel before it asks gets from `after` and from its live messages
 * together all that there is: so many who return at once cost one read, wherever each of them had stopped.
 */
export interface Recent {
  /** The newest message that was delivered here, or was there before; 0: neither is known. */
  readonly place: number
  /**
   * Messages that are about to be delivered, in order. Returns those that `takeFromLog` hasn't taken before:
   * what was read from the log comes by its own way, too, if only later.
   */
  take(messages: readonly WireMessage[]): readonly WireMessage[]
  /** The same for what was read from the log. Returns what is newer than all that was delivered meanwhile. */
  takeFromLog(messages: readonly WireMessage[]): readonly WireMessage[]
  /**
   * Where the log was when somebody joined: what is older is not for them. Counts until something is
   * delivered.
   */
  startAt(head: LogHead): void
  /** What follows `seq`, all that fits into one page; null when the log has to be asked. */
  after(seq: number): LogPage | null
  /** What the log answered to a question after `seq` that was asked at `askedAt`. */
  learn(seq: number, page: LogPage, askedAt: number): void
}

export function createRecent(options: RecentOptions = {}): Recent {
  const { maxMessages = 200, maxAgeMs = 1_000, now = () => performance.now() } = options
  let place = 0
  let epoch: string | undefined
  /** `messages` are those after `from` up to the head, without a hole; `mark` is of the message at `from`. */
  let known: Known | null = null
  /** What was read from the log and hasn't come by its own way. */
  const early = new Set<string>()
  /** The last answer, for as long as it is one: many ask from the same place at once. */
  let answered: { seq: number; page: LogPage } | null = null

  /** Messages of several gateways may change places; another log begins anew. */
  function moveTo(to: Pick<WireMessage, "epoch" | "seq">): void {
    place = to.epoch === epoch ? Math.max(place, to.seq) : to.seq
    epoch = to.epoch
  }

  function append(message: WireMessage): void {
    if (!known) return
    const { head, messages } = known
    const isSameLog = message.epoch === head.epoch
    if (isSameLog && message.seq <= head.seq) return
    if (!isSameLog || message.seq !== head.seq + 1 || message.bodyless) {
      known = null
      return
    }
    answered = null
    messages.push(message as RealtimeMessage)
    known.head = { ...head, seq: message.seq, mark: markOf(message) }
    if (messages.length > 2 * maxMessages) forget(known, maxMessages)
  }

  function forget(known: Known, count: number): void {
    const last = known.messages.splice(0, count).at(-1)
    if (!last) return
    known.from = last.seq
    known.mark = markOf(last)
  }

  return {
    get place() {
      return place
    },

    take(messages) {
      const fresh = early.size === 0 ? messages : messages.filter((message) => !early.delete(keyOf(message)))
      for (const message of fresh) {
        append(message)
        moveTo(message)
      }
      return fresh
    },

    takeFromLog(messages) {
      const fresh = messages.filter(({ seq }) => seq > place)
      for (const message of fresh) {
        append(message)
        early.add(keyOf(message))
        moveTo(message)
      }
      // What never came is forgotten, the oldest first.
      for (const key of early) if (early.size > maxEarly) early.delete(key)
      return fresh
    },

    startAt(head) {
      if (epoch === undefined) moveTo(head)
    },

    after(seq) {
      if (!known || now() - known.askedAt >= maxAgeMs) return null
      const { head, from, messages } = known
      if (seq < from || seq > head.seq) return null
      if (answered?.seq === seq) return answered.page
      const before = messages[seq - from - 1]
      const mark = before ? markOf(before) : known.mark
      const following = firstWithin(messages.slice(seq - from), maxPageBytes, jsonByteLength)
      answered = { seq, page: { head, messages: following, ...(mark !== undefined && { mark }) } }
      return answered.page
    },

    learn(seq, page, askedAt) {
      const { head, messages, mark } = page
      const isWhole = seq + messages.length === head.seq && seq + 1 >= head.first
      // What was delivered while the log was read may be missing in its answer.
      if (!isWhole || place > head.seq || messages.length > maxMessages) return
      known = { head, from: seq, mark, messages: [...messages], askedAt }
      // Whoever asks next is given the very same page, which is encoded once.
      answered = { seq, page }
    },
  }
}
