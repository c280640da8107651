import { defineChannel } from "throughline"
import * as z from "zod/mini"

const player = z.nullable(z.object({ id: z.string(), name: z.optional(z.string()) }))
/** Of the left side and of the right. */
const score = z.tuple([z.int(), z.int()])
/** In parts of the court, and of a second. */
const world = z.object({
  ball: z.object({ x: z.number(), y: z.number(), vx: z.number(), vy: z.number() }),
  paddles: z.tuple([z.number(), z.number()]),
  players: z.tuple([player, player]),
  score,
})
export type World = z.infer<typeof world>

export const court = defineChannel("court:{court}", {
  messages: { scored: z.object({ by: z.string(), score }) },
  signals: { steered: z.object({ y: z.number().check(z.gte(0), z.lte(1)) }) },
  // The server hears where a paddle is, and only where it is now counts.
  heard: ["steered"],
  latest: ["steered"],
  presence: z.object({}),
  state: { world },
})
export const centre = court({ court: "centre" })
