import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describeMessageLogContract } from "../testing/message-log-contract.ts"
import type { MessageLog } from "./message-log.ts"
import { createSqliteLog } from "./sqlite.ts"

describeMessageLogContract({
  name: "sqlite",
  async open() {
    const clock = { now: 1_800_000_000_000 }
    const folder = await mkdtemp(join(tmpdir(), "throughline-log-"))
    const logs: MessageLog[] = []
    const openLog = () => {
      const log = createSqliteLog({ path: join(folder, "log.db"), now: () => clock.now })
      logs.push(log)
      return log
    }
    return {
      clock,
      log: openLog(),
      reopen: async () => openLog(),
      async [Symbol.asyncDispose]() {
        await Promise.all(logs.map((log) => log.close()))
        await rm(folder, { recursive: true })
      },
    }
  },
})
