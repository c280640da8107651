import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createPatience } from "./patience.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setup() {
  const told: string[] = []
  const page = { isOpen: true }
  const patience = createPatience(1_000, {
    isOpen: () => page.isOpen,
    onError: (_, { stage }) => void told.push(stage),
  })
  return { ...patience, told, page }
}
const broken = () => Promise.reject(new DOMException("no", "QuotaExceededError"))

it("brings the failure of an answer, that it is late, or null", async () => {
  const { failureOf } = setup()
  expect(await failureOf("read", Promise.resolve("anything"))).toBeNull()
  expect(await failureOf("read", broken())).toMatchObject({ name: "QuotaExceededError" })
  const late = failureOf("read", new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await late).toMatchObject({
    code: "timeout",
    message: "[realtime] unable to read; there was no answer in 1000 ms",
  })
})

it("tells once that something doesn't work, and again once it has worked, late or in time", async () => {
  const { failureOf, works, told } = setup()
  for (const stage of ["a", "b"]) await failureOf(stage, broken())
  await failureOf("c", Promise.resolve())
  for (const stage of ["d", "e"]) await failureOf(stage, broken())
  works()
  await failureOf("f", broken())
  expect(told).toEqual(["a", "d", "f"])
})

it("tells nobody while the page is closed", async () => {
  const { failureOf, told, page } = setup()
  page.isOpen = false
  await failureOf("a", broken())
  page.isOpen = true
  await failureOf("b", broken())
  expect(told).toEqual([])
})
