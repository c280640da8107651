import type { Sample } from "../realtime/board.ts"

/** How far back a packet goes: what was lost on its way, or replaced by it, is in it once more. */
const windowMs = 300
/** Samples that are nearer to each other say nothing that the eye would miss. */
const thinMs = 20
/** From then on it stands still, which is said so often: one of the packets may be lost. */
const stillMs = 60
const repeats = 3

/** Where this page's pointer is, frame by frame. `send` is handed the path of the last moments, as often as there is news. */
export function createTrail(send: (path: Sample[]) => void) {
  let at: readonly [x: number, y: number] = [-1, -1]
  let path: Sample[] = []
  let movedAt = 0
  let left = 0

  function add(t: number): void {
    const next: Sample = [Math.round(t), ...at]
    const [before, last] = [path.at(-2), path.at(-1)]
    if (before && last && last[0] - before[0] < thinMs) path.pop()
    path = [...path.filter(([then]) => t - then <= windowMs), next]
    send(path)
  }

  return {
    /** In parts of the board, 0 to 1; null: not on it. */
    point(to: { x: number; y: number } | null) {
      const part = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 10_000)
      at = to ? [part(to.x), part(to.y)] : [-1, -1]
    },
    /** For somebody who has heard nothing of it yet. */
    tell: (t: number) => send(path.length > 0 ? path : [[Math.round(t), ...at]]),
    /** Returns whether a further frame is needed. */
    frame(t: number): boolean {
      const [, x, y] = path.at(-1) ?? [0, -1, -1]
      if (x !== at[0] || y !== at[1]) {
        movedAt = t
        left = repeats
        add(t)
      } else if (left > 0 && t - movedAt >= stillMs * (repeats - left + 1)) {
        left -= 1
        add(t)
      }
      return left > 0
    },
  }
}
