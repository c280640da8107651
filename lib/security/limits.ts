import { setTimeout as delay } from "node:timers/promises"
import type { Pool } from "pg"
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible"
import { logError, type OnError, RealtimeError } from "#realtime"
import { networkOf } from "./network.ts"

/** So many points in so many seconds; who goes over waits for the rest of them. A burst of talk is fine, a flood isn't. */
const budgets = {
  "publishes of a person": { points: 100, duration: 10 },
  "publishes in a room": { points: 1_000, duration: 10 },
  "signals of a person": { points: 100, duration: 10 },
  "signals in a room": { points: 2_000, duration: 10 },
  "reads of a person": { points: 600, duration: 10 },
  // As one types, with a pause here and there.
  "searches of a person": { points: 60, duration: 10 },
  // Four requests each: announced, its preview and itself sent, looked at.
  "uploads of a person": { points: 400, duration: 10 * 60 },
  "kilobytes uploaded by a person": { points: 1024 * 1024, duration: 24 * 60 * 60 },
  // Many people may share an address: an office, a school, a mobile carrier.
  "connections from an address": { points: 3_000, duration: 60 },
  "guests from an address": { points: 600, duration: 10 * 60 },
  "guests of a day from an address": { points: 5_000, duration: 24 * 60 * 60 },
  "invitations tried from an address": { points: 1_200, duration: 10 * 60 },
  // What stays. A name costs nothing, so that a person's limit without the address's would be none.
  "rooms of a person": { points: 20, duration: 60 * 60 },
  "rooms from an address": { points: 300, duration: 60 * 60 },
  "joins of a person": { points: 100, duration: 60 * 60 },
  "joins from an address": { points: 3_000, duration: 60 * 60 },
  "invitations of a person": { points: 60, duration: 60 * 60 },
  "invitations from an address": { points: 1_000, duration: 60 * 60 },
} as const

export type Budget = keyof typeof budgets

/** How much one may ask for, counted where all processes see it: in Redis, else PostgreSQL, else this process's memory. */
export interface Limits {
  /** Rejects with `rate-limited`, and when to come back, once the budget of this person, room or address is used up. */
  take(budget: Budget, whose: string, count?: number): Promise<void>
  close(): Promise<void>
}

export interface LimitsOptions {
  redisUrl?: string | undefined
  /** Where the table `limits` is; used without Redis. */
  pool?: Pool | undefined
  /** Of a function, which stands still once it has answered: what counts no more is removed at its start, not by a timer. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  onError?: OnError
}

export async function createLimits({
  redisUrl,
  pool,
  waitUntil,
  onError = logError,
}: LimitsOptions): Promise<Limits> {
  const redis = redisUrl ? await connectRedis(redisUrl, onError) : null
  const limiters = new Map<Budget, RateLimiterAbstract>()
  for (const [budget, { points, duration }] of Object.entries(budgets)) {
    const options = { keyPrefix: `throughline:${budget.replaceAll(" ", "-")}`, points, duration }
    const memory = new RateLimiterMemory(options)
    // A store that is away must not keep people from talking: this process counts alone meanwhile.
    const shared = { ...options, insuranceLimiter: memory, inMemoryBlockOnConsumed: points + 1 }
    limiters.set(
      budget as Budget,
      redis
        ? new RateLimiterRedis({
            ...shared,
            storeClient: redis,
            useRedisPackage: true,
            rejectIfRedisNotReady: true,
          })
        : pool
          ? new RateLimiterPostgres({
              ...{ ...shared, tableName: "limits", tableCreated: true, clearExpiredByTimeout: !waitUntil },
              // Named statements belong to a session, which a pooler in transaction mode doesn't keep.
              storeClient: { query: ({ text, values }: Query) => pool.query({ text, values, ...patience }) },
              storeType: "pool",
            })
          : memory,
    )
  }
  if (pool && !redis) waitUntil?.(removeExpired(pool, onError))
  return {
    async take(budget, whose, count = 1) {
      try {
        const counted = budget.endsWith("from an address") ? networkOf(whose) : whose
        await limiters.get(budget)?.consume(counted, count)
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        throw new RealtimeError("rate-limited", {
          message: `unable to accept more; the ${budget} are over the limit`,
          retryAfterMs: Math.max(refusal.msBeforeNext, 100),
        })
      }
    },
    close: async () => redis?.destroy(),
  }
}

async function removeExpired(pool: Pool, onError: OnError): Promise<void> {
  const query = { text: "DELETE FROM limits WHERE expire < $1", values: [Date.now()], ...patience }
  await pool.query(query).catch((error: unknown) => onError(error, { stage: "limit" }))
}

const connectTimeoutMs = 2_000
/** A publish doesn't wait longer than that for being counted. */
const queryTimeoutMs = 1_000

/** Of `pg`, whose types leave it out of a query's configuration. */
const patience = { query_timeout: queryTimeoutMs }

interface Query {
  text: string
  values: unknown[]
}

async function connectRedis(url: string, onError: OnError) {
  const { createClient } = await import("redis")
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: connectTimeoutMs },
  })
  let wasTold = false
  client.on("ready", () => {
    wasTold = false
  })
  client.on("error", ({ code, name }: NodeJS.ErrnoException) => {
    if (wasTold) return
    wasTold = true
    const message = "unable to count in Redis; each process counts for itself until it is back"
    onError(new RealtimeError("provider-unavailable", { message, cause: code ?? name }), { stage: "limit" })
  })
  // A Redis that is away is tried on and on; nobody's start waits for it for long.
  const connected = client.connect().catch(() => {})
  await Promise.race([connected, delay(connectTimeoutMs, undefined, { ref: false })])
  return client
}
