import { parseArgs } from "node:util"
import { emulators } from "./emulators.ts"
import { startMetered } from "./meter.ts"
import { type Scenario, scenarios } from "./scenarios.ts"
import { type Stack, throughline } from "./stacks.ts"
import { storm } from "./storm.ts"
import type { WireClient } from "./wire.ts"

/**
 * `npm run bench`: our gateway with its durable log beside a bare Socket.IO server, the same load on both, taking
 * turns in one run; then the emulators beside bare relays. Only the ratios carry over to another machine.
 */
const { values } = parseArgs({
  options: {
    scale: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    json: { type: "string" },
  },
})

/** One value per metric, so that a scenario picks its own. */
type Figures = Record<Scenario["metric"], number>

async function measure(stack: Stack, scenario: Scenario): Promise<Figures> {
  await using server = await startMetered(stack.server)
  const { rooms, subscribersPerRoom, rate, inFlight = 1, messages } = scenario
  const text = "x".repeat(100)
  let delivered = 0
  const count = (more: number) => {
    delivered += more
  }
  const subscribers: WireClient[] = []
  for (let room = 0; room < rooms; room += 1) {
    for (let index = 0; index < subscribersPerRoom; index += 1) {
      subscribers.push(await stack.connect(server.url, server.token, `r${room}`, count))
    }
  }
  const senders = await Promise.all(
    Array.from({ length: Math.min(rooms, 20) }, () =>
      stack.connect(server.url, server.token, "nobody", () => {}),
    ),
  )
  const publish = (n: number) =>
    stack.publish(senders[n % senders.length] as WireClient, `r${n % rooms}`, text)
  /** What did not arrive is no throughput. */
  const arrive = async (expected: number) => {
    while (delivered < expected) await new Promise((resolve) => setImmediate(resolve))
  }

  const warmUp = Math.ceil(messages / 10)
  for (let n = 0; n < warmUp; n += 1) await publish(n)
  await arrive(warmUp * subscribersPerRoom)
  delivered = 0

  const latencies: number[] = []
  const timed = async (n: number) => {
    const sent = performance.now()
    await publish(n)
    latencies.push(performance.now() - sent)
  }
  const before = await server.read()
  const started = performance.now()
  if (rate) {
    const pending: Promise<void>[] = []
    for (let n = 0; n < messages; n += 1) {
      const due = started + (n * 1000) / rate
      const wait = due - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      pending.push(timed(n))
    }
    await Promise.all(pending)
  } else {
    let next = 0
    const lane = async () => {
      while (next < messages) {
        next += 1
        await timed(next)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
  }
  await arrive(messages * subscribersPerRoom)
  const seconds = (performance.now() - started) / 1000
  const after = await server.read()
  for (const client of [...subscribers, ...senders]) client.close()

  latencies.sort((a, b) => a - b)
  return {
    "CPU per delivery": (after.cpu - before.cpu) / delivered,
    "CPU per publish": (after.cpu - before.cpu) / messages,
    "deliveries per second": delivered / seconds,
    "p50 of publish to acknowledgement": latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
  }
}

const median = (numbers: number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
const shown = (value: number) =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)

const unit: Record<string, string> = {
  "CPU per delivery": "µs",
  "CPU per publish": "µs",
  "deliveries per second": "/s",
  "messages per second": "/s",
  "p50 of publish to acknowledgement": "ms",
  "until all have what they missed": "ms",
}

const rows: {
  scenario: string
  metric: string
  ours: number
  control: number
  ratio: number
  against: string
}[] = []
for (const scenario of scenarios(Number(values.scale))) {
  const pairs: { ours: number; control: number }[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const control = await measure(scenario.control, scenario)
    const ours = await measure(throughline, scenario)
    pairs.push({ ours: ours[scenario.metric], control: control[scenario.metric] })
  }
  rows.push({
    scenario: scenario.name,
    metric: scenario.metric,
    ours: median(pairs.map(({ ours }) => ours)),
    control: median(pairs.map(({ control }) => control)),
    ratio: median(pairs.map(({ ours, control }) => ours / control)),
    against: scenario.control.name,
  })
}
for (const { scenario, against, ours, control } of emulators) {
  const pairs: { ours: number; control: number }[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) {
    pairs.push({ control: await control(), ours: await ours() })
  }
  rows.push({
    scenario,
    metric: "messages per second",
    ours: median(pairs.map(({ ours }) => ours)),
    control: median(pairs.map(({ control }) => control)),
    ratio: median(pairs.map(({ ours, control }) => ours / control)),
    against,
  })
}

{
  const pairs: { ours: number; control: number }[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) {
    pairs.push({ control: (await storm.control()).ms, ours: (await storm.ours()).ms })
  }
  rows.push({
    scenario: storm.scenario,
    metric: "until all have what they missed",
    ours: median(pairs.map(({ ours }) => ours)),
    control: median(pairs.map(({ control }) => control)),
    ratio: median(pairs.map(({ ours, control }) => ours / control)),
    against: storm.against,
  })
}

console.log(
  `Node ${process.version}, 100 bytes of text, durable log on for us, ${values.rounds} rounds, medians\n`,
)
console.log("| scenario | metric | throughline | control | ratio |\n| --- | --- | --- | --- | --- |")
for (const { scenario, metric, ours, control, ratio, against } of rows) {
  const u = unit[metric]
  console.log(
    `| ${scenario} | ${metric} | ${shown(ours)} ${u} | ${shown(control)} ${u} (${against}) | ${ratio.toFixed(2)} × |`,
  )
}
if (values.json) {
  const { writeFileSync } = await import("node:fs")
  writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
}
process.exit(0)
