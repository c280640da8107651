import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { RealtimeError } from "../../errors.ts"
import { createStatus } from "../../transport-status.ts"
import { createInterruption } from "./interruption.ts"

const lost = new RealtimeError("not-connected", { message: "lost" })
const refused = new RealtimeError("unauthorized", { message: "refused" })

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => void vi.useRealTimers())

function open() {
  const status = createStatus(() => {})
  const told: string[] = []
  status.onStatus(({ state, error }) => void told.push(error ? `${state}: ${error.code}` : state))
  return { status, told, interruption: createInterruption(status, 60, () => void told.push("interrupted")) }
}

it("is suspended once it has been long, counted from the first reason, and tells the last", () => {
  const { status, told, interruption } = open()
  status.set({ state: "connected" })
  interruption.begin(lost)
  vi.advanceTimersByTime(59)
  interruption.begin(refused)
  vi.advanceTimersByTime(1)
  expect(told).toEqual([
    ...["connected", "reconnecting: not-connected", "interrupted"],
    ...["reconnecting: unauthorized", "interrupted", "suspended: unauthorized"],
  ])
})

it("is no reconnecting before there was a connection, nor once it is suspended", () => {
  const { told, interruption } = open()
  interruption.begin(lost)
  vi.advanceTimersByTime(60)
  interruption.begin(lost)
  expect(told).toEqual([
    ...["connecting: not-connected", "interrupted", "suspended: not-connected"],
    ...["suspended: not-connected", "interrupted"],
  ])
})

it("counts its time anew after its end", () => {
  const { told, interruption } = open()
  interruption.begin(lost)
  interruption.end()
  vi.advanceTimersByTime(60)
  interruption.begin(lost)
  vi.advanceTimersByTime(59)
  expect(told.filter((state) => state.startsWith("suspended"))).toEqual([])
})

it.each(["failed", "closed"] as const)("isn't told of once the connection has %s", (state) => {
  const { status, told, interruption } = open()
  interruption.begin(lost)
  if (state === "failed") interruption.fail(refused)
  else {
    interruption.end()
    status.set({ state })
  }
  const before = told.length
  interruption.begin(lost)
  vi.advanceTimersByTime(60)
  expect([told.length, interruption.isOver(), vi.getTimerCount()]).toEqual([before, true, 0])
})
