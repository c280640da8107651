import { setTimeout as wait } from "node:timers/promises"
import { points, tokyo } from "./market.ts"
import { realtime } from "./server.ts"
import { listen, type Quote } from "./source.ts"

const flushMs = 250
/** A trend has a point each 5 s; with each flush it is the turn of one symbol in twenty. */
const turns = 20
/** One in a process, however often hot reload evaluates this module. */
const shared = globalThis as { isFed?: boolean }

/**
 * Makes 2,000 values of 10,000 quotes a second: between two flushes the newest of each symbol is kept. What is set at once is written
 * in one transaction, and the next flush waits for it.
 */
export async function startFeed() {
  if (shared.isFed) return
  shared.isFed = true
  const state = realtime.state(tokyo)
  const kept = new Map((await state.read()).entries.map(({ key, value }) => [key, value]))
  const newest = new Map<string, Quote>()
  listen(
    (symbol) => (kept.get(`quote:${symbol}`) as Quote | undefined)?.price,
    (symbol, quote) => newest.set(symbol, quote),
  )
  async function flush(turn: number) {
    const due = [...newest]
    newest.clear()
    const writes = due.map(([symbol, quote]) => state.set(`quote:${symbol}`, quote))
    for (const [symbol, { price }] of due.filter((_, index) => index % turns === turn % turns)) {
      const key = `trend:${symbol}` as const
      const trend = [...((kept.get(key) ?? []) as number[]), price].slice(-points)
      kept.set(key, trend)
      writes.push(state.set(key, trend))
    }
    await Promise.all(writes)
  }
  // What a flush can't write is of the past: the next has newer prices, and until then they age on every page.
  async function run() {
    for (let turn = 0; ; turn += 1) await Promise.all([flush(turn).catch(console.error), wait(flushMs)])
  }
  void run()
}
