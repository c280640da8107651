import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createFailoverDriver, type Performers } from "./failover-driver.ts"
import type { FailoverCommand } from "./failover-policy.ts"

const times = { patienceMs: 10, returnMs: 60 }

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Notes what is done, and lets the test do something at it. */
function createNotes(meanwhile: Partial<Performers> = {}) {
  const done: string[] = []
  const note = (command: FailoverCommand) => {
    done.push(command.type)
    const react = meanwhile[command.type as keyof Performers] as
      | ((command: FailoverCommand) => void)
      | undefined
    react?.(command)
  }
  const performers = { raise: note, drop: note, promote: note, connect: note, "show-status": note }
  return { done, driver: createFailoverDriver(["a", "b"], times, performers) }
}

it("tells what happens at a command once all of them are done, if it is news by then", () => {
  const asked: string[] = []
  const { done, driver } = createNotes({
    connect() {
      driver.happens(() => {
        asked.push(done.join())
        return { type: "active-is", state: "failed" }
      })
      driver.happens(() => {
        asked.push(done.join())
        return null
      })
    },
  })
  driver.happens(() => ({ type: "connect" }))
  expect(asked).toEqual(["connect", "connect,show-status,raise"])
  expect(done).toEqual(["connect", "show-status", "raise"])
})

it("does nothing more once it is stopped, in the middle of what was commanded either", () => {
  const { done, driver } = createNotes({ "show-status": () => driver.stop() })
  driver.happens(() => ({ type: "connect" }))
  driver.happens(() => ({ type: "active-is", state: "failed" }))
  expect(done).toEqual(["connect", "show-status"])
  vi.advanceTimersByTime(1_000)
  expect(done).toHaveLength(2)
})

it("goes on with the next event after a command that throws", () => {
  const { done, driver } = createNotes({
    connect() {
      throw new Error("no")
    },
  })
  expect(() => driver.happens(() => ({ type: "connect" }))).toThrow("no")
  driver.happens(() => ({ type: "active-is", state: "connected" }))
  expect(done).toEqual(["connect", "show-status"])
})

it("comes back when a time is over, by chance a little earlier or later to the preferred one", () => {
  vi.spyOn(Math, "random").mockReturnValue(0.25)
  const { done, driver } = createNotes()
  driver.happens(() => ({ type: "connect" }))
  vi.advanceTimersByTime(10)
  expect(done).toEqual(["connect", "raise"])
  driver.happens(() => ({ type: "standby-ready" }))
  done.length = 0
  vi.advanceTimersByTime(44)
  expect(done).toEqual([])
  vi.advanceTimersByTime(1)
  expect(done).toEqual(["raise"])
})

it("waits for nothing and tells nothing once it is stopped", () => {
  const { done, driver } = createNotes()
  driver.happens(() => ({ type: "connect" }))
  driver.stop()
  expect(vi.getTimerCount()).toBe(0)
  driver.happens(() => ({ type: "connect" }))
  expect(done).toEqual(["connect"])
})
