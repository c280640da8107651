import type { Row } from "./report.ts"

const width = 900
const rowHeight = 34
const left = 470
const right = 100

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/**
 * Ratios on a logarithmic scale, the control at 1, what each has to keep as a mark;
 * light and dark by the reader's theme.
 */
export function toChart(rows: readonly Row[]): string {
  const height = rows.length * rowHeight + 60
  const bounds = rows.flatMap(({ ratio, target }) => [ratio, Number(target?.split(" ")[1] ?? 1)])
  const [low, high] = [Math.min(0.25, ...bounds) / 1.3, Math.max(4, ...bounds) * 1.3]
  const x = (ratio: number) =>
    left + ((Math.log(ratio) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (width - left - right)
  const ticks = [0.01, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16].filter((tick) => tick > low && tick < high)
  const grid = ticks.map(
    (tick) =>
      `<line class="${tick === 1 ? "one" : "grid"}" x1="${x(tick)}" x2="${x(tick)}" y1="24" y2="${height - 28}"/>` +
      `<text class="tick" x="${x(tick)}" y="${height - 10}" text-anchor="middle">${tick} ×</text>`,
  )
  const bars = rows.map(({ scenario, metric, ratio, target, ok }, index) => {
    const y = 30 + index * rowHeight
    const [from, to] = [x(1), x(ratio)].sort((a, b) => a - b) as [number, number]
    const bound = target ? x(Number(target.split(" ")[1])) : null
    return (
      `<text x="${left - 12}" y="${y + 11}" text-anchor="end">${escaped(scenario)}</text>` +
      `<text class="tick" x="${left - 12}" y="${y + 24}" text-anchor="end">${escaped(metric)}</text>` +
      `<rect class="${ok ? "good" : "bad"}" x="${from}" y="${y + 2}" width="${Math.max(2, to - from)}" height="16" rx="3"/>` +
      (bound === null ? "" : `<path class="bound" d="M${bound} ${y - 2}v24"/>`) +
      `<text class="value" x="${Math.max(x(ratio), x(1)) + 8}" y="${y + 15}">${ratio.toFixed(2)} ×</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Ratios of Throughline to its controls">
<style>
text { fill: #24242c } .tick { fill: #6a6a78; font-size: 10px } .value { font-weight: 600 }
.grid { stroke: #8884 } .one { stroke: #888 } .good { fill: #3b82f6 } .bad { fill: #e5484d } .bound { stroke: #24242c; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #ececf1 } .tick { fill: #9a9aa8 } .bound { stroke: #ececf1 } }
</style>
${[...grid, ...bars].join("\n")}
</svg>
`
}
