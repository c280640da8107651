import type { RealtimeMessage, WireMessage } from "throughline"

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

/** What would stand next on the page. */
export interface Entry {
  /** Of this entry, among all of its list. */
  key: number
  seq: number
  /** `missing`: a later one came before it, or instead of it. */
  kind: "new" | "repeated" | "late" | "missing"
}

export interface LedgerState {
  passages: readonly Passage[]
  /** What an application on the SDK alone would have seen, and what it saw here. */
  alone: Counters
  contract: Counters
  /** Accepted, and not shown yet. */
  underWay: number
  shown: number
  /** The last entries of a page on the SDK alone, and of this one. */
  aloneList: readonly Entry[]
  contractList: readonly Entry[]
}

/** What fits on any screen. */
const listLength = 40
/** More missing ones in a row are not worth their room. */
const maxMissing = 5

/** One page's list: says what each message is when it comes, and counts what shouldn't have. */
function createList() {
  const seen = new Set<number>()
  let entries: Entry[] = []
  let made = 0
  let newest: number | null = null
  const counters = { repeated: 0, outOfOrder: 0 }

  function add(seq: number, kind: Entry["kind"]): void {
    made += 1
    entries = [...entries, { key: made, seq, kind }].slice(-listLength)
  }

  return {
    counters,
    get entries() {
      return entries
    },
    take(seq: number): void {
      if (seen.has(seq)) {
        counters.repeated += 1
        add(seq, "repeated")
        return
      }
      seen.add(seq)
      if (newest !== null && seq < newest) {
        counters.outOfOrder += 1
        add(seq, "late")
        return
      }
      if (newest !== null)
        for (let missing = Math.max(newest + 1, seq - maxMissing); missing < seq; missing += 1)
          add(missing, "missing")
      newest = seq
      add(seq, "new")
    },
  }
}

/** Notes what was promised and what came, on one side. */
export function createLedger() {
  const passages = new Map<number, Passage>()
  const alone = createList()
  const contract = createList()
  let lastShown: number | null = null
  let lost = 0
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
        passage(seq).deliveredAt.push(at)
        alone.take(seq)
      }
    },
    shown(messages: readonly RealtimeMessage[], at: number): void {
      for (const { seq } of messages) {
        if (lastShown !== null && seq > lastShown + 1) lost += seq - lastShown - 1
        passage(seq).shownAt ??= at
        contract.take(seq)
        lastShown = Math.max(lastShown ?? 0, seq)
        shown += 1
      }
    },
    /** What the page has been given and the SDK hasn't delivered in this time counts as lost to the SDK. */
    read(now: number, graceMs: number): LedgerState {
      const all = [...passages.values()]
      const isLost = ({ shownAt, deliveredAt, sentAt }: Passage) =>
        shownAt !== undefined && deliveredAt.length === 0 && now - (sentAt ?? shownAt) > graceMs
      return {
        passages: all,
        alone: { lost: all.filter(isLost).length, ...alone.counters },
        contract: { lost, ...contract.counters },
        underWay: all.filter(({ sentAt, shownAt }) => sentAt !== undefined && shownAt === undefined).length,
        shown,
        aloneList: alone.entries,
        contractList: contract.entries,
      }
    },
  }
}

export type Ledger = ReturnType<typeof createLedger>
