import type { LogHead, LogPage, RealtimeMessage, WireMessage } from "../../message.ts"

export interface RecentOptions {
  /** The most messages that are kept of a channel. */
  maxMessages?: number
  /** For how long what was read is taken for the log's truth: another process may append, trim or erase unheard. */
  maxAgeMs?: number
  /** In milliseconds, from any beginning. */
  now?: () => number
}

/**
 * The newest messages of a channel that has subscribers here: what the log said once, and what was delivered since. A socket
 * that joined the channel before it asks gets from `after` and from its live messages together all that there is: so
 * many who return at once cost one read, wherever each of them had stopped.
 */
export interface Recent {
  /** The newest message that was delivered here; 0: none yet. */
  readonly place: number
  /** Messages that are being delivered, in order. */
  take(messages: readonly WireMessage[]): void
  /** All that follows `seq`; null when the log has to be asked. */
  after(seq: number): LogPage | null
  /** What the log answered to a question after `seq` that was asked at `askedAt`. */
  learn(seq: number, page: LogPage, askedAt: number): void
}

export function createRecent(options: RecentOptions = {}): Recent {
  const { maxMessages = 200, maxAgeMs = 1_000, now = () => performance.now() } = options
  let place = 0
  /** `messages` are those after `from` up to the head, without a hole. */
  let known: { head: LogHead; from: number; messages: RealtimeMessage[]; askedAt: number } | null = null
  /** The last answer, for as long as it is one: many ask from the same place at once. */
  let answered: { seq: number; page: LogPage } | null = null

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
    known.head = { ...head, seq: message.seq }
    if (messages.length > 2 * maxMessages) known.from += messages.splice(0, maxMessages).length
  }

  return {
    get place() {
      return place
    },

    take(messages) {
      for (const message of messages) append(message)
      place = messages.at(-1)?.seq ?? place
    },

    after(seq) {
      if (!known || now() - known.askedAt >= maxAgeMs) return null
      const { head, from, messages } = known
      if (seq < from || seq > head.seq) return null
      if (answered?.seq !== seq) answered = { seq, page: { head, messages: messages.slice(seq - from) } }
      return answered.page
    },

    learn(seq, { head, messages }, askedAt) {
      const isWhole = seq + messages.length === head.seq && seq + 1 >= head.first
      // What was delivered while the log was read may be missing in its answer.
      if (!isWhole || place > head.seq || messages.length > maxMessages) return
      known = { head, from: seq, messages: [...messages], askedAt }
      answered = null
    },
  }
}
