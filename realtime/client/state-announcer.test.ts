import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createStateAnnouncer } from "./state-announcer.ts"
import type { ChannelSource } from "./types.ts"

const wanted = { keys: ["a"], perSecond: 4 }

/** A provider that hears, or doesn't, as the answers say in turn. */
function setup(...answers: (RealtimeError | "heard")[]) {
  const told: string[] = []
  const source: Partial<ChannelSource> = {
    async watch(given) {
      expect(given).toBe(wanted)
      told.push("watch")
      const answer = answers.shift() ?? "heard"
      if (answer !== "heard") throw answer
    },
  }
  const announcer = createStateAnnouncer({
    channel: {
      status: { state: "attached" },
      report: (error) => void told.push(`error: ${(error as RealtimeError).code}`),
    },
    source: () => source as ChannelSource,
    wanted: () => wanted,
    settled: (isLate) => void told.push(`${announcer.isBusy ? "busy" : "idle"}${isLate ? ", late" : ""}`),
  })
  return { announcer, told }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const failing = new RealtimeError("timeout", { message: "away" })

describe("what is watched", () => {
  it("is said again when it wasn't heard, and then what was read meanwhile is late", async () => {
    const { announcer, told } = setup(failing)
    announcer.announce()
    await vi.runAllTimersAsync()
    expect(told).toEqual(["watch", "error: timeout", "idle", "watch", "idle, late"])
  })

  it("is settled when all that was said is heard, and not before", async () => {
    const { announcer, told } = setup()
    for (let times = 0; times < 2; times += 1) announcer.announce()
    expect(announcer.isBusy).toBe(true)
    await vi.runAllTimersAsync()
    expect(told).toEqual(["watch", "watch", "busy", "idle"])
  })

  it.each([
    ["without a connection, with which it will be said", "not-connected", ["watch", "idle"]],
    ["where it is refused", "channel-denied", ["watch", "error: channel-denied", "idle"]],
  ] as const)("isn't said again by itself %s", async (_, code, said) => {
    const { announcer, told } = setup(new RealtimeError(code, { message: "no" }))
    announcer.announce()
    await vi.runAllTimersAsync()
    expect(told).toEqual(said)
  })

  it("isn't said again once it has ended", async () => {
    const { announcer, told } = setup(failing)
    announcer.announce()
    await vi.advanceTimersByTimeAsync(0)
    announcer.rest()
    await vi.runAllTimersAsync()
    expect(told.filter((what) => what === "watch")).toHaveLength(1)
  })
})
