import { defineChannel, type User } from "throughline"
import * as z from "zod/mini"

export const board = defineChannel("board:{board}", {
  messages: { begun: z.object({}), placed: z.object({ cell: z.int().check(z.gte(0), z.lte(8)) }) },
})
export const table = board({ board: "table" })

const lines = ["012", "345", "678", "036", "147", "258", "048", "246"].map((line) => [...line].map(Number))
const marks = ["×", "○"] as const
const newGame = () => ({ cells: Array<string>(9).fill(""), players: [] as User[], placed: 0, isWon: false })

/**
 * What the newest game amounts to: the same on every page, since the log has one order. What isn't allowed where it
 * stands changes nothing. Who places first plays ×, the next one ○.
 */
export function fold(messages: readonly { event: string; payload: object; from: User | null }[]) {
  let game = newGame()
  for (const { event, payload, from } of messages) {
    if (event === "begun") game = newGame()
    const { cells, players, placed, isWon } = game
    const cell = event === "placed" ? (payload as { cell: number }).cell : -1
    if (cells[cell] !== "" || !from || isWon) continue
    const turn = placed % 2
    if (players.length === turn && players[0]?.id !== from.id) players.push(from)
    if (players[turn]?.id !== from.id) continue
    cells[cell] = marks[turn] ?? ""
    game.placed += 1
    game.isWon = lines.some((line) => line.every((at) => cells[at] === marks[turn]))
  }
  const { cells, players, placed, isWon } = game
  // Of who has won, or of whose turn it is; they are unknown until they have placed for the first time.
  const turn = (placed + (isWon ? 1 : 0)) % 2
  return {
    cells,
    players,
    isWon,
    isOver: isWon || placed === 9,
    mark: marks[turn] ?? "",
    player: players[turn],
  }
}
