import { expect, test } from "vitest"
import { type Ledger, runUnderFire } from "./run.ts"
import { type ServiceName, serviceNames } from "./services.ts"

const alone = serviceNames.map((name) => [name])
const pairs = serviceNames.flatMap((first) =>
  serviceNames.filter((second) => second !== first).map((second) => [first, second]),
)
const lists: ServiceName[][] = [...alone, ...pairs, [...serviceNames]]

/** The same programs in each run; others, for hours, by `npm run soak`. */
const seed = Number(process.env.UNDER_FIRE_SEED ?? 1)
const steps = Number(process.env.UNDER_FIRE_STEPS ?? 80)

test.for(lists.map((providers) => ({ providers, list: providers.join(" then ") })))(
  "nothing is lost, repeated or out of order under fire: $list",
  async ({ providers }, { annotate }) => {
    const ledger = await runUnderFire({ providers, seed, steps })
    await annotate(`seed ${seed}: ${JSON.stringify(ledger)}`)
    expect(ledger, `repeat with UNDER_FIRE_SEED=${seed} UNDER_FIRE_STEPS=${steps}`).toMatchObject({
      ...{ lost: 0, repeated: 0, outOfOrder: 0, notInTheLog: 0 },
    } satisfies Partial<Ledger>)
    expect(ledger.accepted).toBeGreaterThan(0)
    // The preferred one failed at least once for everybody.
    if (providers.length > 1) expect(ledger.moves).toBeGreaterThanOrEqual(ledger.clients)
  },
)
