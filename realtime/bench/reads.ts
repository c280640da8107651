import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Client } from "pg"
import type { MessageLog } from "../log/message-log.ts"
import { createPostgresLog } from "../log/postgres.ts"
import { createSqliteLog } from "../log/sqlite.ts"
import { startPostgres } from "../testing/postgres.ts"
import { median } from "./report.ts"

const channels = 100
const group = 1_000

/**
 * Written by the log, as far as that doesn't take all day; then the database copies what is there,
 * in the order of a log that grew.
 */
async function fill({ log, copy }: Opened, rows: number): Promise<void> {
  const written = Math.min(rows, 100_000)
  for (let n = 0; n < written; n += group)
    await log.append(
      Array.from({ length: group }, (_, index) => ({
        id: crypto.randomUUID(),
        channel: `room:${(n + index) % channels}`,
        ...{ event: "said", payload: { text: "x".repeat(100) }, from: { id: "bench" } },
      })),
    )
  if (rows > written) await copy(written / channels, rows / channels)
}

/** Ids in the order of time, as UUIDv7 are. */
const copySql = (series: string, id: string) =>
  `INSERT INTO log_messages (channel, seq, id, event, payload, sender, at)
   SELECT c.id, n.seq, ${id}, m.event, m.payload, m.sender, m.at
   FROM ${series} CROSS JOIN log_channels c JOIN log_messages m ON m.channel = c.id AND m.seq = 1`

/** The median of reading 50 messages after a cursor, anywhere in the log, in ms. */
async function timeReads(log: MessageLog): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < 600; n += 1) {
    const channel = `room:${n % channels}`
    const [head] = await log.heads([channel])
    const seq = Math.floor(((head?.seq ?? 0) - 50) * ((n * 0.618) % 1))
    const started = performance.now()
    await log.readAfter(channel, Math.max(0, seq), 50)
    if (n >= 100) times.push(performance.now() - started)
  }
  return median(times)
}

interface Opened extends AsyncDisposable {
  log: MessageLog
  /** Lets each channel grow from so many messages to so many. */
  copy(from: number, to: number): Promise<void>
}

const opens: Record<"SQLite" | "PostgreSQL", () => Promise<Opened>> = {
  async SQLite() {
    const folder = mkdtempSync(join(tmpdir(), "throughline-reads-"))
    const path = join(folder, "log.db")
    const log = createSqliteLog({ path })
    return {
      log,
      async copy(from, to) {
        const database = new DatabaseSync(path, { timeout: 10_000 })
        // In pieces: a transaction's pages are all in the write-ahead log before any is in the file.
        for (let start = from; start < to; start += 5_000) {
          const end = Math.min(to, start + 5_000)
          const series = `(WITH RECURSIVE n(seq) AS (SELECT ${start + 1} UNION ALL SELECT seq + 1 FROM n WHERE seq < ${end}) SELECT seq FROM n) n`
          database.exec("BEGIN IMMEDIATE")
          database.exec(copySql(series, "printf('%032x', n.seq * 1000 + c.id)"))
          database.exec(`UPDATE log_channels SET seq = ${end}`)
          database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
        }
        database.close()
      },
      async [Symbol.asyncDispose]() {
        await log.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  async PostgreSQL() {
    const postgres = await startPostgres({ settings: { shared_buffers: "512MB" } })
    const { connectionString } = postgres
    const log = createPostgresLog({ connectionString, schema: "public" })
    return {
      log,
      async copy(from, to) {
        const client = new Client({ connectionString })
        await client.connect()
        const series = `generate_series(${from + 1}::bigint, ${to}) n(seq)`
        await client.query(copySql(series, "lpad(to_hex(n.seq * 1000 + c.id), 32, '0')"))
        await client.query(`UPDATE log_channels SET seq = ${to}`)
        await client.query("VACUUM ANALYZE log_messages, log_channels")
        await client.end()
      },
      async [Symbol.asyncDispose]() {
        await log.close()
        await postgres[Symbol.asyncDispose]()
      },
    }
  },
}

/** Reading after a cursor in a long log, beside the same in a short one. */
export const reads = (rows: number) =>
  (["SQLite", "PostgreSQL"] as const).map((name) => ({
    about: {
      scenario: `${name}, 50 messages after a cursor, ${rows.toLocaleString("en")} in the log`,
      ...{ metric: "p50 of the read", target: "<= 1.2", against: "10,000 in the log" },
    },
    async measure(rounds: number) {
      await using short = await opens[name]()
      await using long = await opens[name]()
      await fill(short, 10_000)
      await fill(long, rows)
      const pairs: { ours: number; control: number }[] = []
      for (let round = 0; round < rounds; round += 1)
        pairs.push({ control: await timeReads(short.log), ours: await timeReads(long.log) })
      return pairs
    },
  }))
