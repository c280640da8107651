import { validate, version } from "uuid"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createMessageId } from "./message-id.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }))
afterEach(() => void vi.useRealTimers())

it("makes ids of the seventh version, each of its own and dated", () => {
  for (const at of [0, 1, Date.UTC(2026, 10, 30), 2 ** 48 - 1]) {
    vi.setSystemTime(at)
    const ids = Array.from({ length: 1_000 }, createMessageId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) {
      expect([validate(id), version(id)], id).toEqual([true, 7])
      expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(at)
    }
  }
})

it("draws each of the other bits", () => {
  const ids = Array.from({ length: 1_000 }, createMessageId).map((id) => id.replaceAll("-", "").slice(12))
  const seen = Array.from({ length: 20 }, (_, place) => new Set(ids.map((digits) => digits[place])).size)
  expect(seen).toEqual(Array.from({ length: 20 }, (_, place) => (place === 0 ? 1 : place === 4 ? 4 : 16)))
})
