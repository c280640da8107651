import type { Sample } from "../realtime/board.ts"

/** A longer way between two samples isn't walked: nobody knows what was there. */
const holeMs = 400
/** So far it goes on as it went, while nothing comes. */
const guessMs = 100
const keptMs = 1_000
/** More than any way takes: the other page's clock stood still, as while its machine slept. */
const sleptMs = 2_000
/** Of the time that passes: by so much slower or faster it may be shown, which no eye sees. */
const slew = 0.05

/** Somebody else's pointer: takes paths as they come, and says where it was a moment ago. */
export function createTrack() {
  let samples: Sample[] = []
  /** This page's clock less the other's, by the quickest packet; it grows again, for clocks drift. */
  let offset = Number.POSITIVE_INFINITY
  /** The longest between two packets, of late: by so much later it has to be shown, so that the next one is there. */
  let gap = 60
  let delay = gap
  let shownAt = 0

  return {
    take(path: readonly Sample[], now: number): void {
      const [[first], [last]] = [path[0], path.at(-1)] as [Sample, Sample]
      const passed = last - (samples.at(-1)?.[0] ?? last)
      const found = now - last
      if (Math.abs(found - offset) > sleptMs) samples = []
      offset = samples.length === 0 ? found : Math.min(found, offset + 1)
      // A pause is no pace.
      if (passed > 0 && passed < holeMs) gap = Math.max(passed, gap - (gap - passed) * 0.03)
      samples = [...samples.filter(([t]) => t < first && last - t < keptMs), ...path]
    },
    /** Where to show it, in 10,000ths of the board; null: nowhere. */
    at(now: number): { x: number; y: number; isMoving: boolean } | null {
      const most = (now - shownAt) * slew
      const isResting = now - offset - delay > (samples.at(-1)?.[0] ?? 0) + guessMs
      delay += isResting ? gap + 20 - delay : Math.min(most, Math.max(-most, gap + 20 - delay))
      shownAt = now
      const t = now - offset - delay
      const index = samples.findLastIndex(([then]) => then <= t)
      const from = samples[Math.max(index, 0)]
      const to = samples[index + 1]
      if (!from || from[1] < 0) return null
      const isMoving = to !== undefined || t - from[0] < guessMs
      const [a, b] = to && index >= 0 ? [from, to] : [samples[index - 1] ?? from, from]
      return { ...between(a, b, Math.min(t, b[0] + guessMs)), isMoving }
    },
  }
}

const toPlace = ([, x, y]: Sample) => ({ x, y })

/** On the way from one to the other, or beyond it. */
function between(from: Sample, to: Sample, t: number) {
  const isHole = to[0] - from[0] > holeMs || to[1] < 0 || from[1] < 0
  if (isHole) return toPlace(t < to[0] ? from : to)
  const part = (t - from[0]) / (to[0] - from[0] || 1)
  const along = (a: number, b: number) => Math.min(10_000, Math.max(0, a + (b - a) * part))
  return { x: along(from[1], to[1]), y: along(from[2], to[2]) }
}
