/** One comparison. */
export interface Row {
  scenario: string
  metric: string
  ours: number
  control: number
  /** The median of ours to control, round by round: the only figure that carries over to another machine. */
  ratio: number
  /** What the ratio has to keep, as in `<= 1.1`; null where it is only told. */
  target: string | null
  ok: boolean
  /** What the control is: for people, `toJson` leaves it out. */
  against: string
}

/** An array of `{ scenario, metric, ours, control, ratio, target, ok }`. */
export const toJson = (rows: readonly Row[]): string =>
  `${JSON.stringify(
    rows.map(({ against: _, ...row }) => row),
    null,
    2,
  )}\n`

/** What was measured on both, round by round. */
export interface Pair {
  ours: number
  control: number
}

export const quantile = (numbers: readonly number[], q: number) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * q)] ?? Number.NaN

export const median = (numbers: readonly number[]) => quantile(numbers, 0.5)

export function keeps(ratio: number, target: string | null): boolean {
  if (target === null) return true
  const [sign, bound] = target.split(" ")
  return sign === "<=" ? ratio <= Number(bound) : ratio >= Number(bound)
}

export function toRow(
  about: Pick<Row, "scenario" | "metric" | "target" | "against">,
  pairs: readonly Pair[],
): Row {
  const ratio = median(pairs.map(({ ours, control }) => ours / control))
  return {
    ...{ scenario: about.scenario, metric: about.metric },
    ours: median(pairs.map(({ ours }) => ours)),
    control: median(pairs.map(({ control }) => control)),
    ...{ ratio, target: about.target, ok: keeps(ratio, about.target), against: about.against },
  }
}

const units: Record<string, string> = {
  "CPU per delivery": "µs",
  "CPU per publish": "µs",
  "CPU per message": "µs",
  "CPU of that page": "ms",
  "bytes by brotli": "",
  "deliveries per second": "/s",
  "messages a second of one who types": "/s",
  "messages per second": "/s",
  "updates per second of a page": "/s",
  "bytes that wait for a slow page": "",
  "p50 of the answer": "ms",
  "p50 of a commit of its own": "ms",
  "p50 of delivery": "ms",
  "p99 of delivery": "ms",
  "memory per connection": "kB",
  "until a page that kept nothing has it": "ms",
  "until all are back": "ms",
  "until all have what they missed": "ms",
  "p50 of the request": "ms",
  "p50 of the read": "ms",
}

const shown = (value: number) =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)

export function toTable(rows: readonly Row[]): string {
  const lines = rows.map(({ scenario, metric, ours, control, ratio, target, ok, against }) => {
    const unit = units[metric] ?? ""
    const verdict = target === null ? "" : `${target} ${ok ? "✓" : "✗"}`
    return `| ${scenario} | ${metric} | ${shown(ours)} ${unit} | ${shown(control)} ${unit} (${against}) | ${ratio.toFixed(2)} × | ${verdict} |`
  })
  return [
    "| scenario | metric | Throughline | control | ratio | target |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n")
}
