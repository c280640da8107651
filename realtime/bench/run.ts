import { writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { toChart } from "./chart.ts"
import { bytes, receiving } from "./clients.ts"
import { idle, reconnects } from "./connections.ts"
import { cursors } from "./cursors.ts"
import { writeDocument } from "./document.ts"
import { emulators } from "./emulators.ts"
import { largeDocument } from "./large-document.ts"
import { measure, saturate } from "./load.ts"
import { oneToOne } from "./one-to-one.ts"
import { publishing } from "./publish.ts"
import { reads } from "./reads.ts"
import { type Pair, type Row, toJson, toRow, toTable } from "./report.ts"
import { growth, type Metric, quiet, scenarios } from "./scenarios.ts"
import { state } from "./state.ts"
import { storm } from "./storm.ts"

/**
 * `npm run bench`: our gateway with its durable log beside a bare Socket.IO server, the same load on both,
 * taking turns in one run; then what returns to the log costs, the log itself, and the emulators beside bare
 * relays. Only the ratios carry over to another machine. `--scale 10` is the real thing, `--only fan-out`
 * what has that in its name, `--rows 10000000` a log of that length; `--json` and `--chart` write files,
 * `--document` the figures of docs/performance.md.
 */
const { values } = parseArgs({
  options: {
    scale: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    json: { type: "string" },
    chart: { type: "string" },
    rows: { type: "string" },
    document: { type: "boolean", default: false },
  },
})
const scale = Number(values.scale)
const rounds = Number(values.rounds)
const rows: Row[] = []

const isWanted = (name: string) => name.includes(values.only)

const loads: number[] = []

function add(row: Row): void {
  rows.push(row)
  loads.push(loadavg()[0] ?? 0)
  // After each: a run that is broken off leaves what it measured.
  if (values.json) writeFileSync(values.json, toJson(rows))
  console.error(
    `${row.ok ? "✓" : "✗"} ${row.scenario}, ${row.metric}: ${row.ratio.toFixed(2)} ${row.target ?? ""}`,
  )
}

/** Control and ours by turns, so that what the machine does meanwhile befalls both. */
async function takeTurns(control: () => Promise<number>, ours: () => Promise<number>): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round += 1) pairs.push({ control: await control(), ours: await ours() })
  return pairs
}

for (const given of scenarios(scale)) {
  if (!isWanted(given.name)) continue
  const scenario = given.isSaturated ? await saturate(given) : given
  const measured: { ours: Record<Metric, number>; control: Record<Metric, number> }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const control = await measure(scenario.control, scenario)
    measured.push({ control, ours: await measure(scenario.ours, scenario) })
  }
  for (const [metric, target] of Object.entries(scenario.targets) as [Metric, string][]) {
    const pairs = measured.map(({ ours, control }) => ({ ours: ours[metric], control: control[metric] }))
    add(toRow({ scenario: scenario.name, metric, target, against: scenario.control.name }, pairs))
  }
}

if (isWanted(quiet.name)) for (const row of await oneToOne(rounds)) add(row)

const [few, many] = [growth(100), growth(Math.min(9_000, 900 * scale))]
if (isWanted(many.name)) {
  const cost = (scenario: typeof few) => async () =>
    (await measure(scenario.ours, scenario))["CPU per delivery"]
  const about = {
    scenario: many.name,
    metric: "CPU per delivery",
    target: "<= 1.1",
    against: "ours, 1 → 100",
  }
  add(toRow(about, await takeTurns(cost(few), cost(many))))
}

for (const { about, ours, control } of [idle(Math.min(10_000, 1_000 * scale)), reconnects(1_000 * scale)])
  if (isWanted(about.scenario)) add(toRow(about, await takeTurns(control, ours)))

for (const { about, measure: measureReads } of reads(
  Number(values.rows ?? (scale >= 10 ? 10_000_000 : 100_000)),
))
  if (isWanted(about.scenario)) add(toRow(about, await measureReads(rounds)))

for (const { scenario, targets, against, measure } of receiving({ messages: 500 * scale, rate: 200 })) {
  if (!isWanted(scenario)) continue
  const measured = await measure(rounds)
  for (const [metric, target] of Object.entries(targets) as [keyof typeof targets, string][]) {
    const pairs = measured.map(({ ours, control }) => ({ ours: ours[metric], control: control[metric] }))
    add(toRow({ scenario, metric, target, against }, pairs))
  }
}

for (const { measure, ...about } of bytes) {
  if (!isWanted(about.scenario)) continue
  const { pair, target } = await measure()
  add(toRow({ ...about, target }, [pair]))
}

for (const { about, measure } of publishing) {
  if (!isWanted(about.scenario)) continue
  const { pairs, target } = await measure(rounds)
  add(toRow({ ...about, target }, pairs))
}

if (isWanted(storm.scenario)) {
  const about = { metric: "until all have what they missed", target: null, ...storm }
  add(
    toRow(
      about,
      await takeTurns(
        async () => (await storm.control()).ms,
        async () => (await storm.ours()).ms,
      ),
    ),
  )
}

if (isWanted(state.scenario))
  for (const { pair, ...about } of await state.measure())
    add(toRow({ scenario: state.scenario, ...about }, [pair]))

if (isWanted(cursors.scenario))
  for (const { pair, ...about } of await cursors.measure())
    add(toRow({ scenario: cursors.scenario, ...about }, [pair]))

if (isWanted(largeDocument.scenario))
  for (const { pair, ...about } of await largeDocument.measure())
    add(toRow({ scenario: largeDocument.scenario, ...about }, [pair]))

for (const { scenario, against, ours, control } of emulators)
  if (isWanted(scenario))
    add(
      toRow(
        { scenario, against, metric: "messages per second", target: null },
        await takeTurns(control, ours),
      ),
    )

console.log(`Node ${process.version}, 100 bytes of text, durable log on for us, ${rounds} rounds, medians\n`)
console.log(toTable(rows))
if (values.chart) writeFileSync(values.chart, toChart(rows))
if (values.document) writeDocument(rows, { scale, rounds, loads })
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)
