import { describe, expect, it } from "vitest"
import { newWorld, paddle, step, tickMs } from "../examples/game/realtime/pong.ts"
import { fold } from "../examples/turns/realtime/board.ts"
import { createChance } from "../realtime/testing/chance.ts"

const people = ["alice", "bob", "carol"].map((id) => ({ id }))
const tenMinutes = 600_000 / tickMs

describe("a world of pong", () => {
  it("goes on for ten minutes between two who are where the ball is", () => {
    const world = newWorld()
    const outside: object[] = []
    for (let tick = 0; tick < tenMinutes; tick += 1) {
      world.paddles = [world.ball.y, world.ball.y]
      const scorer = step(world)
      const { x, y } = world.ball
      if (scorer !== null || Math.min(x, y) < 0 || Math.max(x, y) > 1) outside.push({ tick, scorer, x, y })
    }
    expect(outside).toEqual([])
    expect(world.score).toEqual([0, 0])
  })

  it("gives the point to who is opposite of whoever isn't, and serves to the one who lost it", () => {
    const chance = createChance(3)
    const world = newWorld()
    let points = 0
    for (let tick = 0; tick < tenMinutes; tick += 1) {
      world.paddles = [chance.next(), chance.next()]
      const { x, vx } = { ...world.ball }
      const before = [...world.score]
      const scorer = step(world)
      if (scorer === null) continue
      points += 1
      expect(scorer).toBe(vx < 0 ? 1 : 0)
      expect(Math.min(x, 1 - x)).toBeLessThan(paddle.inset + 0.1)
      expect([Math.sign(world.ball.vx), world.ball.x]).toEqual([Math.sign(vx), 0.5])
      expect(world.score[scorer]).toBe((before[scorer] ?? 0) + 1)
    }
    expect(points).toBeGreaterThan(50)
  })
})

describe("a game in turns", () => {
  type Said = Parameters<typeof fold>[0][number]
  const place = (person: number, cell: number): Said => ({
    ...{ event: "placed", payload: { cell }, from: people[person] ?? null },
  })

  it.each([
    ["a row", [0, 3, 1, 4, 2], "× has won"],
    ["a column", [0, 1, 3, 4, 8, 7], "○ has won"],
    ["a diagonal", [0, 1, 4, 2, 8], "× has won"],
    ["no line", [0, 1, 2, 4, 3, 5, 7, 6, 8], "× draws"],
    ["the first squares", [0, 1], "× is next"],
  ])("ends, or goes on, with %s", (_, cells, outcome) => {
    const { mark, isWon, isOver, player } = fold(cells.map((cell, n) => place(n % 2, cell)))
    expect(isWon ? `${mark} has won` : isOver ? "× draws" : `${mark} is next`).toBe(outcome)
    if (!isOver || isWon) expect(player).toBe(people[mark === "×" ? 0 : 1])
  })

  it("takes no move out of turn, on a taken square, of a third or after the end, whatever is said", () => {
    const chance = createChance(11)
    for (let round = 0; round < 50; round += 1) {
      const said = Array.from({ length: 60 }, (): Said => {
        const from = chance.happens(0.05) ? null : chance.pick(people)
        if (chance.happens(0.05)) return { event: "begun", payload: {}, from }
        return { event: "placed", payload: { cell: chance.between(0, 8) }, from }
      })
      let before = fold([])
      for (const [index, { event, payload, from }] of said.entries()) {
        const now = fold(said.slice(0, index + 1))
        const changed = now.cells.flatMap((mark, cell) => (mark === before.cells[cell] ? [] : cell))
        if (event === "begun") expect(now).toEqual(fold([]))
        else if (changed.length > 0) {
          expect(changed).toEqual([(payload as { cell: number }).cell])
          expect([before.cells[changed[0] ?? 0], before.isOver]).toEqual(["", false])
          expect(now.players[before.mark === "×" ? 0 : 1]).toBe(from)
          expect(new Set(now.players.map(({ id }) => id)).size).toBe(now.players.length)
        } else expect(now).toEqual(before)
        before = now
      }
      // A page that has only what follows the last beginning sees the same.
      const last = said.findLastIndex(({ event }) => event === "begun")
      if (last >= 0) expect(fold(said.slice(last))).toEqual(before)
    }
  })
})
