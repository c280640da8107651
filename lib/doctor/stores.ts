import { openDatabase, openPool } from "../chat/database.ts"
import type { Env } from "../env/schema.ts"
import { createLimits } from "../security/limits.ts"
import { clockFinding, type Finding, wordsOf } from "./finding.ts"

/** The log and the chat's tables: reached, of this release, writable, with what clock. */
export async function examineDatabase(env: Env): Promise<Finding[]> {
  if (env.DATABASE_URL) return examinePostgres(env.DATABASE_URL)
  const subject = "SQLite"
  try {
    const { createSqliteLog } = await import("throughline/log/sqlite")
    const log = await createSqliteLog({ path: `${env.DATA_DIR}/realtime.db` })
    await log.heads([])
    await log.close()
    const database = await openDatabase({ dataDir: env.DATA_DIR })
    await database.destroy()
    return [{ subject, verdict: "ok", detail: `files under ${env.DATA_DIR}, of this release and writable` }]
  } catch (error) {
    const advice = `Is ${env.DATA_DIR} there, is it this user's, and is there room? DATA_DIR names another place.`
    return [{ subject, verdict: "failed", detail: wordsOf(error), advice }]
  }
}

async function examinePostgres(url: string): Promise<Finding[]> {
  const subject = "PostgreSQL"
  const pool = openPool(url, { max: 1 })
  const findings: Finding[] = []
  try {
    const sent = Date.now()
    const { rows } = await pool.query<{ version: string; now: string; is_read_only: string; free: number }>(
      `SELECT current_setting('server_version') AS version,
              extract(epoch FROM clock_timestamp()) * 1000 AS now,
              current_setting('transaction_read_only') AS is_read_only,
              current_setting('max_connections')::int - (SELECT count(*)::int FROM pg_stat_activity) AS free`,
    )
    const took = Date.now() - sent
    const [row] = rows
    findings.push({ subject, verdict: "ok", detail: `${row?.version} answers in ${took} ms` })
    findings.push(clockFinding(subject, Number(row?.now) - sent - took / 2))
    if (row?.is_read_only === "on")
      findings.push({
        ...{ subject, verdict: "failed", detail: "it takes no writes" },
        advice: "It is a replica, or was set read-only: point DATABASE_URL at the primary.",
      })
    else if ((row?.free ?? 100) < 10)
      findings.push({
        ...{ subject, verdict: "warning", detail: `only ${row?.free} more connections fit` },
        advice: "Put a pooler in transaction mode before it, or raise max_connections.",
      })
    if (row?.is_read_only !== "on") findings.push(await examineTables(url))
  } catch (error) {
    const advice = "Is it running, does this machine reach it, is the password in DATABASE_URL right?"
    findings.push({ subject, verdict: "failed", detail: wordsOf(error), advice })
  } finally {
    await pool.end()
  }
  return findings
}

async function examineTables(url: string): Promise<Finding> {
  const subject = "Tables"
  const pool = openPool(url, { max: 2 })
  const { createPostgresLog } = await import("throughline/log/postgres")
  const log = createPostgresLog({ pool })
  try {
    await log.heads([])
    // Migrates, as the first request of the app would.
    await openDatabase({ pool, dataDir: "" })
    return { subject, verdict: "ok", detail: "the log's and the chat's are of this release" }
  } catch (error) {
    const advice =
      "A later release has been here: deploy that one again. Or this user may not make tables: grant it."
    return { subject, verdict: "failed", detail: wordsOf(error), advice }
  } finally {
    await log.close()
    await pool.end()
  }
}

/** Redis streams came with 5.0: https://redis.io/docs/latest/commands/xadd/ */
const oldestRedis = 5

export async function examineRedis({ REDIS_URL: url }: Env): Promise<Finding[]> {
  const subject = "Redis"
  if (!url) return []
  const { createClient } = await import("redis")
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 5_000 } })
  client.on("error", () => {
    // Told by what is asked.
  })
  try {
    await client.connect()
    const info = await client.info("server")
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "unknown"
    const [major = 0] = version.split(".").map(Number)
    if (major < oldestRedis)
      return [
        {
          subject,
          verdict: "failed",
          detail: `version ${version} has no streams`,
          advice: "Use Redis 5 or newer.",
        },
      ]
    const limits = await createLimits({ redisUrl: url })
    await limits.take("reads of a person", "doctor")
    await limits.close()
    return [{ subject, verdict: "ok", detail: `${version} answers` }]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const advice = "Is it running, does this machine reach it, is the password in REDIS_URL right?"
    return [{ subject, verdict: "failed", detail: code ?? wordsOf(error), advice }]
  } finally {
    client.destroy()
  }
}
