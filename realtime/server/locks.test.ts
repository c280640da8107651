import { describe, expect, it } from "vitest"
import type { JsonValue } from "../json.ts"
import { fromLockSnapshot } from "../locks.ts"
import { createMemoryLog, createMemoryLogStore } from "../log/memory.ts"
import type { User } from "../message.ts"
import { contractChannels } from "../testing/index.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { createContractHttp } from "../testing/transport-contract/backend.ts"
import { createLocks } from "./locks.ts"

const channel = contractChannels.locks({ locks: "1" })
const alice = { id: "alice" }
const bob = { id: "bob" }

async function setup() {
  const store = createMemoryLogStore()
  const backend = await startMemoryBackend({ store })
  const { realtime } = backend
  const say = async (user: User, event: string, payload: unknown) => {
    const message = { id: crypto.randomUUID(), event, payload: payload as JsonValue }
    const [result] = await createContractHttp(realtime, user).publish(channel.name, [message])
    return result && "receipt" in result ? result.receipt.seq : (result?.error.code ?? null)
  }
  return {
    ...{ backend, realtime, store, log: createMemoryLog({ store }), locks: realtime.locks },
    claim: (user: User, lock = "title") => say(user, "lock-claimed", { lock }),
    release: (user: User, claim: number, lock = "title") => say(user, "lock-released", { lock, claim }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

describe("the server's locks", () => {
  it("let the holder write by their token, and nobody else by any", async () => {
    await using at = await setup()
    expect([await at.claim(alice), await at.claim(bob)]).toEqual([1, 2])
    const outcomes = async () => {
      const found: string[] = []
      for (const [user, token] of [
        [alice, 1],
        [bob, 2],
        [bob, 1],
        [alice, 2],
      ] as const)
        await at.locks.guard(channel, "title", { token, user }).then(
          () => found.push(`${user.id} by ${token}`),
          (error) => expect(error.code).toBe("conflict"),
        )
      return found
    }
    expect(await outcomes()).toEqual(["alice by 1"])
    await at.release(alice, 1)
    expect(await outcomes()).toEqual(["bob by 2"])
    await at.claim(alice)
    expect(await at.locks.holder(channel, "title")).toEqual({ lock: "title", seq: 2, user: bob })
    expect(await at.locks.holder(channel, "body")).toBeNull()
  })

  it("end a claim for its person, for others only once that one is gone, and none before it is there", async () => {
    await using at = await setup()
    const transport = at.backend.createTransport(alice)
    transport.connect()
    const attached = Promise.withResolvers<void>()
    const nothing = () => {}
    const subscription = transport.subscribe(channel.name, {
      ...{
        cursor: () => null,
        onAttached: () => attached.resolve(),
        onDetached: nothing,
        onDenied: attached.reject,
      },
      ...{ onMessages: nothing, onSignal: nothing, onPresence: nothing },
    })
    await attached.promise
    await subscription.enterPresence({ mood: "here" })
    await at.claim(alice)
    await at.claim(bob)
    expect(await at.release(bob, 1)).toBe("channel-denied")
    expect(await at.release(bob, 4)).toBe("channel-denied")
    await subscription.leavePresence()
    expect(await at.release(bob, 1)).toBe(3)
    // Again, as another page may ask at the same time.
    expect(await at.release(alice, 1)).toBe(4)
    expect(await at.locks.holder(channel, "title")).toMatchObject({ user: bob })
    await transport.close()
  })

  it("are no other channel's", async () => {
    await using at = await setup()
    const room = contractChannels.room({ room: "1" }) as unknown as typeof channel
    const refused = new TypeError(
      'unable to use locks of "room:1"; its definition lacks `messages: lockMessages`',
    )
    await expect(at.locks.holder(room, "title")).rejects.toThrow(refused)
    await expect(at.locks.guard(room, "title", { token: 1, user: alice })).rejects.toThrow(refused)
  })

  it("are the same in every process, and outlive what retention takes", async () => {
    await using at = await setup()
    const other = createLocks(() => at.realtime)
    await at.claim(alice)
    await at.locks.guard(channel, "title", { token: 1, user: alice })
    for (let n = 0; n < 150; n += 1) {
      const seq = await at.claim(bob, "body")
      await at.release(bob, Number(seq), "body")
    }
    await at.log.trim({ maxMessagesPerChannel: 5 })
    const { snapshot } = await at.realtime.snapshot(channel).read()
    expect(fromLockSnapshot(snapshot?.bytes ?? null)).toEqual([{ lock: "title", seq: 1, user: alice }])
    for (const locks of [at.locks, other, createLocks(() => at.realtime)])
      expect(await locks.holder(channel, "title")).toEqual({ lock: "title", seq: 1, user: alice })
  })

  it("follow a log that is another, or went back", async () => {
    await using at = await setup()
    await at.claim(alice)
    await at.claim(bob)
    await at.release(alice, 1)
    expect(await at.locks.holder(channel, "title")).toMatchObject({ seq: 2 })
    at.realtime.putBack(channel, 2)
    expect(await at.locks.holder(channel, "title")).toMatchObject({ seq: 1 })
    await at.release(alice, 1)
    await at.log.renew()
    expect(await at.locks.holder(channel, "title")).toMatchObject({ seq: 2 })
    at.store.epoch = crypto.randomUUID()
    at.store.channels.clear()
    expect(await at.locks.holder(channel, "title")).toBeNull()
    await expect(at.locks.guard(channel, "title", { token: 2, user: bob })).rejects.toMatchObject({
      code: "conflict",
    })
  })

  it("refuse claims without end, by name", async () => {
    await using at = await setup()
    await at.realtime.publishBatch(
      Array.from({ length: 1_000 }, (_, n) => ({
        ...{ channel, event: "lock-claimed", payload: { lock: `lock ${n}` }, from: alice },
      })),
    )
    expect(await at.claim(bob)).toBe("rate-limited")
    await at.release(alice, 1, "lock 0")
    expect(await at.claim(bob)).toBe(1_002)
  })
})
