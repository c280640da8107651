import { join } from "node:path"
import type { Pool } from "pg"
import type { MessageLog } from "throughline/server"
import type { Env } from "../env/schema.ts"

/** Only the log in use is loaded: a function on PostgreSQL has no use for SQLite, and the other way round. */
export async function createLog(env: Env, pool: Pool | undefined): Promise<MessageLog> {
  if (pool) {
    const { createPostgresLog } = await import("throughline/log/postgres")
    return createPostgresLog({ pool })
  }
  const { createSqliteLog } = await import("throughline/log/sqlite")
  return createSqliteLog({ path: join(env.DATA_DIR, "realtime.db") })
}
