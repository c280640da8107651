import type { RealtimeMessage, WireMessage } from "#realtime"

/** One message as one side saw it, in milliseconds of this page's clock. */
export interface Passage {
  seq: number
  /** Absent: another side's, sent before this one looked. */
  sentAt: number | undefined
  /** Each time that the SDK delivered it. */
  deliveredAt: number[]
  /** When the page was given it, by the contract. */
  shownAt: number | undefined
}

export interface Counters {
  lost: number
  repeated: number
  outOfOrder: number
}

export interface LedgerState {
  passages: ReadonlyMap<number, Passage>
  /** What an application on the SDK alone would have seen, and what it saw here. */
  alone: Counters
  contract: Counters
  shown: number
}

/** Notes what was promised and what came, on one side. */
export function createLedger() {
  const passages = new Map<number, Passage>()
  let newestDelivered = 0
  let lastShown: number | null = null
  const alone = { repeated: 0, outOfOrder: 0 }
  const contract = { lost: 0, repeated: 0, outOfOrder: 0 }
  let shown = 0

  function passage(seq: number): Passage {
    let found = passages.get(seq)
    if (!found) {
      found = { seq, sentAt: undefined, deliveredAt: [], shownAt: undefined }
      passages.set(seq, found)
    }
    return found
  }

  return {
    sent(seq: number, at: number): void {
      passage(seq).sentAt = at
    },
    delivered(messages: readonly WireMessage[], at: number): void {
      for (const { seq } of messages) {
        const { deliveredAt } = passage(seq)
        if (deliveredAt.length > 0) alone.repeated += 1
        else if (seq < newestDelivered) alone.outOfOrder += 1
        deliveredAt.push(at)
        newestDelivered = Math.max(newestDelivered, seq)
      }
    },
    shown(messages: readonly RealtimeMessage[], at: number): void {
      for (const { seq } of messages) {
        const found = passage(seq)
        if (found.shownAt !== undefined) contract.repeated += 1
        else if (lastShown !== null && seq < lastShown) contract.outOfOrder += 1
        else if (lastShown !== null && seq > lastShown + 1) contract.lost += seq - lastShown - 1
        found.shownAt ??= at
        lastShown = Math.max(lastShown ?? 0, seq)
        shown += 1
      }
    },
    /** What the page has been given and the SDK hasn't delivered in this time counts as lost to the SDK. */
    read(now: number, graceMs: number): LedgerState {
      const isLost = ({ shownAt, deliveredAt, sentAt }: Passage) =>
        shownAt !== undefined && deliveredAt.length === 0 && now - (sentAt ?? shownAt) > graceMs
      const lost = [...passages.values()].filter(isLost).length
      return { passages: new Map(passages), alone: { lost, ...alone }, contract: { ...contract }, shown }
    },
  }
}

export type Ledger = ReturnType<typeof createLedger>
