import { parseArgs } from "node:util"
import { writeProgramme } from "./programme.ts"
import { type Rival, rivals } from "./rivals.ts"
import { type Outcome, runUnderFaults } from "./under-faults.ts"

/**
 * `npm run head-to-head:documents`: people write to one document over real servers, by the same seeds, with
 * y-websocket, with Hocuspocus and with ours, while connections are cut, stall and die unnoticed, browsers
 * crash, and the server is killed. All of one seed run at once, so that what the machine does meanwhile
 * befalls all. What somebody was told is saved has to be there for whoever opens the document in the end.
 */
const { values } = parseArgs({
  options: {
    first: { type: "string", default: "1" },
    seeds: { type: "string", default: "10" },
    people: { type: "string", default: "5" },
    edits: { type: "string", default: "100" },
    only: { type: "string", default: "" },
  },
})
const [first, seeds, people, edits] = [values.first, values.seeds, values.people, values.edits].map(
  Number,
) as [number, number, number, number]
const compared = Object.values<Rival>(rivals).filter(({ name }) => name.includes(values.only))

const sum = (outcomes: readonly Outcome[], key: "edits" | "told" | "toldLost" | "lost" | "bytes") =>
  outcomes.reduce((total, outcome) => total + outcome[key], 0)

function toLine({ name }: Rival, keeps: boolean, outcomes: readonly Outcome[]): string {
  const times = outcomes.flatMap(({ equalMs }) => equalMs ?? []).toSorted((a, b) => a - b)
  const [middle, slowest] = [times[Math.floor(times.length / 2)], times.at(-1)]
  const seconds = (ms = Number.NaN) => `${(ms / 1_000).toFixed(1)} s`
  const equal = outcomes.filter(({ equalMs, isFreshEqual }) => equalMs !== null && isFreshEqual).length
  return `| ${[
    name,
    keeps ? "yes" : "no",
    sum(outcomes, "edits"),
    sum(outcomes, "told"),
    sum(outcomes, "toldLost"),
    sum(outcomes, "lost") - sum(outcomes, "toldLost"),
    `${equal} of ${outcomes.length}`,
    `${seconds(middle)}, ${seconds(slowest)}`,
    Math.round(sum(outcomes, "bytes") / sum(outcomes, "edits")),
  ].join(" | ")} |`
}

const measured = [false, true].flatMap((keeps) =>
  compared.map((rival) => ({ rival, keeps, outcomes: [] as Outcome[] })),
)
for (let seed = first; seed < first + seeds; seed += 1) {
  const steps = writeProgramme(seed, people, edits)
  for (const keeps of [false, true]) {
    const together = measured.filter((row) => row.keeps === keeps)
    await Promise.all(
      together.map(async ({ rival, outcomes }) => {
        const outcome = await runUnderFaults(rival, steps, { people, keeps })
        outcomes.push(outcome)
        console.error(`seed ${seed}, ${keeps ? "kept" : "not kept"}: ${rival.name}`, outcome)
      }),
    )
  }
}
const heads = [
  "",
  "the browser keeps it",
  "edits",
  "said to be saved",
  "of these lost",
  "others lost",
  "equal in the end",
  "until then: median, slowest",
  "bytes on the wires for an edit",
]
console.log(`| ${heads.join(" | ")} |`)
console.log(`| ${heads.map(() => "---").join(" | ")} |`)
for (const { rival, keeps, outcomes } of measured) console.log(toLine(rival, keeps, outcomes))
process.exit(0)
