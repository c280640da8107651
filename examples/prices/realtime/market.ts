import { defineChannel } from "throughline"
import * as z from "zod/mini"

export const market = defineChannel("market:{market}", {
  messages: {},
  state: {
    "quote:{symbol}": z.object({ price: z.number(), open: z.number(), at: z.number() }),
    // Earlier prices, oldest first.
    "trend:{symbol}": z.array(z.number()),
  },
})
export const tokyo = market({ market: "tokyo" })

/** 500 that nobody trades in, as "BAD". */
export const symbols = [..."BDFGKLMRST"].flatMap((first) =>
  [..."AEIOU"].flatMap((vowel) => [..."DGKLMNPRTX"].map((last) => first + vowel + last)),
)

/** The most prices of a trend. */
export const points = 32

/** What a page watches of these symbols. */
export const keysOf = (shown: readonly string[]) =>
  shown.flatMap((symbol) => [`quote:${symbol}`, `trend:${symbol}`] as const)
