import { act, cleanup, renderHook } from "@testing-library/react"
import type { RealtimeClient } from "throughline/client"
import { RealtimeProvider } from "throughline/react"
import { afterEach, expect, it, vi } from "vitest"
import { useRoomCounts } from "./use-room-counts.ts"

vi.mock("next/navigation", () => ({ usePathname: () => "/rooms/1" }))

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

it("shows the latest number, in whatever order the answers come", async () => {
  vi.useFakeTimers()
  const answers: ((people: number) => void)[] = []
  const counts = () => new Promise((resolve) => answers.push((people) => resolve([people])))
  const client = { counts, open() {}, close() {} } as unknown as RealtimeClient
  const { result } = renderHook(() => useRoomCounts(["1"]), {
    wrapper: ({ children }) => <RealtimeProvider client={client}>{children}</RealtimeProvider>,
  })
  act(() => void vi.advanceTimersByTime(2_000))
  act(() => void document.dispatchEvent(new Event("visibilitychange")))
  expect(answers).toHaveLength(2)
  await act(async () => answers[1]?.(5))
  expect(result.current.get("1")).toBe(5)
  await act(async () => answers[0]?.(3))
  expect(result.current.get("1")).toBe(5)
})
