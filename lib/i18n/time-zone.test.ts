import { expect, it } from "vitest"
import { parseTimeZone } from "./time-zone.ts"

it.each([
  [undefined, "UTC"],
  ["", "UTC"],
  ["Asia/Tokyo", "Asia/Tokyo"],
  ["America/New_York", "America/New_York"],
  ["Etc/Unknown", "UTC"],
  ["Mars/Olympus", "UTC"],
  ["\u0000", "UTC"],
  ["x".repeat(4_000), "UTC"],
])("the time zone of a cookie with %j is %s", (value, zone) => {
  expect(parseTimeZone(value)).toBe(zone)
})
