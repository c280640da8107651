import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { logError } from "../errors.ts"
import { createPresenceTracker } from "./presence.ts"

const member = (id: string, data: unknown = null) => ({ user: { id }, data })
const of = (...members: ReturnType<typeof member>[]) => ({ count: members.length, members })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function createWatched() {
  const tracker = createPresenceTracker({ graceMs: 1000, onError: logError })
  const seen: string[] = []
  tracker.subscribe(() => seen.push((tracker.snapshot?.members ?? []).map(({ user }) => user.id).join()))
  return { tracker, seen }
}

describe("the presence tracker", () => {
  it("shows arrivals and data at once, sorted", () => {
    const { tracker, seen } = createWatched()
    tracker.update(of(member("b"), member("a")))
    tracker.update(of(member("b", 1), member("a")))
    expect(seen).toEqual(["a,b", "a,b"])
    expect(tracker.snapshot?.members?.[1]?.data).toBe(1)
  })

  it("forgets everybody at once, and counts nobody as leaving by that", () => {
    const { tracker, seen } = createWatched()
    tracker.update(of(member("a"), member("b")))
    tracker.update(of(member("b")))
    tracker.forget()
    expect(tracker.snapshot).toBeNull()
    tracker.update(of(member("c")))
    expect(seen).toEqual(["a,b", "a,b", "", "c"])
  })

  it("keeps whoever vanishes for the grace window", () => {
    const { tracker, seen } = createWatched()
    tracker.update(of(member("a"), member("b")))
    tracker.update(of(member("b")))
    vi.advanceTimersByTime(999)
    expect(seen.at(-1)).toBe("a,b")
    vi.advanceTimersByTime(1)
    expect(seen.at(-1)).toBe("b")
    expect(tracker.snapshot?.count).toBe(1)
  })

  it("measures the grace window by time that passes, whatever the wall clock is set to", () => {
    const { tracker, seen } = createWatched()
    tracker.update(of(member("a")))
    tracker.update(of())
    vi.setSystemTime(Date.now() - 3_600_000)
    vi.advanceTimersByTime(1000)
    expect(seen.at(-1)).toBe("")
    tracker.update(of(member("a")))
    tracker.update(of())
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(999)
    expect(seen.at(-1)).toBe("a")
  })

  it("doesn't let anybody leave who comes back in time", () => {
    const { tracker, seen } = createWatched()
    tracker.update(of(member("a")))
    tracker.update(of())
    vi.advanceTimersByTime(500)
    tracker.update(of(member("a")))
    vi.advanceTimersByTime(5000)
    expect(new Set(seen)).toEqual(new Set(["a"]))
  })

  it("shows only the number beyond the limit", () => {
    const { tracker } = createWatched()
    tracker.update(of(member("a")))
    tracker.update({ count: 500, members: null })
    expect(tracker.snapshot).toEqual({ count: 500, members: null })
  })
})
