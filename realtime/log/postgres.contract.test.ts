import { afterAll, beforeAll, describe } from "vitest"
import { describeMessageLogContract } from "../testing/message-log-contract.ts"
import { findPostgres, startPostgres, type TestPostgres } from "../testing/postgres.ts"
import type { MessageLog } from "./message-log.ts"
import { createPostgresLog } from "./postgres.ts"

const isMissing = !findPostgres()

describe.skipIf(isMissing)(isMissing ? "postgres (skipped: PostgreSQL not found)" : "postgres", () => {
  let postgres: TestPostgres
  let stores = 0

  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres[Symbol.asyncDispose]())

  describeMessageLogContract({
    name: "postgres",
    async open() {
      stores += 1
      const schema = `store "${stores}"`
      const clock = { now: 1_800_000_000_000 }
      const logs: MessageLog[] = []
      const openLog = () => {
        const { connectionString } = postgres
        const log = createPostgresLog({ connectionString, schema, now: () => clock.now })
        logs.push(log)
        return log
      }
      return {
        clock,
        log: openLog(),
        reopen: async () => openLog(),
        async [Symbol.asyncDispose]() {
          await Promise.all(logs.map((log) => log.close()))
        },
      }
    },
  })
})
