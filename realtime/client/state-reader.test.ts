import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createStateReader } from "./state-reader.ts"
import type { ChannelSource } from "./types.ts"

const passing = new RealtimeError("log-unavailable", { message: "away" })
const denial = new RealtimeError("channel-denied", { message: "no" })
const page = { epoch: "e", version: 1, entries: [] }

/** A server that answers as the test says; what is read is what the test wants read. */
function setup(answer: () => unknown = () => page) {
  const asked: number[] = []
  const told: string[] = []
  let wanted = ["a"]
  let isUnheard = false
  const createSource = () =>
    ({
      async post() {
        asked.push(performance.now())
        const answered = answer()
        if (answered instanceof Error) throw answered
        return answered
      },
      shutOut: ({ code }) => void told.push(`shut out: ${code}`),
    }) as Partial<ChannelSource> as ChannelSource
  let source: ChannelSource | null = createSource()
  const reader = createStateReader({
    channel: {
      ...{ name: "room:1", status: { state: "attached" } },
      report: (error) => void told.push(`error: ${(error as RealtimeError).code}`),
    },
    state: {
      ask: () => wanted,
      page: () => ({ type: "apply", changed: wanted.splice(0) }),
    },
    source: () => source,
    isUnheard: () => isUnheard,
    act: ({ changed }) => void told.push(`read ${changed}`),
  })
  return {
    ...{ reader, asked, told },
    want: (...keys: string[]) => (wanted = keys),
    hear(isHeard: boolean) {
      isUnheard = !isHeard
    },
    leave() {
      source = createSource()
    },
    pauses: () => asked.slice(1).map((at, index) => Math.round(at - (asked[index] as number))),
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  // The longest that chance lets a pause be.
  vi.spyOn(Math, "random").mockReturnValue(1)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe("a reader of the state", () => {
  it("reads once at a time, and nothing while it isn't heard which keys are watched", async () => {
    const { reader, asked, told, hear } = setup()
    hear(false)
    reader.read()
    expect(asked).toHaveLength(0)
    hear(true)
    reader.read()
    reader.read()
    await vi.advanceTimersByTimeAsync(0)
    reader.read()
    expect([asked.length, told]).toEqual([1, ["read a"]])
  })

  it("asks a server that fails again with pauses that grow, and at once when it is told so", async () => {
    const { reader, asked, pauses, told } = setup(() => passing)
    reader.read()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(pauses()).toEqual([300, 600])
    reader.read()
    expect(asked).toHaveLength(3)
    reader.resume()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveLength(4)
    reader.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(4)
    reader.read()
    await vi.advanceTimersByTimeAsync(300)
    expect(asked).toHaveLength(6)
    expect(new Set(told)).toEqual(new Set(["error: log-unavailable"]))
  })

  it.each([
    ["a refusal of the channel", denial, "shut out: channel-denied"],
    ["what doesn't pass", new RealtimeError("invalid-request", { message: "no" }), "error: invalid-request"],
  ])("doesn't ask again by itself after %s", async (_, error, said) => {
    const { reader, asked, told } = setup(() => error)
    reader.read()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([asked.length, told]).toEqual([1, [said]])
  })

  it("takes nothing that was asked for before the channel was left, and asks anew", async () => {
    const { reader, asked, told, leave } = setup()
    reader.read()
    leave()
    reader.read()
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(0)
    expect([asked.length, told]).toEqual([2, ["read a"]])
  })
})
