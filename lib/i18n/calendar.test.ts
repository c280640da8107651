import { expect, it } from "vitest"
import { dayBefore, dayOf } from "./calendar.ts"

it.each([
  ["2026-11-23T14:59:59Z", "Asia/Tokyo", "2026-11-23"],
  ["2026-11-23T15:00:00Z", "Asia/Tokyo", "2026-11-24"],
  ["2026-11-23T18:15:00Z", "Asia/Kathmandu", "2026-11-24"],
  ["2026-01-01T04:59:59Z", "America/New_York", "2025-12-31"],
  ["2026-01-01T00:00:00Z", "UTC", "2026-01-01"],
])("%s is in %s of %s", (at, timeZone, day) => {
  expect(dayOf(Date.parse(at), timeZone)).toBe(day)
})

it.each([
  ["2026-11-29", "2026-11-28"],
  ["2026-03-01", "2026-02-28"],
  ["2028-03-01", "2028-02-29"],
  ["2026-01-01", "2025-12-31"],
])("the day before %s is %s", (day, before) => {
  expect(dayBefore(day)).toBe(before)
})
