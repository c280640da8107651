import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createLooks } from "./looks.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  vi.spyOn(Math, "random").mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

it("looks at each interval from its start to its stop, and waits anew when it is told so", async () => {
  const look = vi.fn()
  const looks = createLooks(() => 1000, look)
  looks.schedule()
  await vi.advanceTimersByTimeAsync(5000)
  expect(look).toHaveBeenCalledTimes(0)
  looks.start()
  await vi.advanceTimersByTimeAsync(2999)
  expect(look).toHaveBeenCalledTimes(2)
  looks.schedule()
  await vi.advanceTimersByTimeAsync(999)
  expect(look).toHaveBeenCalledTimes(2)
  await vi.advanceTimersByTimeAsync(1)
  expect(look).toHaveBeenCalledTimes(3)
  looks.stop()
  await vi.advanceTimersByTimeAsync(5000)
  expect(look).toHaveBeenCalledTimes(3)
  expect(vi.getTimerCount()).toBe(0)
})

it("begins no other wait when it is stopped while it looks", async () => {
  const looking = Promise.withResolvers<void>()
  const looks = createLooks(
    () => 1000,
    () => looking.promise,
  )
  looks.start()
  await vi.advanceTimersByTimeAsync(1000)
  looks.stop()
  looking.resolve()
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(0)
})

it("doesn't look while nobody looks at the page", async () => {
  const page = { visibilityState: "hidden" }
  vi.stubGlobal("document", page)
  const look = vi.fn()
  createLooks(() => 1000, look).start()
  await vi.advanceTimersByTimeAsync(3000)
  expect(look).not.toHaveBeenCalled()
  page.visibilityState = "visible"
  await vi.advanceTimersByTimeAsync(1000)
  expect(look).toHaveBeenCalledOnce()
})
