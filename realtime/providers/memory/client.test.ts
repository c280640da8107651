import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createMemoryTransport } from "./client.ts"
import { createMemoryHub } from "./hub.ts"

/** Everything that doesn't wait for a timer. */
async function settle(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await settle()
}

/** A page that joins one channel, at a service that fails at it as long as it is told to. */
async function join(retryMs: number) {
  let isFailing = true
  const asked: number[] = []
  const told: string[] = []
  let time = 0
  const hub = createMemoryHub({
    maxPresenceMembers: 10,
    async authorize() {
      asked.push(time)
      if (isFailing) throw new Error("the application's own code failed")
    },
  })
  const transport = createMemoryTransport({
    ...{ hub, user: { id: "alice" }, retryMs, maxRetryMs: 8 * retryMs },
    onError: (_, { stage }) => void told.push(stage),
  })
  transport.subscribe("room:1", {
    ...{ cursor: () => null, onDetached() {}, onMessages() {}, onSignal() {}, onPresence() {} },
    onAttached: () => void told.push("attached"),
    onDenied: () => void told.push("denied"),
  })
  transport.connect()
  await settle()
  return {
    ...{ hub, asked, told, transport },
    async wait(ms: number) {
      time += ms
      await pass(ms)
    },
    recover() {
      isFailing = false
    },
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it("attaches once after a reconnect, whatever pause was under way before it", async () => {
  const { hub, told, transport, wait, recover } = await join(1_000)
  recover()
  await wait(500)
  hub.dropConnections()
  await settle()
  expect(told.filter((what) => what === "attached")).toHaveLength(1)
  await wait(20_000)
  expect(told.filter((what) => what === "attached")).toHaveLength(1)
  await transport.close()
})

it("asks again with pauses that grow", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1)
  const { asked, told, transport, wait, recover } = await join(10)
  for (let n = 0; n < 32; n += 1) await wait(10)
  expect(asked).toEqual([0, 10, 30, 70, 150, 230, 310])
  recover()
  await wait(80)
  expect(told.at(-1)).toBe("attached")
  expect(told).not.toContain("denied")
  await transport.close()
})
