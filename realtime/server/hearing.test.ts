import { afterEach, describe, expect, it, vi } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { createMemoryLog } from "../log/memory.ts"
import { createRealtime } from "./create-realtime.ts"
import type { SignalHandlers } from "./types.ts"

const court = defineChannel("court:{court}", {
  messages: {},
  signals: { steered: z.object({ y: z.number() }), waved: z.object({}) },
  heard: ["steered"],
})
const channels = { court }
const alice = { id: "alice" }

function setup(onSignal?: SignalHandlers<typeof channels>) {
  const told: string[] = []
  const realtime = createRealtime({
    ...{ channels, log: createMemoryLog(), publishers: [], onSignal },
    identify: () => alice,
    authorize: ({ payload }) => (payload as { y?: number }).y !== 100,
    onError: (error, { stage }) => told.push(`${stage}: ${(error as Error).message}`),
  })
  const post = async (event: string, payload: unknown) => {
    const body = JSON.stringify({ channel: court({ court: "1" }).name, event, payload })
    const headers = { "content-type": "application/json" }
    const request = new Request("http://app.test/api/realtime/signal", { method: "POST", headers, body })
    return (await realtime.handlers.POST(request)).status
  }
  return { realtime, told, post }
}

afterEach(() => vi.useRealTimers())

describe("server code", () => {
  it("hears what the definition names, as the schema returned it, if its sender may", async () => {
    const heard: unknown[] = []
    const { post } = setup({ court: { steered: (signal) => void heard.push(signal) } })
    const outcomes = []
    for (const y of [1, "2", 100, 3]) outcomes.push(await post("steered", { y, z: 1 }))
    expect(outcomes).toEqual([200, 422, 403, 200])
    expect(await post("waved", {})).toBe(200)
    const [first] = heard
    expect(first).toEqual({
      channel: { definition: court, name: "court:1", params: { court: "1" } },
      ...{ event: "steered", payload: { y: 1 }, from: alice, at: expect.any(Number) },
    })
    expect(heard).toHaveLength(2)
  })

  it("that fails, or never ends, keeps nobody", async () => {
    vi.useFakeTimers()
    const outcomes = [() => Promise.reject(new Error("broken")), () => new Promise<void>(() => {}), () => {}]
    const { post, told } = setup({ court: { steered: () => outcomes.shift()?.() } })
    expect(await post("steered", { y: 1 })).toBe(200)
    const answer = post("steered", { y: 2 })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await answer).toBe(200)
    expect(await post("steered", { y: 3 })).toBe(200)
    expect(told).toEqual([
      "onSignal: broken",
      'onSignal: [realtime] unable to hear "steered"; there was no answer in 10000 ms',
    ])
  })

  it("hears by what is declared now", async () => {
    const heard: string[] = []
    const { realtime, post } = setup()
    await post("steered", { y: 1 })
    realtime.redefine<typeof channels>({ onSignal: { court: { steered: () => void heard.push("new") } } })
    await post("steered", { y: 2 })
    expect(heard).toEqual(["new"])
  })

  it("is told at once that it would never hear what the definition doesn't name", () => {
    const deaf = { court: { waved: () => {} } }
    const complaint = 'unable to hear the signal "waved" of "court"'
    expect(() => setup(deaf)).toThrow(complaint)
    expect(() => setup().realtime.redefine<typeof channels>({ onSignal: deaf })).toThrow(complaint)
  })
})
