import { escapeIdentifier, Pool } from "pg"
import type { MessageLog } from "./message-log.ts"
import { createLog, type PostgresLogOptions } from "./postgres-log.ts"

/**
 * Server: the log in PostgreSQL, for any number of servers and functions at once. What `append` resolved with
 * is committed. Needs nothing of a session, so a transaction pooler may stand between.
 *
 * It connects at the first call and sees to its tables by itself, and again after a failure: PostgreSQL may
 * go away and come back. When the connection breaks during an append's commit nobody can know whether it was
 * kept; it is reported as `log-unavailable`, and the ids make the retry safe.
 */
export const createPostgresLog = (options: PostgresLogOptions): MessageLog =>
  createLog({ Pool, escapeIdentifier }, options)

export { unavailability } from "./postgres-failure.ts"
export type { PostgresLogOptions }
