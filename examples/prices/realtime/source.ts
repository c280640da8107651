import { symbols } from "./market.ts"

/** What an exchange says: the price, the day's first one, and when it was made, by the clock of the feed's machine. */
export type Quote = { price: number; open: number; at: number }

/** Invented: small steps, frequent or rare. Here the feed of an exchange would come in. */
const stocks = symbols.map((symbol, index) => {
  const open = 200 + ((index * 7_919) % 4_800)
  return { symbol, open, price: open, step: open < 1_000 ? 0.1 : 0.5, chance: 0.004 * 2 ** (index % 6) }
})

type Last = (symbol: string) => number | undefined

/** Calls `onQuote` 20 times a second for each symbol; `last` is its price before a restart. */
export function listen(last: Last, onQuote: (symbol: string, quote: Quote) => void) {
  for (const stock of stocks) stock.price = last(stock.symbol) ?? stock.price
  setInterval(() => {
    for (const stock of stocks) {
      const step = Math.random() > stock.chance ? 0 : Math.random() > 0.5 ? stock.step : -stock.step
      stock.price = Math.max(stock.step, Math.round((stock.price + step) * 10) / 10)
      onQuote(stock.symbol, { price: stock.price, open: stock.open, at: Date.now() })
    }
  }, 50)
}
