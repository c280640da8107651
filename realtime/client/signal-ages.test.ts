import { expect, it } from "vitest"
import { clockSkewMs, createSignalAges, signalLifeMs } from "./signal-ages.ts"

const minute = 60_000

/** A page's time, and servers whose clocks are off by as much as they say. */
function createPage({ serverNow = () => null as number | null } = {}) {
  let time = 5 * minute
  const ages = createSignalAges({ serverNow, now: () => time })
  return {
    pass(ms: number) {
      time += ms
    },
    /** Whether one is shown that `clock` dated so long ago. */
    shows: (clock: string | undefined, agoMs = 0, skewMs = 0) =>
      !ages.isTooOld({ at: 1_790_000_000_000 + time - agoMs + skewMs, ...(clock && { clock }) }),
  }
}

it("shows signals of clocks that are a minute apart, in whatever order they are heard", () => {
  const page = createPage()
  for (let n = 0; n < 100; n += 1) {
    expect([page.shows("ably"), page.shows("a", 0, minute), page.shows("b", 0, -minute)]).toEqual([
      ...[true, true, true],
    ])
    page.pass(1_000)
  }
})

it("shows none that took ten seconds longer than the quickest of its clock", () => {
  const page = createPage()
  expect([page.shows("a", 100, -minute), page.shows("a", signalLifeMs, -minute)]).toEqual([true, true])
  expect(page.shows("a", signalLifeMs + 101, -minute)).toBe(false)
  page.pass(30_000)
  // What was kept for the page while it had no connection.
  expect([page.shows("a", 29_000, -minute), page.shows("a", 0, -minute)]).toEqual([false, true])
})

it.each([10_000, 2 * minute, 5 * minute])(
  "shows none that was kept through a silence of %i ms",
  (silence) => {
    const page = createPage()
    expect(page.shows("a")).toBe(true)
    page.pass(silence)
    const kept = [11_001, 21_000, 41_000, 60_000]
    expect(kept.map((ago) => page.shows("a", ago))).toEqual([false, false, false, false])
    expect([page.shows("a", signalLifeMs), page.shows("a")]).toEqual([true, true])
  },
)

it("believes a clock again that was set back, once it has been heard for a while", () => {
  const page = createPage()
  expect(page.shows("a")).toBe(true)
  const setBack = () => page.shows("a", 0, -30_000)
  expect(setBack()).toBe(false)
  for (let n = 0; n < 50; n += 1) {
    page.pass(3_000)
    expect(setBack()).toBe(false)
  }
  for (let n = 0; n < 20; n += 1) {
    page.pass(3_000)
    setBack()
  }
  expect(setBack()).toBe(true)
})

it("shows nothing that is too old by any clock that is at most a minute off", () => {
  const now = 1_790_000_000_000
  const ages = createSignalAges({ serverNow: () => now, now: () => 0 })
  const oldest = now - signalLifeMs - clockSkewMs
  expect([oldest, oldest - 1].map((at) => ages.isTooOld({ at, clock: String(at) }))).toEqual([false, true])
  // An older server names no clock.
  expect([oldest, oldest - 1].map((at) => ages.isTooOld({ at }))).toEqual([false, true])
})

it("remembers a bounded number of clocks", () => {
  const page = createPage()
  page.shows("first")
  for (let n = 0; n < 100; n += 1) page.shows(String(n))
  expect([page.shows("first", 20_000), page.shows("99", 20_000)]).toEqual([true, false])
})
