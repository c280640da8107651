import { randomUUID } from "node:crypto"
import type { PoolClient } from "pg"
import { newerStore } from "./record.ts"

/**
 * Each entry takes the schema one version further; it is handed the schema's name, quoted. A
 * released entry never changes; the next one is appended, and leaves what the release before it
 * calls, because during a deployment both run. The names carry `log_` because an application may
 * keep its own tables in the same schema.
 */
const migrations: readonly ((schema: string) => string)[] = [
  // `first` and `first_at` are the oldest message kept: the head, and what is due for trimming,
  // without a look at the messages. A channel's row changes with every group, so its page has room
  // for the next version of it (HOT).
  (schema) => `
    CREATE TABLE ${schema}.log_channels (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      seq bigint NOT NULL DEFAULT 0,
      at bigint NOT NULL DEFAULT 0,
      first bigint NOT NULL DEFAULT 1,
      first_at bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE TABLE ${schema}.log_messages (
      channel bigint NOT NULL,
      seq bigint NOT NULL,
      id text COLLATE "C" NOT NULL,
      event text NOT NULL,
      payload text NOT NULL,
      sender text NOT NULL,
      at bigint NOT NULL,
      PRIMARY KEY (channel, seq),
      UNIQUE (channel, id)
    );
    ${appendFunction(schema)}`,
  // The state of channels: of each key the newest value. `keys` counts them, so that a limit costs no count.
  (schema) => `
    CREATE TABLE ${schema}.log_states (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      version bigint NOT NULL DEFAULT 0,
      keys bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE TABLE ${schema}.log_values (
      channel bigint NOT NULL,
      key text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      value text NOT NULL,
      PRIMARY KEY (channel, key)
    ) WITH (fillfactor = 70);
    ${writeFunction(schema)}`,
  // The snapshots of channels. `snapshot` is the newest one's `upTo`, and from `kept_from` on retention
  // removes nothing: what a snapshot is written onto is in the row that writers lock.
  (schema) => `
    ALTER TABLE ${schema}.log_channels ADD COLUMN snapshot bigint NOT NULL DEFAULT 0, ADD COLUMN kept_from bigint;
    CREATE TABLE ${schema}.log_snapshots (
      channel bigint NOT NULL,
      up_to bigint NOT NULL,
      bytes bytea NOT NULL,
      PRIMARY KEY (channel, up_to)
    );`,
]

/**
 * The whole of an append in the server: one round trip, so that a channel is locked for as long
 * as a commit takes and not for as long as the network does, and nothing of a session survives
 * it, as transaction poolers need.
 *
 * Missing channels are made in the order of their names, then all are locked in the order of their ids:
 * writers of the same channels wait for each other and never in a circle. Each statement of the function sees
 * what was committed before it began, so behind the lock the channel's `seq` and its ids are the newest.
 * Every lookup is by an index whatever the arrays hold, so the plans are made once for each connection
 * (measured with 8 writers: 1.7 times the appends).
 */
function appendFunction(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.log_append(
      in_channels text[], in_ids text[], in_events text[], in_payloads text[], in_senders text[], in_now bigint
    ) RETURNS TABLE (seq bigint, at bigint, sender text, is_duplicate boolean, epoch text)
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $function$
    #variable_conflict use_column
    DECLARE
      now_ms constant bigint := coalesce(in_now, ${clock});
    BEGIN
      INSERT INTO ${schema}.log_channels (name)
        SELECT DISTINCT name COLLATE "C" AS name FROM unnest(in_channels) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM ${schema}.log_channels known WHERE known.name = wanted.name)
        ORDER BY name
        ON CONFLICT (name) DO NOTHING;

      PERFORM FROM ${schema}.log_channels WHERE name = ANY (in_channels) ORDER BY id FOR NO KEY UPDATE;

      RETURN QUERY
      WITH entry AS MATERIALIZED (
        SELECT ordinal, c.id AS channel, c.seq AS head, greatest(now_ms, c.at) AS at, e.id, event, payload, e.sender,
          known.seq AS known_seq, known.at AS known_at, known.sender AS known_sender,
          row_number() OVER (PARTITION BY c.id, e.id ORDER BY ordinal) = 1 AND known.seq IS NULL AS is_new
        FROM unnest(in_channels, in_ids, in_events, in_payloads, in_senders)
          WITH ORDINALITY AS e (channel, id, event, payload, sender, ordinal)
        JOIN ${schema}.log_channels c ON c.name = e.channel
        LEFT JOIN LATERAL (
          SELECT m.seq, m.at, m.sender FROM ${schema}.log_messages m WHERE m.channel = c.id AND m.id = e.id LIMIT 1
        ) known ON true
      ), fresh AS MATERIALIZED (
        SELECT *, head + row_number() OVER (PARTITION BY channel ORDER BY ordinal) AS seq FROM entry WHERE is_new
      ), inserted AS (
        INSERT INTO ${schema}.log_messages (channel, seq, id, event, payload, sender, at)
          SELECT channel, seq, id, event, payload, sender, at FROM fresh
      ), grown AS (
        UPDATE ${schema}.log_channels c
          SET seq = n.seq, at = n.at, first_at = CASE WHEN c.first > c.seq THEN n.at ELSE c.first_at END
          FROM (SELECT channel, max(seq) AS seq, max(at) AS at FROM fresh GROUP BY channel) n WHERE c.id = n.channel
      )
      SELECT coalesce(e.known_seq, f.seq), coalesce(e.known_at, f.at), coalesce(e.known_sender, f.sender), NOT e.is_new,
        (SELECT epoch FROM ${schema}.log_meta)
      FROM entry e LEFT JOIN fresh f ON f.channel = e.channel AND f.id = e.id
      ORDER BY e.ordinal;
    END
    $function$;`
}

/**
 * The whole of a write of state in the server, as `log_append` is that of an append: one round trip, channels
 * made by name and locked by id. Of an entry that is refused the result is its reason.
 */
function writeFunction(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.log_write(
      in_channels text[], in_keys text[], in_values text[], in_versions bigint[], in_max_keys bigint
    ) RETURNS TABLE (version bigint, refused text, epoch text)
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $function$
    #variable_conflict use_column
    DECLARE
      life constant text := (SELECT epoch FROM ${schema}.log_meta);
      state record;
      known bigint;
    BEGIN
      INSERT INTO ${schema}.log_states (name)
        SELECT DISTINCT name COLLATE "C" AS name FROM unnest(in_channels) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM ${schema}.log_states known WHERE known.name = wanted.name)
        ORDER BY name
        ON CONFLICT (name) DO NOTHING;

      PERFORM FROM ${schema}.log_states WHERE name = ANY (in_channels) ORDER BY id FOR NO KEY UPDATE;

      FOR i IN 1 .. coalesce(array_length(in_channels, 1), 0) LOOP
        SELECT s.id, s.version, s.keys INTO state FROM ${schema}.log_states s WHERE s.name = in_channels[i];
        SELECT v.version INTO known FROM ${schema}.log_values v WHERE v.channel = state.id AND v.key = in_keys[i];
        refused := CASE
          WHEN in_versions[i] <> coalesce(known, 0) THEN 'changed'
          WHEN in_values[i] IS NOT NULL AND known IS NULL AND state.keys >= in_max_keys THEN 'full'
        END;
        version := NULL;
        epoch := life;
        IF refused IS NULL THEN
          version := state.version + 1;
          UPDATE ${schema}.log_states s SET version = state.version + 1,
            keys = state.keys + (in_values[i] IS NOT NULL)::int - (known IS NOT NULL)::int
            WHERE s.id = state.id;
          IF in_values[i] IS NULL THEN
            DELETE FROM ${schema}.log_values v WHERE v.channel = state.id AND v.key = in_keys[i];
          ELSE
            INSERT INTO ${schema}.log_values (channel, key, version, value)
              VALUES (state.id, in_keys[i], state.version + 1, in_values[i])
              ON CONFLICT (channel, key) DO UPDATE SET version = excluded.version, value = excluded.value;
          END IF;
        END IF;
        RETURN NEXT;
      END LOOP;
    END
    $function$;`
}

/** Several servers, one clock: the database's, in milliseconds since 1970. */
export const clock = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

interface SchemaName {
  schema: string
  /** As it stands in SQL. */
  quoted: string
}

/**
 * Of tables that aren't there: 0. It asks the catalog and not `to_regclass`, which may answer from a
 * session's cache with what was so before the migration's lock was had.
 */
export async function postgresVersion(
  client: Pick<PoolClient, "query">,
  { schema, quoted }: SchemaName,
): Promise<number> {
  const sql = "SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'log_meta'"
  if ((await client.query(sql, [schema])).rowCount === 0) return 0
  const meta = await client.query<{ version: number }>(`SELECT version FROM ${quoted}.log_meta`)
  return Number(meta.rows[0]?.version)
}

/** Or of a later one. */
export const isCurrent = (version: number) => version >= migrations.length

/** Whoever starts on the tables of a later release may know too little of them. */
export function refuseNewer(version: number): void {
  if (version > migrations.length) throw newerStore(version, migrations.length)
}

/**
 * Brings the schema to this release's version; runs in a transaction. Of several processes that start at once
 * the first migrates and the others find it done: the lock ends with the transaction.
 */
export async function migratePostgres(client: PoolClient, { schema, quoted }: SchemaName): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`throughline log ${schema}`])
  const version = await postgresVersion(client, { schema, quoted })
  if (version === 0) {
    // `IF NOT EXISTS` alone would need the right to make schemas also where an
    // administrator has made this one.
    const { rowCount } = await client.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1", [
      schema,
    ])
    if (rowCount === 0) await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`)
    await client.query(`CREATE TABLE ${quoted}.log_meta (version integer NOT NULL, epoch text NOT NULL)`)
    await client.query(`INSERT INTO ${quoted}.log_meta VALUES (0, $1)`, [randomUUID()])
  }
  refuseNewer(version)
  for (const migration of migrations.slice(version)) await client.query(migration(quoted))
  await client.query(`UPDATE ${quoted}.log_meta SET version = $1`, [migrations.length])
}
