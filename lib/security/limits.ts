import { setTimeout as delay } from "node:timers/promises"
import type { Pool } from "pg"
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible"
import { logError, type OnError, RealtimeError } from "throughline"
import { networkOf } from "throughline/server"
import { currentRequest } from "../operations/request-context.ts"
import { type Budget, type Budgets, budgets, type Personal } from "./budgets.ts"

/** How much one may ask for, counted where all processes see it: in Redis, else PostgreSQL, else this process's memory. */
export interface Limits {
  /** Rejects with `rate-limited`, and when to come back, once the budget of this person, room or address is used up. */
  take(budget: Budget, whose: string, count?: number): Promise<void>
  /** The same of a person, and then of the address that the request under way comes from, where that is known. */
  takeOf(what: Personal, userId: string, count?: number): Promise<void>
  /** Asks Redis whether it is there; absent where nothing is counted there. */
  askStore?: () => Promise<unknown>
  close(): Promise<void>
}

export interface LimitsOptions {
  /** Those that aren't the usual ones, as `LIMITS` has them. */
  own?: Budgets | undefined
  redisUrl?: string | undefined
  /** Where the table `limits` is; used without Redis. */
  pool?: Pool | undefined
  /** Of a function, which stands still once it has answered: what counts no more is removed at its start, not by a timer. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  onError?: OnError
}

export async function createLimits({
  own = {},
  redisUrl,
  pool,
  waitUntil,
  onError = logError,
}: LimitsOptions): Promise<Limits> {
  const redis = redisUrl ? await connectRedis(redisUrl, onError) : null
  const limiters = new Map<Budget, { shared: RateLimiterAbstract; memory: RateLimiterAbstract }>()
  /** The store owes an answer past its time: until it comes nobody waits for one, which would be in vain. */
  let isOverdue = false
  for (const [budget, { points, seconds }] of Object.entries({ ...budgets, ...own })) {
    const keyPrefix = `throughline:${budget.replaceAll(" ", "-")}`
    const options = { keyPrefix, points, duration: seconds }
    const memory = new RateLimiterMemory(options)
    // A store that is away must not keep people from talking: this process counts alone meanwhile.
    const insured = { ...options, insuranceLimiter: memory, inMemoryBlockOnConsumed: points + 1 }
    limiters.set(budget as Budget, {
      memory,
      shared: redis
        ? new RateLimiterRedis({
            ...insured,
            storeClient: redis,
            useRedisPackage: true,
            rejectIfRedisNotReady: true,
          })
        : pool
          ? new RateLimiterPostgres({
              ...{ ...insured, tableName: "limits", tableCreated: true, clearExpiredByTimeout: !waitUntil },
              // Named statements belong to a session, which a pooler in transaction mode doesn't keep.
              storeClient: { query: ({ text, values }: Query) => pool.query({ text, values, ...patience }) },
              storeType: "pool",
            })
          : memory,
    })
  }
  if (pool && !redis) waitUntil?.(removeExpired(pool, onError))

  async function consume(budget: Budget, key: string, count: number): Promise<void> {
    const limiter = limiters.get(budget)
    if (!limiter) return
    const { shared, memory } = limiter
    if (shared === memory || isOverdue) {
      await memory.consume(key, count)
      return
    }
    const counted = shared.consume(key, count)
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(resolve, answerTimeoutMs, null)
    try {
      if ((await Promise.race([counted, late])) !== null) return
    } finally {
      clearTimeout(timer)
    }
    isOverdue = true
    const answered = () => {
      isOverdue = false
    }
    counted.then(answered, answered)
    await memory.consume(key, count)
  }

  async function take(budget: Budget, whose: string, count = 1): Promise<void> {
    const key = budget.endsWith(" from an address") ? networkOf(whose) : whose
    try {
      await consume(budget, key, count)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      throw new RealtimeError("rate-limited", {
        message: `unable to accept more; the ${budget} are over the limit`,
        retryAfterMs: Math.max(refusal.msBeforeNext, 100),
      })
    }
  }

  return {
    take,
    // One after the other: whoever is over their own budget uses up nobody else's.
    async takeOf(what, userId, count) {
      await take(`${what} of a person`, userId, count)
      const address = currentRequest()?.address
      if (address !== undefined) await take(`${what} from an address`, address, count)
    },
    ...(redis && { askStore: () => redis.ping() }),
    close: async () => redis?.destroy(),
  }
}

async function removeExpired(pool: Pool, onError: OnError): Promise<void> {
  const query = { text: "DELETE FROM limits WHERE expire < $1", values: [Date.now()], ...patience }
  await pool.query(query).catch((error: unknown) => onError(error, { stage: "limit" }))
}

const connectTimeoutMs = 2_000
/** So long a store may take to count. What is counted in turn, by person and by address, doesn't wait again. */
const answerTimeoutMs = 1_000

/** A query that nobody waits for any more is given up. Of `pg`, whose types leave it out of a query's configuration. */
const patience = { query_timeout: 2 * answerTimeoutMs }

interface Query {
  text: string
  values: unknown[]
}

async function connectRedis(url: string, onError: OnError) {
  const { createClient } = await import("redis")
  const client = createClient({
    url,
    disableOfflineQueue: true,
    // A connection that died without a word.
    pingInterval: 5_000,
    socket: { connectTimeout: connectTimeoutMs, socketTimeout: 15_000 },
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
