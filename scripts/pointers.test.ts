import { describe, expect, it } from "vitest"
import { createTrack } from "../examples/cursors/app/track.ts"
import { createTrail } from "../examples/cursors/app/trail.ts"
import type { Sample } from "../examples/cursors/realtime/board.ts"
import { createChance } from "../realtime/testing/chance.ts"

const board = { width: 1280, height: 720 }
const frameMs = 16
/** The other page's clock began long before. */
const otherClockMs = 5_000_000
const movesUntil = 8_000

/** A curve at up to 1,300 px a second. */
const truth = (t: number) => ({
  x: 0.5 + 0.4 * Math.sin(t / 500),
  y: 0.5 + 0.4 * Math.sin((t * 3) / 1_000 + 1),
})

interface Way {
  perSecond?: number
  loss?: number
  seed?: number
}

/** A pointer that moves for eight seconds and then rests, as it is shown on another page, millisecond by millisecond. */
function watch({ perSecond = 20, loss = 0, seed = 1 }: Way) {
  const chance = createChance(seed)
  const onTheWay: { at: number; path: Sample[] }[] = []
  const shown: { t: number; x: number; y: number }[] = []
  let waiting: Sample[] | undefined
  let sentAt = Number.NEGATIVE_INFINITY
  let sentLast = 0
  let packets = 0
  const trail = createTrail((path) => {
    waiting = path.map((sample) => [...sample])
  })
  const track = createTrack()
  for (let t = 0; t < movesUntil + 3_000; t += 1) {
    if (t % frameMs === 0) {
      if (t <= movesUntil) trail.point(truth(t))
      trail.frame(t)
    }
    if (waiting && t - sentAt >= 1_000 / perSecond) {
      sentAt = t
      sentLast = t
      packets += 1
      // 30 to 50 ms, and none overtakes another on a connection.
      const at = Math.max(t + 30 + chance.between(0, 20), onTheWay.at(-1)?.at ?? 0)
      if (!chance.happens(loss)) onTheWay.push({ at, path: waiting })
      waiting = undefined
    }
    for (let next = onTheWay[0]; next && next.at <= t; next = onTheWay[0]) {
      track.take(next.path, t + otherClockMs)
      onTheWay.shift()
    }
    const place = t % frameMs === 8 ? track.at(t + otherClockMs) : null
    if (place) shown.push({ t, x: place.x / 10_000, y: place.y / 10_000 })
  }
  return { shown, packets, sentLast }
}

const distance = (a: { x: number; y: number }, b: { x: number; y: number }) =>
  Math.hypot((a.x - b.x) * board.width, (a.y - b.y) * board.height)

/** In pixels, from where it was a fixed time ago: of all such times that of the smallest error. */
function pathError({ shown }: ReturnType<typeof watch>): number {
  const moving = shown.filter(({ t }) => t > 2_000 && t < movesUntil)
  const errorOf = (lag: number) => {
    const squares = moving.map((place) => distance(place, truth(place.t - lag)) ** 2)
    return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length)
  }
  return Math.min(...Array.from({ length: 200 }, (_, n) => errorOf(n * 2)))
}

/** How long after it came to rest it is shown there, and stays. */
function restMs({ shown }: ReturnType<typeof watch>): number {
  const wrong = shown.findLast((place) => distance(place, truth(movesUntil)) > 1)
  return (wrong?.t ?? 0) + frameMs - movesUntil
}

describe("a pointer", () => {
  it.each([20, 5])("is shown on its path, to 6 px, at %i packets a second", (perSecond) => {
    expect(pathError(watch({ perSecond }))).toBeLessThanOrEqual(6)
  })

  it("comes to rest where it is within 300 ms, also when one packet in five is lost", () => {
    const rests = Array.from({ length: 20 }, (_, seed) => restMs(watch({ loss: 0.2, seed })))
    expect(Math.max(...rests)).toBeLessThanOrEqual(300)
  })

  it("says nothing while it rests", () => {
    const { packets, sentLast } = watch({})
    expect(sentLast - movesUntil).toBeLessThan(300)
    expect(packets).toBeLessThanOrEqual((movesUntil / 1_000) * 20 + 5)
  })
})

describe("another's pointer", () => {
  const path = (...samples: Sample[]) => samples
  const at = (track: ReturnType<typeof createTrack>, now: number) => {
    const place = track.at(now)
    return place && { x: Math.round(place.x), isMoving: place.isMoving }
  }

  it("is nowhere until it is somewhere, and once it has left the board", () => {
    const track = createTrack()
    expect(track.at(0)).toBeNull()
    track.take(path([0, -1, -1]), 10)
    expect(track.at(500)).toBeNull()
    track.take(path([1_000, 100, 100]), 1_010)
    expect(at(track, 1_500)).toEqual({ x: 100, isMoving: false })
    track.take(path([2_000, 100, 100], [2_050, -1, -1]), 2_060)
    expect(track.at(2_500)).toBeNull()
  })

  it("walks on for 100 ms while nothing comes, and no further", () => {
    const track = createTrack()
    track.take(path([0, 0, 0], [100, 1_000, 0]), 100)
    track.at(100)
    const seen = Array.from({ length: 30 }, (_, n) => at(track, 100 + n * 20)?.x ?? 0)
    expect(Math.max(...seen)).toBe(2_000)
    expect(at(track, 5_000)).toEqual({ x: 2_000, isMoving: false })
  })

  it("jumps over a hole", () => {
    const track = createTrack()
    track.take(path([0, 0, 0], [500, 9_000, 0]), 500)
    const seen = Array.from({ length: 50 }, (_, n) => at(track, 400 + n * 10)?.x)
    expect([...new Set(seen)]).toEqual([0, 9_000])
  })

  it("is shown again after its page's clock stood still", () => {
    const track = createTrack()
    track.take(path([0, 0, 0], [50, 100, 0]), 50)
    track.at(60)
    track.take(path([100, 200, 0], [150, 300, 0]), 3_600_150)
    expect(at(track, 3_600_400)?.x).toBeGreaterThanOrEqual(300)
    track.take(path([200, 400, 0]), 3_600_200)
    expect(at(track, 3_600_900)?.isMoving).toBe(false)
  })
})
