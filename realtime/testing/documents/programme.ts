import { type Chance, createChance } from "../chance.ts"

/** What happens to whom. `page` is a place at which somebody sits; `forMs`, how long it lasts. */
export interface Step {
  readonly what: "edit" | "cut" | "half-open" | "stall" | "outage" | "reload" | "kill"
  readonly page: number
  readonly forMs: number
  /** How long after the step before. */
  readonly afterMs: number
  /** Decides what is edited. */
  readonly seed: number
}

/** How often each fault is made, of a thousand steps. */
const faults: readonly [Step["what"], number][] = [
  ["cut", 12],
  ["half-open", 4],
  ["stall", 12],
  ["outage", 12],
  ["reload", 16],
  ["kill", 6],
]

function pickStep(chance: Chance): Step["what"] {
  let left = chance.between(0, 999)
  for (const [what, share] of faults) {
    if (left < share) return what
    left -= share
  }
  return "edit"
}

/** The same for everybody who is compared, whatever becomes of it: nothing in it depends on a document. */
export function writeProgramme(seed: number, people: number, editsOfEach: number): Step[] {
  const chance = createChance(seed)
  const steps: Step[] = []
  for (let edits = 0; edits < people * editsOfEach; ) {
    const what = pickStep(chance)
    if (what === "edit") edits += 1
    steps.push({
      ...{ what, page: chance.between(0, people - 1), forMs: chance.between(100, 3_000) },
      afterMs: chance.happens(0.1) ? chance.between(0, 500) : chance.between(0, 40),
      seed: chance.between(0, 1_000_000_000),
    })
  }
  return steps
}
