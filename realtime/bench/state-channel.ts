import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"

/** What the server of `state.ts` and its pages agree on. */
export const market = defineChannel("market:{market}", {
  messages: {},
  state: {
    /** `at`: when it was written, by the clock that all processes of a machine share. */
    "quote:{symbol}": z.object({ n: z.number(), at: z.number(), depth: z.string() }),
  },
})

export const bench = market({ market: "bench" })
export const keys = Array.from({ length: 20 }, (_, n) => `quote:${n}` as const)
/** How often a second a page is told. */
export const toldPerSecond = 4
