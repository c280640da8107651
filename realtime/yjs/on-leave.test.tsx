import { expect, it, vi } from "vitest"
import { onLeave } from "./on-leave.ts"

it("calls back when the page is hidden or left, until it is stopped", () => {
  const listener = vi.fn()
  const stop = onLeave(listener)
  const visibility = vi.spyOn(document, "visibilityState", "get")
  visibility.mockReturnValue("visible")
  document.dispatchEvent(new Event("visibilitychange"))
  expect(listener).not.toHaveBeenCalled()
  visibility.mockReturnValue("hidden")
  document.dispatchEvent(new Event("visibilitychange"))
  window.dispatchEvent(new Event("pagehide"))
  expect(listener).toHaveBeenCalledTimes(2)
  stop()
  window.dispatchEvent(new Event("pagehide"))
  document.dispatchEvent(new Event("visibilitychange"))
  expect(listener).toHaveBeenCalledTimes(2)
  visibility.mockRestore()
})
