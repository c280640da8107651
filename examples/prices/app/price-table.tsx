"use client"
import type { StatePage } from "throughline"
import { useChannelState, useConnection } from "throughline/react"
import { keysOf, symbols, tokyo } from "../realtime/market.ts"
import { PriceRow } from "./price-row.tsx"
import { type Language, texts } from "./texts.ts"
import { useRowsInView } from "./use-rows-in-view.ts"
import { useServerClock } from "./use-server-clock.ts"

/** Of two keys each: a page watches 500. */
const mostRows = 250
const dots = { up: "text-emerald-600", trying: "text-amber-600", down: "text-red-600" }
const quiet = "text-neutral-600 text-sm dark:text-neutral-400"

export function PriceTable(props: { lang: Language; first: readonly string[]; initial: StatePage }) {
  const { title, about, doubt, columns, states } = texts[props.lang]
  const { body, shown } = useRowsInView(props.first, mostRows)
  const values = useChannelState(tokyo, keysOf(shown), { initial: props.initial })
  const clock = useServerClock()
  const { state, provider, error } = useConnection()
  const is = state === "connected" ? "up" : error ? "down" : "trying"

  return (
    <main className="mx-auto max-w-3xl px-3 py-8 text-sm sm:px-8 sm:text-base">
      <title>{title}</title>
      <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
      <p className="mt-1" role="status">
        <span className={dots[is]}>●</span> {states[is]} · {provider}
      </p>
      <table className="mt-4 w-full table-fixed">
        <caption className={`pb-4 text-left ${quiet}`}>
          {about} {clock && doubt(Math.ceil(clock.error))}
        </caption>
        <thead className="sticky top-0 bg-white dark:bg-neutral-950">
          <tr className={quiet}>
            {columns.map((name) => (
              <th className="h-9 text-right font-normal first:w-1/6 first:text-left" key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {symbols.map((symbol) => {
            const [quote, trend] = [values[`quote:${symbol}`], values[`trend:${symbol}`]]
            const age = quote && clock ? Math.max(0, clock.now - quote.at) : null
            return <PriceRow key={symbol} {...{ symbol, quote, trend, age }} />
          })}
        </tbody>
      </table>
    </main>
  )
}
