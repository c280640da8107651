import { parseArgs } from "node:util"
import { simulateDocument } from "./simulate.ts"

/**
 * `npm run simulate:documents -- --seeds 300`: people who write to one document over a simulated provider, in
 * virtual time, while everything goes wrong; each seed is another story, the same each time. What fails is
 * repeated by `--first` with its seed and `--seeds 1`.
 */
const { values } = parseArgs({
  options: {
    first: { type: "string", default: "1" },
    seeds: { type: "string", default: "300" },
    clients: { type: "string", default: "5" },
    edits: { type: "string", default: "300" },
  },
})
const [first, seeds, clients, edits] = [values.first, values.seeds, values.clients, values.edits].map(
  Number,
) as [number, number, number, number]
const began = performance.now()
let failed = 0
let trimmed = 0

for (let seed = first; seed < first + seeds; seed += 1) {
  const { violations, first: oldest } = await simulateDocument({ seed, clients, edits })
  if (oldest > 1) trimmed += 1
  if (violations.length === 0) continue
  failed += 1
  console.log(`✗ seed ${seed}: ${[...new Set(violations)].join("\n  ")}`)
}
const seconds = Math.round((performance.now() - began) / 1000)
console.log(
  `${failed === 0 ? "✓" : "✗"} ${seeds - failed} of ${seeds} documents of ${clients} × ${edits} edits ended equal, ` +
    `with all that was acknowledged, in ${seconds} s; ${trimmed} logs were trimmed`,
)
if (failed > 0) process.exitCode = 1
