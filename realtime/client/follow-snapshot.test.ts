import { contractChannels, createContractHttp } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog, createMemoryLogStore } from "../log/memory.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { closeTo, openTo } from "../testing/transport-contract/backend.ts"
import { freshName, textsOf } from "../testing/transport-contract/check.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"
import { followSnapshot } from "./follow-snapshot.ts"
import type { RealtimeHttp } from "./http.ts"

const alice = { id: "alice" }
const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`)

/** A page on the memory provider, whose log is at hand. */
async function setup(around: (http: RealtimeHttp) => Partial<RealtimeHttp> = () => ({})) {
  const room = contractChannels.room({ room: freshName() })
  const store = createMemoryLogStore()
  const backend = await startMemoryBackend({ store })
  const http = createContractHttp(backend.realtime, alice)
  const errors: unknown[] = []
  const client = createClient({
    transport: () => backend.createTransport(alice),
    http: { ...http, ...around(http) },
    headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
    onError: (error) => errors.push(error),
  })
  const slot = backend.realtime.snapshot(room)
  const told: unknown[] = []
  return {
    ...{ room, backend, client, errors, slot, told, log: createMemoryLog({ store }) },
    channel: client.channel(room),
    /** The messages up to there came two days before the others. */
    age(upTo: number) {
      for (const row of store.channels.get(room.name)?.kept ?? [])
        if (row.seq <= upTo) row.at -= 2 * 86_400_000
    },
    /** Publishes messages of these numbers. */
    say: (texts: readonly string[]) =>
      backend.realtime.publishBatch(
        texts.map((text) => ({ channel: room, event: "said", payload: { text } })),
      ),
    async write(upTo: number, ifUpTo: number) {
      const { epoch } = await backend.realtime.head(room)
      return slot.write({ epoch, upTo, ifUpTo, bytes: new TextEncoder().encode(`up to ${upTo}`) })
    },
    follow: (since?: { epoch: string; seq: number }) =>
      followSnapshot(
        client.channel(room),
        {
          onSnapshot: ({ upTo, bytes, reason }) =>
            told.push(`${reason} ${upTo} ${bytes && new TextDecoder().decode(bytes)}`),
          onMessages: (messages) => told.push(...textsOf(messages)),
          onGap: ({ from, to }) => told.push(`gap ${from}-${to}`),
        },
        { since },
      ),
  }
}

describe("followSnapshot", () => {
  it("begins with the oldest message where there is no snapshot, and says what is gone of them", async () => {
    const { backend, client, follow, say, told, log } = await setup()
    await using _ = backend
    await say(numbered(1, 600))
    await log.trim({ maxMessagesPerChannel: 550 })
    client.open()
    await follow().ready
    expect(told).toEqual(["begun 0 null", "gap 1-50", ...numbered(51, 600)])
    await client.close()
  })

  it("goes on from a newer snapshot where retention took what the page missed, and says so", async () => {
    const { backend, client, channel, follow, say, write, slot, told, age } = await setup()
    await using _ = backend
    await say(numbered(1, 10))
    await write(5, 0)
    client.open()
    await follow().ready
    const end = await backend.startOutage()
    await waitFor(() => channel.status.state !== "attached")
    await say(numbered(11, 20))
    age(15)
    await write(18, 5)
    expect(await slot.trim()).toBe(15)
    await end()
    await waitFor(() => told.includes("20"))
    await say(["21"])
    await waitFor(() => told.includes("21"))
    const before = ["begun 5 up to 5", ...numbered(6, 10)]
    expect(told).toEqual([...before, "gap 18 up to 18", ...numbered(19, 21)])
    await client.close()
  })

  it("says what no snapshot has, and goes on after it", async () => {
    const { backend, client, channel, follow, say, told, log } = await setup()
    await using _ = backend
    await say(numbered(1, 10))
    client.open()
    await follow().ready
    const end = await backend.startOutage()
    await waitFor(() => channel.status.state !== "attached")
    await say(numbered(11, 30))
    await log.trim({ maxMessagesPerChannel: 5 })
    await end()
    await waitFor(() => told.includes("30"))
    expect(told).toEqual(["begun 0 null", ...numbered(1, 10), "gap 11-25", ...numbered(26, 30)])
    await client.close()
  })

  it("begins anew when the log is another one", async () => {
    const { backend, client, follow, say, write, told, log } = await setup()
    await using _ = backend
    await say(numbered(1, 4))
    await write(3, 0)
    client.open()
    const { ready } = follow()
    await ready
    await log.renew()
    await say(["5"])
    await waitFor(() => told.includes("5"))
    expect(told).toEqual(["begun 3 up to 3", "4", "reset 3 up to 3", "4", "5"])
    await client.close()
  })

  it("says that the log is another one, also where it found out by a gap", async () => {
    let renew = async () => {}
    const { backend, client, room, follow, say, told, log, age } = await setup((http) => ({
      async post(...call) {
        await renew()
        return http.post(...call)
      },
    }))
    await using _ = backend
    await say(numbered(1, 10))
    const { epoch } = await backend.realtime.head(room)
    age(8)
    await log.trim({ maxAgeMs: 86_400_000 })
    renew = async () => void (await log.renew())
    client.open()
    await follow({ epoch, seq: 2 }).ready
    expect(told).toEqual(["reset 0 null", "gap 1-8", "9", "10"])
    await client.close()
  })

  it("reads no snapshot where it goes on from a place, unless what follows is gone", async () => {
    let reads = 0
    const { backend, client, room, follow, say, write, slot, told, age } = await setup((http) => ({
      post(...call) {
        reads += 1
        return http.post(...call)
      },
    }))
    await using _ = backend
    await say(numbered(1, 10))
    const { epoch } = await backend.realtime.head(room)
    client.open()
    await follow({ epoch, seq: 8 }).ready
    expect([told, reads]).toEqual([["9", "10"], 0])
    age(7)
    await write(9, 0)
    await slot.trim()
    await follow({ epoch, seq: 2 }).ready
    expect(told.slice(2)).toEqual(["gap 9 up to 9", "10"])
    await client.close()
  })

  it("reads again what it couldn't read, and tells whoever follows failures", async () => {
    const answers: (() => unknown)[] = [
      () => Promise.reject(new RealtimeError("log-unavailable", { message: "away" })),
      () => ({ head: { epoch: "e", seq: 1, first: 1 }, messages: [] }),
      () => ({ head: { epoch: "e", seq: 1, first: 1 }, messages: [], snapshot: { upTo: 1, bytes: "?" } }),
    ]
    const { backend, client, errors, follow, say, write, told } = await setup((http) => ({
      post: async (...call) => ((await answers.shift()?.()) as Record<string, unknown>) ?? http.post(...call),
    }))
    await using _ = backend
    await say(["1"])
    await write(1, 0)
    client.open()
    await follow().ready
    expect(told).toEqual(["begun 1 up to 1"])
    const codes = errors.map((error) => (error as RealtimeError).code)
    expect(codes).toEqual(["log-unavailable", "invalid-request", "invalid-request"])
    await client.close()
  })

  it("waits until the client is open, and until the page is let in", async () => {
    const { backend, client, channel, room, follow, say, write, told } = await setup()
    await using _ = backend
    await say(["1", "2"])
    await write(1, 0)
    closeTo(alice, room)
    const { ready } = follow()
    expect(channel.status.state).toBe("idle")
    client.open()
    await waitFor(() => channel.status.state === "denied")
    openTo(alice, room)
    // As when the page is looked at again.
    ;(channel as unknown as { check(): void }).check()
    await ready
    expect(told).toEqual(["begun 1 up to 1", "2"])
    await client.close()
  })

  it("calls nobody once it has ended, and rejects who waits for it", async () => {
    const { backend, client, channel, follow, say, told } = await setup()
    await using _ = backend
    await say(["1"])
    client.open()
    const followed = follow()
    followed.unsubscribe()
    followed.unsubscribe()
    await expect(followed.ready).rejects.toMatchObject({ code: "not-connected" })
    await waitFor(() => channel.status.state === "idle")
    await say(["2"])
    expect(told).toEqual([])
    await client.close()
  })
})
