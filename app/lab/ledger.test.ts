import type { RealtimeMessage } from "throughline"
import { describe, expect, it } from "vitest"
import { createLedger } from "./ledger.ts"

const graceMs = 1_000
const messages = (...seqs: number[]): RealtimeMessage[] =>
  seqs.map((seq) => ({
    ...{
      id: String(seq),
      channel: "lab",
      seq,
      epoch: "e",
      event: "numbered",
      payload: {},
      from: null,
      at: 0,
    },
  }))

describe("the laboratory's ledger", () => {
  it("counts nothing where each comes once and in order", () => {
    const ledger = createLedger()
    for (const seq of [1, 2, 3]) {
      ledger.sent(seq, seq)
      ledger.delivered(messages(seq), seq)
      ledger.shown(messages(seq), seq)
    }
    const none = { lost: 0, repeated: 0, outOfOrder: 0 }
    expect(ledger.read(9_000, graceMs)).toMatchObject({ alone: none, contract: none, underWay: 0, shown: 3 })
  })

  it("counts what the SDK does wrong, once it is sure, and what a page on it alone would show", () => {
    const ledger = createLedger()
    for (const seq of [1, 2, 3, 4, 5]) ledger.sent(seq, 100)
    ledger.delivered(messages(1, 4, 4, 3, 5), 200)
    ledger.shown(messages(1, 2, 3, 4, 5), 300)
    expect(ledger.read(500, graceMs).alone).toEqual({ lost: 0, repeated: 1, outOfOrder: 1 })
    const { alone, contract, aloneList, contractList } = ledger.read(1_200, graceMs)
    expect(alone).toEqual({ lost: 1, repeated: 1, outOfOrder: 1 })
    expect(contract).toEqual({ lost: 0, repeated: 0, outOfOrder: 0 })
    expect(aloneList.map(({ seq, kind }) => `${seq} ${kind}`)).toEqual([
      ...["1 new", "2 missing", "3 missing", "4 new", "4 repeated", "3 late", "5 new"],
    ])
    expect(contractList.map(({ seq, kind }) => `${seq} ${kind}`)).toEqual([
      ...["1 new", "2 new", "3 new", "4 new", "5 new"],
    ])
  })

  it("would count against the contract as well", () => {
    const ledger = createLedger()
    ledger.shown(messages(1, 3, 3, 2), 100)
    expect(ledger.read(200, graceMs).contract).toEqual({ lost: 1, repeated: 1, outOfOrder: 1 })
  })

  it("says how many were accepted and are not shown yet", () => {
    const ledger = createLedger()
    for (const seq of [1, 2, 3]) ledger.sent(seq, 100)
    ledger.shown(messages(1), 200)
    expect(ledger.read(60_000, graceMs).underWay).toBe(2)
  })

  it("keeps a bounded list, also of what is missing", () => {
    const ledger = createLedger()
    ledger.delivered(messages(1, 1_000), 100)
    expect(ledger.read(200, graceMs).aloneList).toHaveLength(7)
    for (let seq = 1_001; seq < 2_000; seq += 1) ledger.delivered(messages(seq), 100)
    expect(ledger.read(200, graceMs).aloneList.length).toBeLessThan(100)
  })
})
