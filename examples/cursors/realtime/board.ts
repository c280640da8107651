import { defineChannel } from "throughline"
import * as z from "zod/mini"

/** Where a pointer was, oldest first: milliseconds of its page's own clock, and the place in 10,000ths of the board; -1: nowhere. */
export type Sample = [t: number, x: number, y: number]

const place = z.int().check(z.gte(-1), z.lte(10_000))
const path = z.array(z.tuple([z.int(), place, place])).check(z.minLength(1), z.maxLength(24))

export const board = defineChannel("board:{board}", {
  messages: {},
  signals: { came: z.object({}), moved: path, left: z.object({}) },
  // A page may send it with each frame: of what is too much the newest goes.
  latest: ["moved"],
  presence: z.object({}),
})
export const table = board({ board: "table" })
