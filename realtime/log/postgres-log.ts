import { createHash, randomUUID } from "node:crypto"
import { setTimeout as delay } from "node:timers/promises"
import type { escapeIdentifier, Pool, PoolClient } from "pg"
import { isRealtimeError } from "../errors.ts"
import type { LogHead, LogPage } from "../message.ts"
import { maxPageBytes } from "../packing.ts"
import { createLifetime } from "./lifetime.ts"
import type { MessageLog, Retention } from "./message-log.ts"
import { isConflict, toLogError } from "./postgres-failure.ts"
import { clock, isCurrent, migratePostgres, postgresVersion, refuseNewer } from "./postgres-schema.ts"
import {
  emptyHead,
  erased,
  fromLogRow,
  fromStateRow,
  keyOf,
  markOfRow,
  requireKeepable,
  senderMark,
  toAppendResult,
  toLogRecord,
} from "./record.ts"
import { keptBehind, type SnapshotStore, type SnapshotWritten } from "./snapshot-store.ts"
import type { StateStore, StateWrite, StateWritten } from "./state-store.ts"

/** What `createPostgresLog` takes. */
export type PostgresLogOptions = (
  | {
      /** Secret. The log opens connections of its own. */
      connectionString: string
    }
  | {
      /** The application's pool, of `pg`. Closing the log leaves it open. */
      pool: Pool
    }
) & {
  /** Where the tables are; made when it is missing. Default `throughline`. */
  schema?: string
  /** The log's clock, in milliseconds since 1970. Unset: the database's, the same for every server. */
  now?: () => number
}

/** Rows as `pg` gives them: a `bigint` arrives as text. */
interface HeadRow {
  epoch: string
  /** Null when there is no such channel. */
  head: string | null
  first: string | null
  /** Of the newest message; null when it isn't kept. */
  head_id: string | null
  head_at: string | null
}

interface MessageRow {
  id: string
  seq: string
  event: string
  payload: string
  sender: string
  at: string
}

/** The message that the page was asked for from. */
interface BoundRow {
  bound_id: string | null
  bound_at: string | null
}

interface ValueRow {
  key: string
  version: string
  value: string
}

/** Where the channel has none of the keys. */
type NoValueRow = { [Key in keyof ValueRow]: null }

interface SnapshottedRow {
  epoch: string
  /** Both null when there is no such channel. */
  seq: string | null
  snapshot: string | null
}

interface AppendRow extends Pick<MessageRow, "seq" | "at" | "sender"> {
  is_duplicate: boolean
  epoch: string
}

const headColumns = "c.seq AS head, c.first, newest.id AS head_id, newest.at AS head_at"

/** A call whose transaction lost against another one is run again this often. */
const maxAttempts = 8

/** What one step of `trim` may remove and look at, so that it never holds up an append for long. */
const messagesPerStep = 1_000
const channelsPerStep = 20
const channelsPerLook = 10_000

/**
 * The vendor's SDK is handed in: it is an optional peer, and bundlers may follow imports of
 * this file where it isn't installed.
 */
export function createLog(
  sdk: { Pool: typeof Pool; escapeIdentifier: typeof escapeIdentifier },
  options: PostgresLogOptions,
): MessageLog {
  const { schema = "throughline", now } = options
  const ownsPool = !("pool" in options)
  const pool = ownsPool
    ? new sdk.Pool({
        connectionString: options.connectionString,
        application_name: "throughline",
        keepAlive: true,
        connectionTimeoutMillis: 5_000,
        query_timeout: 15_000,
      })
    : options.pool
  const quoted = sdk.escapeIdentifier(schema)
  const time = () => (now ? Math.floor(now()) : null)
  let migrated: Promise<void> | null = null
  /** Once it has worked with these tables. A later release beside it only adds to them, so it goes on. */
  let hasBegun = false

  // `pg` has already dropped the idle connection that broke; without a listener the process would end.
  const onIdleConnectionLost = () => {}
  pool.on("error", onIdleConnectionLost)

  const lifetime = createLifetime(async () => {
    // A pool of the log's own keeps the listener: its connections may still break while they close.
    if (ownsPool) await pool.end()
    else pool.off("error", onIdleConnectionLost)
  })

  async function transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    // Between two statements nobody waits for the connection; the next statement reports that it is gone.
    client.on("error", onIdleConnectionLost)
    let isDone = false
    try {
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED")
      const result = await work(client)
      await client.query("COMMIT")
      isDone = true
      return result
    } finally {
      client.off("error", onIdleConnectionLost)
      // Closing the connection of a transaction that failed is the rollback that always works.
      client.release(!isDone)
    }
  }

  async function migrate(): Promise<void> {
    try {
      const version = await postgresVersion(pool, { schema, quoted })
      if (!hasBegun) refuseNewer(version)
      if (!isCurrent(version)) await transaction((client) => migratePostgres(client, { schema, quoted }))
      hasBegun = true
    } catch (error) {
      migrated = null
      throw error
    }
  }

  /**
   * Runs one transaction's worth of work on tables that are up to date, again
   * when it lost against another one.
   */
  async function attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        migrated ??= migrate()
        await migrated
        return await work()
      } catch (error) {
        const mayWin = isConflict(error) && attempts < maxAttempts
        if (!mayWin) {
          // Whatever it was, the next call doesn't take the tables for granted.
          migrated = null
          throw isRealtimeError(error) ? error : toLogError(operation, error)
        }
      }
      await delay(Math.random() * 20 * attempts)
    }
  }

  async function readPage(
    channel: string,
    order: "ASC" | "DESC",
    bound: number,
    limit: number,
  ): Promise<LogPage> {
    // All in one statement: no append or trim comes between. What doesn't fit into the
    // page doesn't leave the database.
    const { rows } = await pool.query<
      HeadRow & BoundRow & (MessageRow | { [Key in keyof MessageRow]: null })
    >(
      `SELECT epoch, ${headColumns}, bound.id AS bound_id, bound.at AS bound_at, m.* FROM ${quoted}.log_meta
       LEFT JOIN ${quoted}.log_channels c ON c.name = $1
       LEFT JOIN ${quoted}.log_messages newest ON newest.channel = c.id AND newest.seq = c.seq
       LEFT JOIN ${quoted}.log_messages bound ON bound.channel = c.id AND bound.seq = $2
       LEFT JOIN LATERAL (
         SELECT id, seq, event, payload, sender, at FROM (
           SELECT *, sum(octet_length(payload) + octet_length(sender)) OVER wanted AS bytes, row_number() OVER wanted AS number
           FROM (
             SELECT id, seq, event, payload, sender, at FROM ${quoted}.log_messages
             WHERE channel = c.id AND seq ${order === "ASC" ? ">" : "<"} $2 ORDER BY seq ${order} LIMIT $3
           ) asked
           WINDOW wanted AS (ORDER BY seq ${order})
         ) counted
         WHERE bytes <= $4 OR number = 1
       ) m ON true
       ORDER BY m.seq`,
      [keyOf(channel), bound, Math.max(0, limit), maxPageBytes],
    )
    const messages = rows
      .filter((row) => row.id !== null)
      .map((row) => fromLogRow({ ...row, seq: Number(row.seq), at: Number(row.at) }, channel, row.epoch))
    const { bound_id, bound_at } = rows[0] ?? {}
    return { head: toHead(rows[0]), messages, ...(order === "ASC" && toMark(bound_id, bound_at)) }
  }

  async function trim(retention: Retention): Promise<number> {
    const { maxAgeMs, maxMessagesPerChannel, channels: only, covered = false } = retention
    const most = maxMessagesPerChannel ?? Number.MAX_SAFE_INTEGER
    const { last, oldest } = await attempt("trim", async () => {
      const { rows } = await pool.query<{ last: string; now: string }>(
        `SELECT coalesce(max(id), 0) AS last, coalesce($1, ${clock}) AS now FROM ${quoted}.log_channels`,
        [time()],
      )
      const now = Number(rows[0]?.now)
      return { last: Number(rows[0]?.last), oldest: maxAgeMs === undefined ? 0 : Math.floor(now - maxAgeMs) }
    })
    let removed = 0
    for (let after = 0; after < last; after += only ? last : channelsPerLook) {
      const [which, bounds] = only
        ? ["name = ANY ($4::text[])", [only.map(keyOf)]]
        : ["id > $4 AND id <= $5", [after, after + channelsPerLook]]
      const due = await attempt("trim", async () => {
        const { rows } = await pool.query<{ id: string }>(
          `SELECT id FROM ${quoted}.log_channels
           WHERE ${which} AND CASE WHEN $2::bigint = 0 THEN first <= seq OR snapshot > 0 ELSE
             first <= seq AND first < coalesce(kept_from, seq + 1) AND
               (first_at < $1 OR seq - first >= $2 OR ($3::boolean AND kept_from IS NOT NULL)) END
           ORDER BY id`,
          [oldest, most, covered, ...bounds],
        )
        return rows.map(({ id }) => id)
      })
      for (let next = 0; next < due.length; next += channelsPerStep) {
        const channels = due.slice(next, next + channelsPerStep)
        for (let step = -1; step !== 0; removed += step) {
          step = await attempt("trim", () =>
            transaction((client) => trimStep(client, channels, { oldest, most, covered })),
          )
        }
      }
    }
    return removed
  }

  async function trimStep(
    client: PoolClient,
    channels: string[],
    { oldest, most, covered }: { oldest: number; most: number; covered: boolean },
  ): Promise<number> {
    // Locked in the order in which appends lock, and before the statement that
    // looks: it sees what they committed.
    await client.query(
      `SELECT FROM ${quoted}.log_channels WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`,
      [channels],
    )
    if (most === 0) {
      await client.query(`DELETE FROM ${quoted}.log_snapshots WHERE channel = ANY ($1)`, [channels])
      const forget = `UPDATE ${quoted}.log_channels SET snapshot = 0, kept_from = NULL WHERE id = ANY ($1) AND snapshot > 0`
      await client.query(forget, [channels])
    }
    const { rowCount } = await client.query(
      `WITH due AS MATERIALIZED (
         SELECT c.id, c.first, least(stop, greatest(c.first, least(c.kept_from,
           CASE WHEN $5::boolean AND c.kept_from IS NOT NULL THEN c.kept_from
             ELSE greatest(coalesce(young.seq, stop), c.seq - $3 + 1) END))) AS kept
         FROM ${quoted}.log_channels c
         CROSS JOIN LATERAL (SELECT least(c.first + $4, c.seq + 1) AS stop) AS bound
         LEFT JOIN LATERAL (
           SELECT seq FROM ${quoted}.log_messages m
           WHERE m.channel = c.id AND m.seq >= c.first AND m.seq < stop AND m.at >= $2 ORDER BY seq LIMIT 1
         ) young ON true
         WHERE c.id = ANY ($1)
       ), shrunk AS (
         UPDATE ${quoted}.log_channels c SET first = kept, first_at = coalesce(
           (SELECT m.at FROM ${quoted}.log_messages m WHERE m.channel = c.id AND m.seq = kept), 0)
         FROM due WHERE c.id = due.id AND kept > due.first
       )
       DELETE FROM ${quoted}.log_messages m USING due WHERE m.channel = due.id AND m.seq >= due.first AND m.seq < kept`,
      [channels, oldest, most, Math.ceil(messagesPerStep / channels.length), covered],
    )
    return rowCount ?? 0
  }

  const state: StateStore = {
    write: (entries, { maxKeys }) =>
      lifetime.run("write", () => {
        requireKeepable(entries)
        const column = (name: keyof StateWrite) => entries.map((entry) => entry[name] ?? null)
        return attempt("write", async () => {
          const { rows } = await pool.query<{
            version: string | null
            refused: "full" | "changed"
            epoch: string
          }>(`SELECT version, refused, epoch FROM ${quoted}.log_write($1, $2, $3, $4, $5)`, [
            column("channel"),
            column("key"),
            column("value"),
            column("ifVersion"),
            maxKeys,
          ])
          return rows.map(
            ({ version, refused, epoch }): StateWritten =>
              version === null ? { refused } : { epoch, version: Number(version) },
          )
        })
      }),
    read: (channel, keys) =>
      lifetime.run("read", () =>
        attempt("read", async () => {
          // All in one statement: no write comes between.
          const { rows } = await pool.query<{ epoch: string; head: string | null } & (ValueRow | NoValueRow)>(
            `SELECT epoch, s.version AS head, v.key, v.version, v.value FROM ${quoted}.log_meta
             LEFT JOIN ${quoted}.log_states s ON s.name = $1
             LEFT JOIN ${quoted}.log_values v ON v.channel = s.id AND ($2::text[] IS NULL OR v.key = ANY ($2))
             ORDER BY v.key`,
            [keyOf(channel), keys?.filter((key) => keyOf(key) !== null) ?? null],
          )
          const { epoch = "", head = null } = rows[0] ?? {}
          const entries = rows
            .filter((row) => row.key !== null)
            .map((row) => fromStateRow({ ...row, version: Number(row.version) }))
          return { epoch, version: Number(head ?? 0), entries }
        }),
      ),
  }

  const snapshots: SnapshotStore = {
    write: (channel, { epoch, upTo, bytes, ifUpTo }) =>
      lifetime.run("write", () =>
        attempt("write", () =>
          transaction(async (client): Promise<SnapshotWritten> => {
            // Comparing and setting is one statement on one row: whoever waited for it compares anew.
            const { rowCount } = await client.query(
              `WITH written AS (
                 UPDATE ${quoted}.log_channels c SET snapshot = $3, kept_from = coalesce(
                   (SELECT min(m.seq) FROM ${quoted}.log_messages m
                    JOIN ${quoted}.log_messages last ON last.channel = c.id AND last.seq = $3
                    WHERE m.channel = c.id AND m.seq > $3 - $6::bigint AND m.seq <= $3 AND m.at >= last.at - $7::bigint), $3)
                 WHERE name = $1 AND snapshot = $4 AND $3 > $4 AND $3 <= seq AND $2 = (SELECT epoch FROM ${quoted}.log_meta)
                 RETURNING id
               ), dropped AS (
                 DELETE FROM ${quoted}.log_snapshots s USING written WHERE s.channel = written.id AND s.up_to < $4
               )
               INSERT INTO ${quoted}.log_snapshots (channel, up_to, bytes) SELECT id, $3, $5 FROM written`,
              [keyOf(channel), epoch, upTo, ifUpTo, bytes, keptBehind.messages, keptBehind.ms],
            )
            const { rows } = await client.query<SnapshottedRow>(
              `SELECT epoch, seq, snapshot FROM ${quoted}.log_meta LEFT JOIN ${quoted}.log_channels ON name = $1`,
              [keyOf(channel)],
            )
            const { epoch: life = "", seq, snapshot } = rows[0] ?? {}
            return { isWritten: rowCount === 1, epoch: life, upTo: Number(snapshot), seq: Number(seq) }
          }),
        ),
      ),
    read: (channel, before) =>
      lifetime.run("read", () =>
        attempt("read", async () => {
          const { rows } = await pool.query<{ epoch: string; up_to: string | null; bytes: Buffer | null }>(
            `SELECT epoch, s.up_to, s.bytes FROM ${quoted}.log_meta
             LEFT JOIN LATERAL (
               SELECT up_to, bytes FROM ${quoted}.log_snapshots s JOIN ${quoted}.log_channels c ON c.id = s.channel
               WHERE c.name = $1 AND ($2::bigint IS NULL OR up_to < $2) ORDER BY up_to DESC LIMIT 1
             ) s ON true`,
            [keyOf(channel), before ?? null],
          )
          const { epoch = "", up_to = null, bytes = null } = rows[0] ?? {}
          const snapshot = bytes && { upTo: Number(up_to), bytes: new Uint8Array(bytes) }
          return { epoch, snapshot }
        }),
      ),
  }

  return {
    state,
    snapshots,

    // A digest: the address holds a password.
    ...("connectionString" in options && {
      location: createHash("sha256").update(`${options.connectionString} ${schema}`).digest("base64url"),
    }),

    append: (entries) =>
      lifetime.run("append", () => {
        const records = entries.map(toLogRecord)
        const column = (name: keyof (typeof records)[number]) => records.map((record) => record[name])
        return attempt("append", async () => {
          const { rows } = await pool.query<AppendRow>(
            `SELECT seq, at, sender, is_duplicate, epoch FROM ${quoted}.log_append($1, $2, $3, $4, $5, $6)`,
            [column("channel"), column("id"), column("event"), column("payload"), column("sender"), time()],
          )
          return rows.map(({ seq, at, sender, is_duplicate, epoch }, index) => {
            const { id } = records[index] as (typeof records)[number]
            return toAppendResult({ id, seq: Number(seq), at: Number(at), sender }, epoch, is_duplicate)
          })
        })
      }),

    readAfter: (channel, seq, limit) =>
      lifetime.run("read", () => attempt("read", () => readPage(channel, "ASC", seq, limit))),

    readBefore: (channel, seq, limit) =>
      lifetime.run("read", () =>
        attempt("read", () => readPage(channel, "DESC", seq ?? Number.MAX_SAFE_INTEGER, limit)),
      ),

    heads: (channels) =>
      lifetime.run("read", () =>
        attempt("read", async () => {
          const { rows } = await pool.query<HeadRow>(
            `SELECT epoch, ${headColumns} FROM ${quoted}.log_meta
             CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS wanted (name, ordinal)
             LEFT JOIN ${quoted}.log_channels c ON c.name = wanted.name
             LEFT JOIN ${quoted}.log_messages newest ON newest.channel = c.id AND newest.seq = c.seq
             ORDER BY ordinal`,
            [channels.map(keyOf)],
          )
          return rows.map(toHead)
        }),
      ),

    trim: (retention) => lifetime.run("trim", () => trim(retention)),

    erase: (userId) =>
      lifetime.run("erase", () =>
        attempt("erase", async () => {
          const { event, payload, sender } = erased
          const { rowCount } = await pool.query(
            `UPDATE ${quoted}.log_messages SET event = $1, payload = $2, sender = $3 WHERE strpos(sender, $4) > 0`,
            [event, payload, sender, senderMark(userId)],
          )
          return rowCount ?? 0
        }),
      ),

    renew: () =>
      lifetime.run("renew", () =>
        attempt("renew", async () => {
          const epoch = randomUUID()
          await pool.query(`UPDATE ${quoted}.log_meta SET epoch = $1`, [epoch])
          return epoch
        }),
      ),

    close: () => lifetime.close(),
  }
}

function toHead(row: HeadRow | undefined): LogHead {
  if (!row) throw new Error("the log's meta table is empty")
  if (row.head === null) return emptyHead(row.epoch)
  const { epoch, head, first, head_id, head_at } = row
  return { epoch, seq: Number(head), first: Number(first), ...toMark(head_id, head_at) }
}

const toMark = (id: string | null | undefined, at: string | null | undefined) =>
  typeof id === "string" ? markOfRow({ id, at: Number(at) }) : {}
