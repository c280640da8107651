import type { World } from "./court.ts"

export const tickMs = 50
export const paddle = { height: 0.2, inset: 0.04 }
const speed = 0.5
const maxSpeed = 1.5

export const newWorld = (): World => ({
  ball: { x: 0.5, y: 0.5, vx: speed, vy: 0.3 },
  paddles: [0.5, 0.5],
  players: [null, null],
  score: [0, 0],
})

/** Moves the ball by a tick. Returns who has scored by that: 0, the left one, 1, or nobody. */
export function step({ ball, paddles, score }: World): 0 | 1 | null {
  ball.x += (ball.vx * tickMs) / 1_000
  ball.y += (ball.vy * tickMs) / 1_000
  if (ball.y < 0 || ball.y > 1) Object.assign(ball, { y: ball.y < 0 ? -ball.y : 2 - ball.y, vy: -ball.vy })
  const side = ball.vx < 0 ? 0 : 1
  const line = side === 0 ? paddle.inset : 1 - paddle.inset
  if (side === 0 ? ball.x > line : ball.x < line) return null
  const off = ball.y - paddles[side]
  if (Math.abs(off) <= paddle.height / 2) {
    // Faster each time, and the steeper the further from the middle it was hit.
    const vx = -Math.sign(ball.vx) * Math.min(maxSpeed, Math.abs(ball.vx) * 1.05)
    Object.assign(ball, { x: 2 * line - ball.x, vx, vy: off * 6 })
    return null
  }
  const scorer = side === 0 ? 1 : 0
  score[scorer] += 1
  Object.assign(ball, { x: 0.5, vx: side === 0 ? -speed : speed, vy: 0.3 })
  return scorer
}
