import { act, cleanup, renderHook } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ReactNode } from "react"
import { afterEach, expect, it, vi } from "vitest"
import en from "#lib/i18n/messages/en.json"
import { useLocaleChange } from "./language-switch.tsx"
import { ToastRegion } from "./toast.tsx"

const refresh = vi.hoisted(() => vi.fn())
vi.mock("next/navigation", async (original) => ({
  ...(await original<typeof import("next/navigation")>()),
  useRouter: () => ({ refresh }),
}))

afterEach(() => {
  cleanup()
  vi.useRealTimers()
  refresh.mockClear()
})

const page = ({ children }: { children: ReactNode }) => (
  <NextIntlClientProvider locale="en" messages={en as never} timeZone="UTC">
    {children}
    <ToastRegion />
  </NextIntlClientProvider>
)

it.each([
  ["refuses it", async () => ({ error: "invalid-request" as const }), 0, en.errors["invalid-request"]],
  ["isn't reached", () => Promise.reject(new TypeError("Failed to fetch")), 0, en.errors["not-connected"]],
  ["never answers", () => new Promise<null>(() => {}), 30_000, en.app.noAnswer],
])("says why the language stays as it is where the server %s", async (_, set, waitMs, text) => {
  vi.useFakeTimers()
  const { result } = renderHook(() => useLocaleChange(set), { wrapper: page })
  await act(async () => {
    const changed = result.current("ja")
    await vi.advanceTimersByTimeAsync(waitMs)
    await changed
  })
  expect(document.querySelector("[role=status]")?.textContent).toBe(text)
  expect(refresh).not.toHaveBeenCalled()
})

it("shows the page anew in the language that was chosen", async () => {
  const { result } = renderHook(() => useLocaleChange(async () => null), { wrapper: page })
  await act(() => result.current("ja"))
  expect(refresh).toHaveBeenCalledTimes(1)
})
