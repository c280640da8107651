import {
  findPgBouncer,
  findPostgres,
  findRedis,
  startPgBouncer,
  startPostgres,
  startRedis,
  startTcpProxy,
  waitFor,
} from "throughline/testing"
import { describe, expect, it } from "vitest"
import { openDatabase, openPool } from "../chat/database.ts"
import { createLimits, type Limits } from "./limits.ts"

/** Of the 60 that a person has, how many are left. */
async function spend(limits: Limits, whose: string): Promise<number> {
  for (let taken = 0; ; taken += 1) {
    try {
      await limits.take("invitations of a person", whose)
    } catch (error) {
      expect(error).toMatchObject({ code: "rate-limited", retryAfterMs: expect.any(Number) })
      return taken
    }
  }
}

describe("limits", () => {
  it("count each person, room or address by itself, in memory", async () => {
    const limits = await createLimits({})
    expect(await spend(limits, "192.0.2.1")).toBe(60)
    expect(await spend(limits, "192.0.2.2")).toBe(60)
    await limits.take("publishes of a person", "alice", 100)
    await expect(limits.take("publishes of a person", "alice")).rejects.toMatchObject({
      code: "rate-limited",
    })
    await limits.take("publishes of a person", "bob", 100)
  })

  it("count a network of IPv6 as one address, of which it has no end", async () => {
    const limits = await createLimits({})
    await limits.take("rooms from an address", "2001:db8:1:2::1", 300)
    const again = limits.take("rooms from an address", "2001:db8:1:2:ffff::2")
    await expect(again).rejects.toMatchObject({ code: "rate-limited" })
    await limits.take("rooms from an address", "2001:db8:1:3::1")
    await limits.take("rooms from an address", "::ffff:192.0.2.1", 300)
    await expect(limits.take("rooms from an address", "192.0.2.1")).rejects.toMatchObject({
      code: "rate-limited",
    })
  })

  it.skipIf(!findRedis())("count together over Redis, and each for itself while it is away", async () => {
    await using redis = await startRedis()
    const told: unknown[] = []
    const open = () => createLimits({ redisUrl: redis.url, onError: (error) => void told.push(error) })
    const [first, second] = [await open(), await open()]
    expect((await spend(first, "192.0.2.1")) + (await spend(second, "192.0.2.1"))).toBeLessThanOrEqual(61)
    await redis.kill()
    await waitFor(() => told.length >= 2)
    expect(await spend(second, "192.0.2.3")).toBe(60)
    await Promise.all([first.close(), second.close()])
  })

  it.skipIf(!findRedis())(
    "count in this process while Redis says nothing, and wait for it once",
    async () => {
      await using redis = await startRedis()
      await using wire = await startTcpProxy({ host: "127.0.0.1", port: redis.port })
      const limits = await createLimits({ redisUrl: `redis://127.0.0.1:${wire.port}`, onError() {} })
      await limits.take("invitations of a person", "alice", 60)
      wire.freeze()
      expect(await spend(limits, "bob")).toBe(60)
      await limits.close()
    },
  )

  const isPooled = findPgBouncer() !== null
  it.skipIf(!findPostgres())(
    `count together over PostgreSQL${isPooled ? ", behind a pooler" : ""}`,
    async () => {
      await using stack = new AsyncDisposableStack()
      const postgres = stack.use(await startPostgres())
      const { connectionString } = isPooled ? stack.use(await startPgBouncer(postgres)) : postgres
      const pools = [openPool(connectionString), openPool(connectionString)]
      const database = await openDatabase({ pool: pools[0], dataDir: "" })
      const [first, second] = await Promise.all(pools.map((pool) => createLimits({ pool })))
      await first?.take("invitations of a person", "192.0.2.1", 59)
      await second?.take("invitations of a person", "192.0.2.1")
      await expect(first?.take("invitations of a person", "192.0.2.1")).rejects.toMatchObject({
        code: "rate-limited",
      })
      await postgres.stop()
      await first?.take("invitations of a person", "192.0.2.9")
      await postgres.start()
      await database.destroy()
      await pools[1]?.end()
    },
  )

  it.skipIf(!findPostgres())(
    "of a function are tidied at its start, by work that it is kept running for",
    async () => {
      await using postgres = await startPostgres()
      const pool = openPool(postgres.connectionString)
      const database = await openDatabase({ pool, dataDir: "" })
      const now = Date.now()
      await pool.query("INSERT INTO limits VALUES ('old', 1, $1), ('new', 1, $2)", [
        now - 1_000,
        now + 60_000,
      ])
      const handed: Promise<unknown>[] = []
      await createLimits({ pool, waitUntil: (work) => handed.push(work) })
      expect(handed).toHaveLength(1)
      await Promise.all(handed)
      expect((await pool.query("SELECT key FROM limits")).rows).toEqual([{ key: "new" }])
      await database.destroy()
    },
  )
})
