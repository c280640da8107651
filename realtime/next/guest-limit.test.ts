import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createGuestLimit } from "./guest-limit.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
afterEach(() => void vi.useRealTimers())

const from = (address: string) =>
  new Request("https://app.example", { headers: { "x-forwarded-for": address } })

it("tells whoever runs the server once in a minute that guests are refused, and which option there is", () => {
  const onError = vi.fn()
  const limit = createGuestLimit(1)
  const refusal = expect.objectContaining({ code: "rate-limited" })
  const visit = (address: string) => limit(from(address), onError)
  visit("192.0.2.1")
  expect(onError).not.toHaveBeenCalled()
  for (const address of ["192.0.2.1", "192.0.2.1:99"]) expect(() => visit(address)).toThrow(refusal)
  visit("192.0.2.2")
  expect(() => visit("192.0.2.2")).toThrow(refusal)
  expect(onError).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({
      message: expect.stringMatching(/192\.0\.2\.1; more than 1 .*guests\({ limit }\)/),
    }),
    { stage: "let a guest in" },
  )
  vi.advanceTimersByTime(60_000)
  visit("192.0.2.1")
  expect(() => visit("192.0.2.1")).toThrow(refusal)
  expect(onError).toHaveBeenCalledTimes(2)
})

it("keeps no more addresses than there is room for: the rest count as one, and those it knows as themselves", () => {
  const limit = createGuestLimit(2)
  const visit = (address: string) => limit(from(address), () => {})
  for (let number = 0; number < 10_000; number += 1) visit(`10.0.${number >> 8}.${number & 255}`)
  visit("192.0.2.1")
  visit("192.0.2.2")
  expect(() => visit("192.0.2.3")).toThrow("too many came")
  visit("10.0.0.0")
})
