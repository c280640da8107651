import { expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { createSerials, messageSerial, serialBefore, seriesOf } from "./serials.ts"

test("§6.2e serials increase as text, within a millisecond and beyond its thousandth", () => {
  const clock = createManualClock()
  const serials = createSerials(clock, "series")
  const given = [serials.current(), ...Array.from({ length: 2500 }, () => serials.next())]
  clock.advance(1)
  given.push(serials.next())
  clock.advance(10_000)
  given.push(serials.next())
  expect(new Set(given).size).toBe(given.length)
  expect(given).toEqual([...given].sort())
})

test("a clock that goes back doesn't take the serials with it", () => {
  let now = 1000
  const serials = createSerials({ now: () => now, schedule: () => () => {} }, "series")
  now = 2000
  const first = serials.next()
  now = 500
  expect(serials.next() > first).toBe(true)
})

test("a message's serial lies after its position and before the next", () => {
  const serials = createSerials(createManualClock(), "series")
  const [position, next] = [serials.next(), serials.next()]
  expect(messageSerial(position, 0) > position).toBe(true)
  expect(messageSerial(position, 999) < next).toBe(true)
})

test("the serial before a position is smaller, whatever its counter", () => {
  for (const serial of ["01700000000000-000@series", "01700000000000-007@series"]) {
    expect(serialBefore(serial) < serial).toBe(true)
    expect(seriesOf(serialBefore(serial))).toBe("series")
  }
})

test("what is no serial has no series", () => {
  expect(seriesOf("nonsense")).toBeUndefined()
})
