import { parseArgs } from "node:util"
import { isClean, runUnderFire } from "./run.ts"
import { type ServiceName, serviceNames } from "./services.ts"

/**
 * `npm run soak -- --minutes 60 --providers ably,pusher --clients 10`: random faults over real services and
 * the official SDKs, one program after another, until the time is up or a promise is broken. Ends with the
 * ledger of all; `--seed` repeats one.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    providers: { type: "string" },
    clients: { type: "string", default: "5" },
    steps: { type: "string", default: "400" },
    seed: { type: "string" },
  },
})

const isName = (name: string): name is ServiceName => serviceNames.some((known) => known === name)
const orders: ServiceName[][] = [
  ...serviceNames.map((name) => [name]),
  ...serviceNames.flatMap((first) =>
    serviceNames.filter((name) => name !== first).map((name) => [first, name]),
  ),
  [...serviceNames],
]
const named = values.providers?.split(",")
if (named && !named.every(isName)) {
  console.error(`--providers lists some of ${serviceNames.join(", ")}, as in ably,pusher`)
  process.exit(2)
}
const lists = named ? [named as ServiceName[]] : orders

const end = Date.now() + Number(values.minutes) * 60_000
const total = { programmes: 0, begun: 0, accepted: 0, logged: 0, delivered: 0, moves: 0 }
const broken = { lost: 0, repeated: 0, outOfOrder: 0, notInTheLog: 0 }
let seed = values.seed ? Number(values.seed) : Math.floor(Math.random() * 2 ** 31)
let isGood = true

for (let round = 0; isGood && (round === 0 || (!values.seed && Date.now() < end)); round += 1) {
  const providers = lists[round % lists.length] as ServiceName[]
  const ledger = await runUnderFire({
    ...{ providers, seed, clients: Number(values.clients), steps: Number(values.steps) },
  })
  isGood = isClean(ledger)
  total.programmes += 1
  for (const key of ["begun", "accepted", "logged", "moves"] as const) total[key] += ledger[key]
  total.delivered += ledger.logged * ledger.clients - ledger.lost
  for (const key of ["lost", "repeated", "outOfOrder", "notInTheLog"] as const) broken[key] += ledger[key]
  const { accepted, logged, moves, faults } = ledger
  const made = Object.entries(faults).map(([name, times]) => `${name} ${times}`)
  console.log(
    `${isGood ? "✓" : "✗"} ${providers.join(",")} seed ${seed}: ${accepted} accepted, ${logged} logged, ${moves} moves; ${made.join(", ")}`,
  )
  if (!isGood) console.log(JSON.stringify(ledger))
  seed += 1
}

console.log(
  `\n${total.programmes} programmes: ${total.begun} begun, ${total.accepted} accepted, ${total.logged} logged, ` +
    `${total.delivered} delivered, ${total.moves} changes of provider; ` +
    `${broken.lost} lost, ${broken.repeated} repeated, ${broken.outOfOrder} out of order, ${broken.notInTheLog} missing from the log`,
)
process.exit(isGood ? 0 : 1)
