import { afterEach, describe, expect, it, vi } from "vitest"
import { createMemoryLog, createMemoryLogStore } from "../log/memory.ts"
import type { User } from "../message.ts"
import { contractChannels, createContractHttp } from "../testing/index.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { freshName } from "../testing/transport-contract/check.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"
import { followLocks } from "./follow-locks.ts"

const alice = { id: "alice" }
const bob = { id: "bob" }
const carol = { id: "carol" }

/** Pages on the memory provider, each present, whose locks are at hand. */
async function setup() {
  const store = createMemoryLogStore()
  const backend = await startMemoryBackend({ store })
  const ref = contractChannels.locks({ locks: freshName("locks") })
  const stack = new AsyncDisposableStack()
  stack.use(backend)
  const errors: unknown[] = []
  async function open(user: User, { isPresent = true } = {}) {
    const client = createClient({
      transport: () => backend.createTransport(user),
      http: createContractHttp(backend.realtime, user),
      headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
      onError: (error) => errors.push(error),
    })
    stack.defer(() => client.close())
    const channel = client.channel(ref)
    if (isPresent) channel.presence.enter({ mood: "here" })
    let changes = 0
    const onChange = () => {
      changes += 1
    }
    const locks = followLocks(channel, { user, onChange })
    client.open()
    await waitFor(() => channel.status.state === "attached")
    if (isPresent)
      await waitFor(() => channel.presence.snapshot?.members?.some((member) => member.user.id === user.id))
    return { client, channel, locks, changes: () => changes }
  }
  return {
    ...{ backend, ref, store, errors, open, log: createMemoryLog({ store }) },
    /** All of these pages see the same claims, and this is who holds the lock by them. */
    agree: (pages: { locks: ReturnType<typeof followLocks> }[], holder: User | null) =>
      waitFor(() => {
        const seen = new Set(pages.map(({ locks }) => JSON.stringify(locks.claims)))
        return seen.size === 1 && pages[0]?.locks.holder("title")?.user.id === holder?.id
      }, `the holder ${holder?.id}`),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const stopClock = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })

/** While the clock stands still. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000; turns += 1) {
    if (condition()) return
    await vi.advanceTimersByTimeAsync(0)
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error("waited in vain")
}

afterEach(() => vi.useRealTimers())

describe("a page that follows locks", () => {
  it("holds one once its turn has come, by the token that the server takes", async () => {
    await using at = await setup()
    const [a, b] = await Promise.all([at.open(alice), at.open(bob)])
    const first = await a.locks.claim("title")
    const second = b.locks.claim("title")
    await at.agree([a, b], alice)
    expect(await a.locks.claim("title")).toBe(first)
    expect([a.locks.token("title"), b.locks.token("title"), b.locks.token("body")]).toEqual([
      first,
      null,
      null,
    ])
    const released = a.locks.release("title")
    expect(a.locks.token("title")).toBeNull()
    await released
    const token = await second
    expect(token).toBeGreaterThan(first)
    await at.agree([a, b], bob)
    const { guard } = at.backend.realtime.locks
    await guard(at.ref, "title", { token, user: bob })
    await expect(guard(at.ref, "title", { token: first, user: alice })).rejects.toMatchObject({
      code: "conflict",
    })
    expect(b.changes()).toBeGreaterThan(2)
    expect(at.errors).toEqual([])
  })

  it("knows one person in several tabs, and after a reload", async () => {
    await using at = await setup()
    const [one, other] = await Promise.all([at.open(alice), at.open(alice)])
    const token = await one.locks.claim("title")
    expect(await other.locks.claim("title")).toBe(token)
    await one.client.close()
    const reloaded = await at.open(alice)
    await at.agree([other, reloaded], alice)
    expect(reloaded.locks.token("title")).toBe(token)
  })

  it("leaves the queue by release, and waits no more after that or after stop", async () => {
    await using at = await setup()
    const [a, b, c] = await Promise.all([at.open(alice), at.open(bob), at.open(carol)])
    await a.locks.claim("title")
    const left = b.locks.claim("title")
    left.catch(() => {})
    await waitFor(() => b.locks.claims.length === 2)
    const stopped = c.locks.claim("title")
    stopped.catch(() => {})
    await waitFor(() => c.locks.claims.length === 3)
    await b.locks.release("title")
    await expect(left).rejects.toMatchObject({ code: "conflict" })
    c.locks.stop()
    await expect(stopped).rejects.toMatchObject({ code: "not-connected" })
    await expect(c.locks.claim("title")).rejects.toMatchObject({ code: "not-connected" })
    await waitFor(() => a.locks.claims.length === 2)
    await at.agree([a, b], alice)
  })

  it("gets the lock of somebody who vanished within the grace window and a second", async () => {
    await using at = await setup()
    const [a, b, c] = await Promise.all([at.open(alice), at.open(bob), at.open(carol)])
    await a.locks.claim("title")
    await at.agree([a, b, c], alice)
    const token = b.locks.claim("title")
    const later = c.locks.claim("title")
    later.catch(() => {})
    await waitFor(() => [b, c].every(({ locks }) => locks.claims.length === 3))
    await waitFor(() => [b, c].every(({ channel }) => channel.presence.snapshot?.count === 3))
    stopClock()
    const gone: unknown[] = []
    for (const { channel } of [b, c]) channel.presence.subscribe(() => void gone.push(channel.name))
    await a.client.close()
    await until(() => gone.length === 2)
    await vi.advanceTimersByTimeAsync(3_900)
    expect([b.locks.token("title"), b.locks.holder("title")?.user]).toEqual([null, alice])
    await vi.advanceTimersByTimeAsync(1_100)
    vi.useRealTimers()
    await token
    await at.agree([b, c], bob)
    const { guard } = at.backend.realtime.locks
    await expect(guard(at.ref, "title", { token: 1, user: alice })).rejects.toMatchObject({
      code: "conflict",
    })
    // She comes back, finds that it isn't hers, and stands behind.
    const back = await at.open(alice)
    await at.agree([back, b, c], bob)
    expect(back.locks.token("title")).toBeNull()
    const again = back.locks.claim("title")
    await b.locks.release("title")
    await later
    await c.locks.release("title")
    expect(await again).toBeGreaterThan(await later)
  })

  it("gives somebody whom it has never seen as long to come back", async () => {
    await using at = await setup()
    const gone = await at.open(alice)
    await gone.locks.claim("title")
    await gone.client.close()
    const b = await at.open(bob)
    await at.agree([b], alice)
    stopClock()
    const token = b.locks.claim("title")
    await until(() => b.locks.claims.length === 2)
    await vi.advanceTimersByTimeAsync(3_900)
    expect(b.locks.holder("title")?.user).toEqual(alice)
    await vi.advanceTimersByTimeAsync(1_100)
    vi.useRealTimers()
    expect(await token).toBe(b.locks.holder("title")?.seq)
  })

  it("agrees with all others again after cuts, a gap and another log", async () => {
    await using at = await setup()
    const pages = await Promise.all([at.open(alice), at.open(bob), at.open(carol)])
    const [a, b, c] = pages
    await a.locks.claim("title")
    const waits = b.locks.claim("title")
    waits.catch(() => {})
    await at.agree(pages, alice)
    // The server has a snapshot by now, which retention leaves alone.
    await at.backend.realtime.locks.guard(at.ref, "title", { token: 1, user: alice })
    const end = await at.backend.startOutage()
    await waitFor(() => pages.every(({ channel }) => channel.status.state !== "attached"))
    const { realtime } = at.backend
    for (let n = 0; n < 120; n += 1) {
      const { seq } = await realtime.publish(at.ref, "lock-claimed", { lock: "body" }, { from: carol })
      await realtime.publish(at.ref, "lock-released", { lock: "body", claim: seq })
    }
    await realtime.locks.holder(at.ref, "title")
    await at.log.trim({ maxMessagesPerChannel: 2 })
    await end()
    await waitFor(() => pages.every(({ channel }) => channel.status.state === "attached"))
    await at.agree(pages, alice)
    await a.locks.release("title")
    await waits
    await at.agree(pages, bob)

    // As after a restart with nothing kept: all is free, on every page.
    at.store.epoch = crypto.randomUUID()
    at.store.channels.clear()
    await realtime.publish(at.ref, "lock-claimed", { lock: "title" }, { from: carol })
    await at.agree(pages, carol)
    expect(await realtime.locks.holder(at.ref, "title")).toEqual(c.locks.holder("title"))
    const token = a.locks.claim("title")
    await c.locks.release("title")
    expect(await token).toBe(2)
    await at.agree(pages, alice)
  })
})
