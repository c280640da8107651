import { afterAll, beforeAll, describe } from "vitest"
import { describeMessageLogContract } from "../testing/message-log-contract.ts"
import { findPgBouncer, startPgBouncer } from "../testing/pgbouncer.ts"
import { findPostgres, startPostgres } from "../testing/postgres.ts"
import type { MessageLog } from "./message-log.ts"
import { createPostgresLog } from "./postgres.ts"

const isMissing = !findPostgres() || !findPgBouncer()
const unless = isMissing ? " (skipped: PostgreSQL or PgBouncer not found)" : ""

/** Two connections for all logs together, another one for each transaction, and nothing kept of a session. */
describe.skipIf(isMissing)(`postgres behind a pooler in transaction mode${unless}`, () => {
  const stack = new AsyncDisposableStack()
  let connectionString = ""
  let stores = 0

  beforeAll(async () => {
    const postgres = stack.use(await startPostgres())
    connectionString = stack.use(await startPgBouncer(postgres)).connectionString
  })
  afterAll(() => stack.disposeAsync())

  describeMessageLogContract({
    name: "postgres, pgbouncer",
    async open() {
      stores += 1
      const schema = `store ${stores}`
      const clock = { now: 1_800_000_000_000 }
      const logs: MessageLog[] = []
      const openLog = () => {
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
