import { memo, useState } from "react"
import { points } from "../realtime/market.ts"
import type { Quote } from "../realtime/source.ts"

const staleMs = 2_000
const stale = "text-neutral-600 italic dark:text-neutral-400"
const rising = "text-emerald-700 dark:text-emerald-400"
const falling = "text-red-700 dark:text-red-400"
const flash = "animate-flash motion-reduce:animate-none"
const rise = `${flash} [--flash:var(--color-emerald-500)]`
const fall = `${flash} [--flash:var(--color-red-500)]`

const percent = { style: "percent", signDisplay: "exceptZero", minimumFractionDigits: 2 } as const
const prices = new Intl.NumberFormat("en", { minimumFractionDigits: 1 })
const changes = new Intl.NumberFormat("en", percent)
const toAge = (ms: number) =>
  ms < 100_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min`

interface Props {
  symbol: string
  quote: Quote | undefined
  trend: readonly number[] | undefined
  /** In milliseconds; null where it isn't known. */
  age: number | null
}

/** One whose values are the same isn't drawn again, as all those out of view. */
export const PriceRow = memo(function PriceRow({ symbol, quote, trend = [], age }: Props) {
  const price = quote?.price
  const [last, setLast] = useState({ price, move: 0 })
  if (price !== last.price) setLast({ price, move: price && last.price ? price - last.price : 0 })

  const change = quote ? quote.price / quote.open - 1 : 0
  const isStale = age !== null && age > staleMs
  const quiet = isStale ? stale : ""
  const tone = quiet || (change > 0 ? rising : change < 0 ? falling : "")
  const moved = last.move > 0 ? rise : last.move < 0 ? fall : ""
  return (
    <tr className="h-9 whitespace-nowrap border-neutral-500/25 border-t text-right" id={symbol}>
      <th className="text-left font-semibold" scope="row">
        {symbol}
      </th>
      <td className={quiet}>
        <span className={`-mr-1 rounded px-1 py-0.5 ${moved}`} key={price}>
          {price && prices.format(price)}
        </span>
      </td>
      <td className={tone}>{quote && changes.format(change)}</td>
      <td className={tone}>{price && <Sparkline prices={[...trend, price]} isDashed={isStale} />}</td>
      <td className={quiet}>{age !== null && toAge(age)}</td>
    </tr>
  )
})

/** The newest is at the right. */
function Sparkline({ prices, isDashed }: { prices: number[]; isDashed: boolean }) {
  const low = Math.min(...prices)
  const scale = 14 / (Math.max(...prices) - low || 1)
  const line = prices.map((price, n) => `${points - prices.length + n + 1},${17 - (price - low) * scale}`)
  const look = `inline-block h-5 w-4/5 fill-none stroke-current ${isDashed ? "[stroke-dasharray:2_3]" : ""}`
  return (
    <svg className={look} viewBox={`0 0 ${points} 20`} preserveAspectRatio="none" aria-hidden>
      <path d={`M${line.join("L")}`} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
