import { describe, expect, it } from "vitest"
import { createMemoryLog, createMemoryLogStore } from "../log/memory.ts"
import { brokenLogs } from "./broken-logs.ts"
import { type MessageLogStore, messageLogChecks, withMessageLog } from "./message-log-contract.ts"

async function openBroken(spoil: (typeof brokenLogs)[string]["spoil"]): Promise<MessageLogStore> {
  const clock = { now: 1_800_000_000_000 }
  const store = createMemoryLogStore()
  const shared = new Map()
  const openLog = () => spoil(createMemoryLog({ store, now: () => clock.now }), { clock, shared })
  return { clock, log: openLog(), reopen: async () => openLog(), [Symbol.asyncDispose]: async () => {} }
}

describe("the message log contract catches a log that", () => {
  for (const [fault, { spoil, caughtBy }] of Object.entries(brokenLogs)) {
    it.concurrent(fault, async () => {
      await expect(withMessageLog(() => openBroken(spoil), messageLogChecks[caughtBy])).rejects.toThrow()
    })
  }
})

describe("the message log contract", () => {
  it("has no check that no broken log has failed", () => {
    const caught = new Set<string>(Object.values(brokenLogs).map(({ caughtBy }) => caughtBy))
    expect(Object.keys(messageLogChecks).filter((sentence) => !caught.has(sentence))).toEqual([])
  })

  it("passes a log with no fault", async () => {
    for (const check of Object.values(messageLogChecks))
      await withMessageLog(() => openBroken((log) => log), check)
  })
})
