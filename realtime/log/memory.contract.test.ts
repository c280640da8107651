import { describeMessageLogContract } from "../testing/message-log-contract.ts"
import { createMemoryLog, createMemoryLogStore } from "./memory.ts"

describeMessageLogContract({
  name: "memory",
  async open() {
    const clock = { now: 1_800_000_000_000 }
    const store = createMemoryLogStore()
    const openLog = () => createMemoryLog({ store, now: () => clock.now })
    return { clock, log: openLog(), reopen: async () => openLog(), [Symbol.asyncDispose]: async () => {} }
  },
})
